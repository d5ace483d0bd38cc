-- Undoing what was posted, always by a new transaction: cancellations, write-offs, moves (F61 to F84).

-- A new transaction that is the counterpart of a posted one: same account and currency, its key checked by the caller.
create or replace function duly.counterpart_of(o duly.financial_transactions, p_classification duly.classification,
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

-- Stamp and write a counterpart; lines, transfers, allocations and number are the caller's. `p_day_of` is the account whose
-- day it is: its own, but for what another account's transaction causes.
create or replace function duly.post_counterpart(t duly.financial_transactions, p_posted_on date, p_day_of text default null)
returns duly.financial_transactions language plpgsql as $$
declare
  v_time_zone text;
begin
  select time_zone into v_time_zone from duly.accounts where id = coalesce(p_day_of, t.account_id);
  t.posted_on := p_posted_on;
  t := duly.assign_posting(t, v_time_zone);
  t.issued_on := t.posted_on;
  if t.posted_on = (t.posted_at at time zone v_time_zone)::date then t.issued_at := t.posted_at; end if;
  if t.classification = 'invoice' then t.due_on := t.posted_on; end if;
  perform duly.insert_header(t);
  return t;
end $$;

create or replace function duly.copy_lines(p_from_id text, p_to_id text) returns void language sql as $$
  insert into duly.transaction_lines
    select p_to_id, position, product_id, description, quantity, unit_price_minor, discount_percent, discount_minor,
        net_minor, tax_rate_id, tax_percent, tax_minor, total_minor, period_from, period_to, sales_channel, applied_taxes
      from duly.transaction_lines where transaction_id = p_from_id
$$;

-- Cancel a posted invoice or payment in full. Its allocations are undone, it keeps only the one to its cancellation, and
-- what that freed is allocated again by FIFO (F63, F67, F103, F105).
create or replace function duly.cancel(p_classification duly.classification, p_id text, p_key text, p_hash bytea, p_posted_on date,
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
  if o.provider is not null then
    -- Its money is returned first, and the answer cancels it (duly.return_payment, F69).
    perform duly.refuse('prerequisite', 'gateway_confirms_first',
      jsonb_build_object('transaction_id', o.id, 'provider', o.provider));
  end if;
  if o.classification = 'invoice' and o.counterpart_id is not null then
    perform duly.refuse_state(o, 'mirror_stays');
  end if;
  select * into a from duly.accounts where id = o.account_id;
  perform duly.refuse_terminated(a);
  t := duly.counterpart_of(o, (p_classification || '_cancellation')::duly.classification, p_key, p_hash, p_type_id,
    p_issue_reason, p_back_office_code, p_origin, p_actor);
  return duly.cancel_locked(o, t, a, p_posted_on);
end $$;

create or replace function duly.cancel_locked(o duly.financial_transactions, t duly.financial_transactions, a duly.accounts,
  p_posted_on date) returns duly.receipt language plpgsql as $$
begin
  perform duly.deallocate(o.id);
  t := duly.post_counterpart(t, p_posted_on);
  perform duly.copy_lines(o.id, t.id);
  perform duly.write_transfers_and_open_item(t, a);
  update duly.financial_transactions set state = 'cancelled' where id = o.id;
  if duly.side_of(t.classification) = 'credit' then
    perform duly.allocate(t.account_id, t.id, o.id, t.total_minor);
  else
    perform duly.allocate(t.account_id, o.id, t.id, t.total_minor);
  end if;
  perform duly.allocate_fifo(t.account_id);
  if t.classification = 'payment_cancellation' then perform duly.void_funded_credit(o, t, a); end if;
  perform duly.give_number(t);
  return duly.receipt_of(t.id);
end $$;

create or replace function duly.cancel_invoice(p_key text, p_invoice_id text, p_issue_reason text default null,
  p_type_id text default null, p_back_office_code text default null, p_posted_on date default null,
  p_origin text default 'user', p_actor text default 'system')
returns duly.receipt language sql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select duly.cancel('invoice', p_invoice_id, p_key, duly.request_hash('cancel_invoice', p_invoice_id, p_issue_reason,
    p_type_id, p_back_office_code, p_posted_on::text, p_origin), p_posted_on, p_type_id, p_issue_reason,
    p_back_office_code, p_origin, p_actor)
$$;

create or replace function duly.cancel_payment(p_key text, p_payment_id text, p_issue_reason text default null,
  p_type_id text default null, p_back_office_code text default null, p_posted_on date default null,
  p_origin text default 'user', p_actor text default 'system')
returns duly.receipt language sql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select duly.cancel('payment', p_payment_id, p_key, duly.request_hash('cancel_payment', p_payment_id, p_issue_reason,
    p_type_id, p_back_office_code, p_posted_on::text, p_origin), p_posted_on, p_type_id, p_issue_reason,
    p_back_office_code, p_origin, p_actor)
$$;

-- Write-off: the unpaid rest of an invoice is credited to the customer and invoiced to the write-off account of its currency,
-- so that the sum over both accounts stays (F78 to F84, Q2).

-- The one line of a write-off: the definition's product, the amount including the tax that applies to it.
create or replace function duly.write_off_line(t duly.financial_transactions, p_product_id text) returns void language sql as $$
  insert into duly.transaction_lines (transaction_id, position, product_id, description, quantity, unit_price_minor,
      discount_minor, net_minor, tax_rate_id, tax_percent, tax_minor, total_minor)
    select t.id, 1, p.id, p.name, 1, t.total_minor - x.tax_minor, 0, t.total_minor - x.tax_minor, r.id,
        coalesce(r.percent, 0), x.tax_minor, t.total_minor
      from duly.products p
      left join duly.tax_rates r on r.id = p.tax_rate_id
      cross join lateral (select round(t.total_minor * coalesce(r.percent, 0) / (100 + coalesce(r.percent, 0)))::bigint)
        x (tax_minor)
      where p.id = p_product_id
$$;

create or replace function duly.check_write_off(o duly.financial_transactions, p_type_id text) returns text
language plpgsql stable as $$
declare
  v_product_id text := (select write_off_product_id from duly.definitions);
begin
  if o.classification <> 'invoice' then perform duly.refuse_state(o, 'invoice_only'); end if;
  if o.state <> 'posted' then perform duly.refuse_state(o, 'posted_only'); end if;
  if o.counterpart_id is not null then perform duly.refuse_state(o, 'mirror_stays'); end if;
  if duly.unsettled(o.id) = 0 then perform duly.refuse_state(o, 'unsettled_only'); end if;
  if exists (select from duly.wallet_top_ups u where u.invoice_id = o.id and u.state = 'requested') then
    perform duly.refuse('prerequisite', 'wallet_top_up_is_cancelled', jsonb_build_object('transaction_id', o.id));
  end if;
  if p_type_id is null then
    perform duly.refuse('input', 'write_off_type_given', jsonb_build_object('transaction_id', o.id));
  end if;
  if v_product_id is null then
    perform duly.refuse('configuration', 'write_off_product_set', '{}');
  end if;
  return v_product_id;
end $$;

-- The invoice in the write-off account: the write-off's lines, no tax and no revenue of its own.
create or replace function duly.post_mirror(w duly.financial_transactions) returns duly.financial_transactions
language plpgsql as $$
declare
  m duly.financial_transactions := duly.counterpart_of(w, 'invoice', 'mirror:' || w.id, w.request_hash, null,
    w.issue_reason, null, 'system', w.actor);
  a duly.accounts;
begin
  m.account_id := duly.system_account('write_off', w.currency);
  select * into a from duly.accounts where id = m.account_id;
  m := duly.post_counterpart(m, w.posted_on, w.account_id);
  perform duly.copy_lines(w.id, m.id);
  perform duly.write_transfers_and_open_item(m, a);
  perform duly.settle(m);
  return m;
end $$;

create or replace function duly.write_off(p_key text, p_invoice_id text, p_type_id text, p_issue_reason text default null,
  p_back_office_code text default null, p_posted_on date default null, p_origin text default 'user',
  p_actor text default 'system', p_category text default null) returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  o duly.financial_transactions := duly.lock_transaction(p_invoice_id);
  w duly.financial_transactions;
  m duly.financial_transactions;
  -- A request without a category is the one that releases before it made.
  v_hash bytea := case when p_category is null then duly.request_hash('write_off', p_invoice_id, p_type_id, p_issue_reason,
      p_back_office_code, p_posted_on::text, p_origin)
    else duly.request_hash('write_off', p_invoice_id, p_type_id, p_issue_reason, p_back_office_code, p_posted_on::text, p_origin,
      p_category) end;
  v_before text := duly.made_before(p_key, v_hash);
  v_product_id text;
begin
  if v_before is not null then return duly.receipt_of(v_before); end if;
  v_product_id := duly.check_write_off(o, p_type_id);
  perform duly.lock_accounts(array[duly.system_account('write_off', o.currency)]);
  w := duly.counterpart_of(o, 'write_off', p_key, v_hash, p_type_id, p_issue_reason, p_back_office_code, p_origin,
    p_actor);
  w.category := p_category;
  perform duly.type_for('write_off', p_type_id, p_category => p_category);
  w.total_minor := duly.unsettled(o.id);
  w := duly.post_counterpart(w, p_posted_on);
  perform duly.write_off_line(w, v_product_id);
  perform duly.write_transfers_and_open_item(w, a) from duly.accounts a where a.id = w.account_id;
  perform duly.allocate(w.account_id, w.id, o.id, w.total_minor);
  update duly.financial_transactions set state = 'written_off' where id = o.id;
  m := duly.post_mirror(w);
  perform duly.give_number(m);
  perform duly.give_number(w);
  return duly.receipt_of(w.id);
end $$;
