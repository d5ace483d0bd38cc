-- Moving a payment to another account, and paying an invoice quickly (F75 to F77, F85 to F87).

create or replace function duly.check_move(o duly.financial_transactions, d duly.accounts) returns void language plpgsql as $$
begin
  if o.classification <> 'payment' then perform duly.refuse_state(o, 'payment_only'); end if;
  if o.state <> 'posted' then perform duly.refuse_state(o, 'posted_only'); end if;
  if d.id is null then
    perform duly.refuse('prerequisite', 'account_exists', jsonb_build_object('account_id', d.id));
  elsif d.id = o.account_id then
    perform duly.refuse('input', 'other_account', jsonb_build_object('account_id', d.id));
  elsif d.currency <> o.currency then
    perform duly.refuse('input', 'currency_of_account',
      jsonb_build_object('account_id', d.id, 'currency', o.currency, 'account_currency', d.currency));
  end if;
  perform duly.refuse_terminated(d);
end $$;

-- The invoices of the write-off account that stand for what was written off of some invoices.
create or replace function duly.mirrors_of(p_invoice_ids text[]) returns text[] language sql stable as $$
  select array(select m.id from duly.financial_transactions w
    join duly.financial_transactions m on m.counterpart_id = w.id and m.classification = 'invoice'
    where w.counterpart_id = any (p_invoice_ids) and w.classification = 'write_off' order by m.id)
$$;

-- The payment that arrives: same amount, method and references, so that a refund or dispute finds it (Q10). Money for what was
-- written off pays that debt, where the write-off account keeps it.
create or replace function duly.post_moved_payment(o duly.financial_transactions, d duly.accounts, p_key text, p_hash bytea,
  p_posted_on date, p_origin text, p_actor text) returns duly.financial_transactions language plpgsql as $$
declare
  t duly.financial_transactions := duly.counterpart_of(o, 'payment', p_key, p_hash, o.type_id, null, null, p_origin,
    p_actor);
begin
  t.account_id := d.id;
  t.method := o.method;
  t.provider := o.provider;
  t.gateway_reference := o.gateway_reference;
  t.payment_reference := o.payment_reference;
  t.voucher_number := o.voucher_number;
  if d.kind = 'write_off' then t.addressed_invoice_ids := duly.mirrors_of(o.addressed_invoice_ids); end if;
  t := duly.post_counterpart(t, p_posted_on);
  perform duly.write_transfers_and_open_item(t, d);
  perform duly.settle(t);
  return t;
end $$;

-- Move a posted payment: cancelled on one account, posted on the other, in one commit. The gateway is not called, for the
-- money stays where it is (F76). Returns the payment on the destination.
create or replace function duly.move_to_account(p_key text, p_payment_id text, p_account_id text, p_posted_on date default null,
  p_issue_reason text default null, p_origin text default 'user', p_actor text default 'system')
returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  o duly.financial_transactions;
  a duly.accounts;
  d duly.accounts;
  t duly.financial_transactions;
  v_hash bytea := duly.request_hash('move_to_account', p_payment_id, p_account_id, p_posted_on::text, p_issue_reason,
    p_origin);
  v_before text;
begin
  perform duly.lock_accounts(array[p_account_id, (select account_id from duly.financial_transactions
    where id = p_payment_id)]);
  o := duly.lock_transaction(p_payment_id);
  v_before := duly.made_before(p_key, v_hash);
  if v_before is not null then return duly.receipt_of(v_before); end if;
  select * into d from duly.accounts where id = p_account_id;
  if d.id is null then
    perform duly.refuse('prerequisite', 'account_exists', jsonb_build_object('account_id', p_account_id));
  end if;
  perform duly.check_move(o, d);
  select * into a from duly.accounts where id = o.account_id;
  perform set_config('duly.moved', o.id, true);
  perform duly.cancel_locked(o, duly.counterpart_of(o, 'payment_cancellation', 'move:' || p_key, v_hash, null,
    p_issue_reason, null, p_origin, p_actor), a, p_posted_on);
  perform set_config('duly.moved', '', true);
  t := duly.post_moved_payment(o, d, p_key, v_hash, p_posted_on, p_origin, p_actor);
  perform duly.give_number(t);
  return duly.receipt_of(t.id);
end $$;

-- Pay what is unsettled of an invoice, all of it. Through a gateway that is a request to it (`collections start`).
create or replace function duly.quick_pay(p_key text, p_invoice_id text, p_method text, p_provider text default null,
  p_posted_on date default null, p_type_id text default null, p_payment_reference text default null,
  p_origin text default 'user', p_actor text default 'system')
returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  o duly.financial_transactions := duly.lock_transaction(p_invoice_id);
  t duly.financial_transactions;
  v_before text;
begin
  perform duly.refuse_gateway('payment', p_provider, null);
  t.idempotency_key := p_key;
  t.request_hash := duly.request_hash('quick_pay', p_invoice_id, p_method, p_provider, p_posted_on::text, p_type_id,
    p_payment_reference, p_origin);
  v_before := duly.made_before(t.idempotency_key, t.request_hash);
  if v_before is not null then return duly.receipt_of(v_before); end if;
  if o.classification <> 'invoice' then perform duly.refuse_state(o, 'invoice_only'); end if;
  if not duly.is_payable(o) then perform duly.refuse_state(o, 'posted_only'); end if;
  if duly.unsettled(o.id) = 0 then perform duly.refuse_state(o, 'unsettled_only'); end if;
  t.classification := 'payment';
  t.account_id := o.account_id;
  t.currency := o.currency;
  t.total_minor := duly.unsettled(o.id);
  t.method := p_method;
  t.posted_on := p_posted_on;
  t.type_id := p_type_id;
  t.payment_reference := p_payment_reference;
  t.addressed_invoice_ids := array[o.id];
  t.origin := p_origin;
  t.actor := p_actor;
  return duly.create_transaction(t, false);
end $$;
