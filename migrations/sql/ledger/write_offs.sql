-- Write-off: the unpaid rest of an invoice is credited to the customer and invoiced to the write-off account of its currency,
-- so that the sum over both accounts stays (F78 to F84, Q2).

-- The one line of a write-off: the definition's product, the amount including the tax that applies to it.
create function duly.write_off_line(t duly.financial_transactions, p_product_id text) returns void language sql as $$
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

create function duly.check_write_off(o duly.financial_transactions, p_type_id text) returns text
language plpgsql stable as $$
declare
  v_product_id text := (select write_off_product_id from duly.definitions);
begin
  if o.classification <> 'invoice' then perform duly.refuse_state(o, 'invoice_only'); end if;
  if o.state <> 'posted' then perform duly.refuse_state(o, 'posted_only'); end if;
  if o.counterpart_id is not null then perform duly.refuse_state(o, 'mirror_stays'); end if;
  if duly.unsettled(o.id) = 0 then perform duly.refuse_state(o, 'unsettled_only'); end if;
  if p_type_id is null then
    perform duly.refuse('input', 'write_off_type_given', jsonb_build_object('transaction_id', o.id));
  end if;
  if v_product_id is null then
    perform duly.refuse('configuration', 'write_off_product_set', '{}');
  end if;
  return v_product_id;
end $$;

-- The invoice in the write-off account: the write-off's lines, no tax and no revenue of its own.
create function duly.post_mirror(w duly.financial_transactions) returns duly.financial_transactions
language plpgsql as $$
declare
  m duly.financial_transactions := duly.counterpart_of(w, 'invoice', 'mirror:' || w.id, w.request_hash, null,
    w.issue_reason, null, 'system', w.actor);
  a duly.accounts;
begin
  m.account_id := duly.system_account('write_off', w.currency);
  select * into a from duly.accounts where id = m.account_id;
  m := duly.post_counterpart(m, w.posted_on);
  perform duly.copy_lines(w.id, m.id);
  perform duly.book(m, a);
  perform duly.settle(m);
  return m;
end $$;

create function duly.write_off(p_key text, p_invoice_id text, p_type_id text, p_issue_reason text default null,
  p_back_office_code text default null, p_posted_on date default null, p_origin text default 'user',
  p_actor text default 'system') returns duly.receipt language plpgsql security definer as $$
declare
  o duly.financial_transactions := duly.lock_transaction(p_invoice_id);
  w duly.financial_transactions;
  m duly.financial_transactions;
  v_hash bytea := duly.request_hash('write_off', p_invoice_id, p_type_id, p_issue_reason, p_back_office_code,
    p_posted_on::text, p_origin);
  v_before text := duly.made_before(p_key, v_hash);
  v_product_id text;
begin
  if v_before is not null then return duly.receipt_of(v_before); end if;
  v_product_id := duly.check_write_off(o, p_type_id);
  perform duly.lock_accounts(array[duly.system_account('write_off', o.currency)]);
  w := duly.counterpart_of(o, 'write_off', p_key, v_hash, p_type_id, p_issue_reason, p_back_office_code, p_origin,
    p_actor);
  w.total_minor := duly.unsettled(o.id);
  w := duly.post_counterpart(w, p_posted_on);
  perform duly.write_off_line(w, v_product_id);
  perform duly.book(w, a) from duly.accounts a where a.id = w.account_id;
  perform duly.allocate(w.account_id, w.id, o.id, w.total_minor);
  update duly.financial_transactions set state = 'written_off' where id = o.id;
  m := duly.post_mirror(w);
  perform duly.give_numbers('invoice', array[m.id]);
  perform duly.give_numbers('write_off', array[w.id]);
  return duly.receipt_of(w.id);
end $$;
