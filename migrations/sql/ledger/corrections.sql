-- Undoing what was posted, always by a new transaction: cancellations, write-offs, moves (F61 to F84).

-- A new transaction that is the counterpart of a posted one: same account and currency, its key checked by the caller.
create function duly.counterpart_of(o duly.financial_transactions, p_classification duly.classification,
  p_key text, p_hash bytea, p_type_id text, p_issue_reason text, p_back_office_code text, p_origin text, p_actor text)
returns duly.financial_transactions language plpgsql as $$
declare
  t duly.financial_transactions;
begin
  t.id := 'ft_' || nextval('duly.financial_transaction_ids');
  t.idempotency_key := p_key;
  t.request_hash := p_hash;
  t.classification := p_classification;
  t.type_id := case when p_classification = o.classification then o.type_id
    else duly.type_for(p_classification, p_type_id) end;
  t.account_id := o.account_id;
  t.currency := o.currency;
  t.total_minor := o.total_minor;
  t.addressed_invoice_ids := '{}';
  t.counterpart_id := o.id;
  t.issue_reason := p_issue_reason;
  t.back_office_code := p_back_office_code;
  t.origin := p_origin;
  t.actor := p_actor;
  if t.back_office_code is not null then perform duly.check_back_office_code(t); end if;
  return t;
end $$;

-- Stamp and write a counterpart; lines, transfers, allocations and number are the caller's.
create function duly.post_counterpart(t duly.financial_transactions, p_posted_on date)
returns duly.financial_transactions language plpgsql as $$
declare
  v_time_zone text;
begin
  select time_zone into v_time_zone from duly.accounts where id = t.account_id;
  t.posted_on := p_posted_on;
  t := duly.stamp(t, v_time_zone);
  t.issued_on := t.posted_on;
  if t.classification = 'invoice' then t.due_on := t.posted_on; end if;
  perform duly.insert_header(t);
  return t;
end $$;

create function duly.copy_lines(p_from_id text, p_to_id text) returns void language sql as $$
  insert into duly.transaction_lines
    select p_to_id, position, product_id, description, quantity, unit_price_minor, discount_percent, discount_minor,
        net_minor, tax_rate_id, tax_percent, tax_minor, total_minor, period_from, period_to, sales_channel, applied_taxes
      from duly.transaction_lines where transaction_id = p_from_id
$$;

-- Cancel a posted invoice or payment in full. Its allocations are undone, it keeps only the one to its cancellation, and
-- what that freed is allocated again by FIFO (F63, F67, F103, F105).
create function duly.cancel(p_classification duly.classification, p_id text, p_key text, p_hash bytea, p_posted_on date,
  p_type_id text, p_issue_reason text, p_back_office_code text, p_origin text, p_actor text)
returns duly.receipt language plpgsql as $$
declare
  o duly.financial_transactions := duly.lock_transaction(p_id);
  a duly.accounts;
  t duly.financial_transactions;
  v_before text := duly.made_before(p_key, p_hash);
begin
  if v_before is not null then return duly.receipt_of(v_before); end if;
  if o.classification <> p_classification then perform duly.refuse_state(o, p_classification || '_only'); end if;
  if o.state <> 'posted' then perform duly.refuse_state(o, 'posted_only'); end if;
  if o.classification = 'invoice' and o.counterpart_id is not null then
    perform duly.refuse_state(o, 'mirror_stays');
  end if;
  select * into a from duly.accounts where id = o.account_id;
  perform duly.refuse_terminated(a);
  t := duly.counterpart_of(o, (p_classification || '_cancellation')::duly.classification, p_key, p_hash, p_type_id,
    p_issue_reason, p_back_office_code, p_origin, p_actor);
  return duly.cancel_locked(o, t, a, p_posted_on);
end $$;

create function duly.cancel_locked(o duly.financial_transactions, t duly.financial_transactions, a duly.accounts,
  p_posted_on date) returns duly.receipt language plpgsql as $$
begin
  perform duly.deallocate(o.id);
  t := duly.post_counterpart(t, p_posted_on);
  perform duly.copy_lines(o.id, t.id);
  perform duly.book(t, a);
  update duly.financial_transactions set state = 'cancelled' where id = o.id;
  if duly.side_of(t.classification) = 'credit' then
    perform duly.allocate(t.account_id, t.id, o.id, t.total_minor);
  else
    perform duly.allocate(t.account_id, o.id, t.id, t.total_minor);
  end if;
  perform duly.allocate_fifo(t.account_id);
  perform duly.give_numbers(t.classification, array[t.id]);
  return duly.receipt_of(t.id);
end $$;

create function duly.cancel_invoice(p_key text, p_invoice_id text, p_issue_reason text default null,
  p_type_id text default null, p_back_office_code text default null, p_posted_on date default null,
  p_origin text default 'user', p_actor text default 'system')
returns duly.receipt language sql security definer as $$
  select duly.cancel('invoice', p_invoice_id, p_key, duly.request_hash('cancel_invoice', p_invoice_id, p_issue_reason,
    p_type_id, p_back_office_code, p_posted_on::text, p_origin), p_posted_on, p_type_id, p_issue_reason,
    p_back_office_code, p_origin, p_actor)
$$;

create function duly.cancel_payment(p_key text, p_payment_id text, p_issue_reason text default null,
  p_type_id text default null, p_back_office_code text default null, p_posted_on date default null,
  p_origin text default 'user', p_actor text default 'system')
returns duly.receipt language sql security definer as $$
  select duly.cancel('payment', p_payment_id, p_key, duly.request_hash('cancel_payment', p_payment_id, p_issue_reason,
    p_type_id, p_back_office_code, p_posted_on::text, p_origin), p_posted_on, p_type_id, p_issue_reason,
    p_back_office_code, p_origin, p_actor)
$$;
