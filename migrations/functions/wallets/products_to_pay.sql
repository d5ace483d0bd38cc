-- Products to pay (F72, F73): a payment for chosen subscriptions of an account, or for all of them. It settles what is open of their
-- invoices, the earliest due first, and what is left funds the wallet, from which the next periods are paid (decision 0220).

-- The open invoices of some subscriptions of an account; none named: of all.
create or replace function duly.invoices_of_services(p_account_id text, p_services text[])
returns table (transaction_id text, open_minor bigint, up_to bigint) language sql stable as $$
  select o.transaction_id, o.amount_minor - o.allocated_minor,
      (sum(o.amount_minor - o.allocated_minor) over (order by o.sort_on, o.account_version))::bigint
    from duly.open_items o
    where o.account_id = p_account_id and o.side = 'debit' and o.allocated_minor < o.amount_minor and o.transaction_id in (
      select i.transaction_id from duly.run_items i join duly.process_runs r on r.id = i.run_id and r.kind = 'billing'
        where i.account_id = p_account_id and i.outcome = 'billed' and (p_services = '{}' or i.member_id = any (p_services)))
$$;

-- Pay for services: a payment by hand of any method, the invoices that it settles, and the wallet's credit by a type that is invoiced, as
-- far as the wallet has room; what is more settles what else is owed. One commit, under the account's lock. Returns the payment's id.
create or replace function duly.pay_services(p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_method text,
  p_type_id text, p_services text[] default '{}', p_actor text default 'system', p_reason text default '')
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a duly.accounts := duly.lock_account_for(p_key, p_account_id);
  v_hash bytea := duly.request_hash('pay_services', p_account_id, p_amount_minor::text, p_currency, p_method, p_type_id, p_services::text);
  v_before text := duly.made_before(p_key, v_hash);
  y duly.wallet_transaction_types;
  t duly.financial_transactions;
  v_service text;
begin
  if v_before is not null then return v_before; end if;
  y := duly.wallet_type(p_type_id, 'credit');
  select u.id into v_service from unnest(p_services) u (id)
    where not exists (select from duly.subscriptions s where s.id = u.id and s.account_id = a.id) limit 1;
  if found then
    perform duly.refuse('input', 'service_of_account', jsonb_build_object('service', v_service, 'account_id', a.id));
  elsif y.product_id is null then
    perform duly.refuse('input', 'wallet_type_is_invoiced', jsonb_build_object('type_id', y.id));
  end if;
  perform duly.expire_wallet(a);
  t.idempotency_key := p_key;
  t.request_hash := v_hash;
  t.classification := 'payment';
  t.account_id := a.id;
  t.currency := p_currency;
  t.total_minor := p_amount_minor;
  t.method := p_method;
  t.origin := 'user';
  t.actor := coalesce(nullif(p_actor, ''), session_user);
  t.issue_reason := nullif(p_reason, '');
  t.addressed_invoice_ids := array(select i.transaction_id from duly.invoices_of_services(a.id, p_services) i
    where i.up_to - i.open_minor < p_amount_minor order by i.up_to);
  perform duly.check_new(t, a);
  t.type_id := duly.type_for('payment', null, p_method);
  t.id := 'ft_' || nextval('duly.financial_transaction_ids');
  t := duly.assign_posting(duly.issued(t, a.time_zone), a.time_zone);
  perform duly.insert_header(t);
  perform duly.write_transfers_and_open_item(t, a);
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    select a.id, t.id, i.transaction_id, least(i.open_minor, p_amount_minor - i.up_to + i.open_minor)
      from duly.invoices_of_services(a.id, p_services) i where i.up_to - i.open_minor < p_amount_minor;
  perform duly.fund_by(t, a, y, duly.unsettled(t.id));
  perform duly.allocate_fifo(a.id);
  perform duly.give_number(t);
  return t.id;
end $$;
