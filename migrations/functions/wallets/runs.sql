-- What a payment run settles from wallets before it asks for a card (decision 0219): in the commit that fixes the run's members.

-- What is in a wallet that can still be spent today.
create or replace function duly.wallet_spendable(a duly.accounts) returns bigint language sql stable as $$
  select coalesce(sum(c.left_minor), 0)::bigint from duly.wallet_credits(a.id) c
    where c.expires_on is null or c.expires_on >= (clock_timestamp() at time zone a.time_zone)::date
$$;

-- What a member owes of its invoices, as a wallet pays it: a card is asked for whole steps of some currencies, a wallet for all.
create or replace function duly.owed_to_wallet(p_account_id text, p_currency text, p_asked_minor bigint, p_invoices text[])
returns bigint language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when duly.charge_step(p_currency) = 1 or p_invoices = '{}' then p_asked_minor else (
      select sum(o.amount_minor - o.allocated_minor - (select coalesce(sum(w.amount_minor), 0) from duly.owned_invoices w
          where w.account_id = p_account_id and w.invoice_id = o.transaction_id))::bigint
        from duly.open_items o where o.account_id = p_account_id and o.transaction_id = any (p_invoices)) end
$$;

-- What a run takes from the wallets of accounts whose preference is one: what is free of what they owe, as far as there is money, by the
-- type of debit that pays by the preferred method. Who has no card, or too little for the gateway, is paid from the wallet all the same.
create or replace function duly.wallet_shares(p_definition duly.run_definitions, p_period text, p_supplement integer,
  p_accounts text[] default null)
returns table (account_id text, currency text, type_id text, amount_minor bigint, invoices text[])
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_accounts text[] := array(select f.account_id from duly.payment_preferences f
    join duly.payment_methods m on m.id = f.payment_method_id and m.ledger_account = 'wallet_clearing'
    where f.is_default and (p_accounts is null or f.account_id = any (p_accounts)) and duly.wallet_balance(f.account_id) > 0);
begin
  if v_accounts = '{}' then return; end if;
  return query
  select j.account_id, j.currency, y.id,
      least(duly.wallet_spendable(a), duly.owed_to_wallet(j.account_id, j.currency, j.amount_minor, j.invoices)), j.invoices
    from duly.members_of_month(p_definition, p_period, p_supplement, v_accounts) j
    join duly.accounts a on a.id = j.account_id
    join duly.payment_preferences f on f.account_id = a.id and f.is_default
    cross join lateral (select min(t.id) as id from duly.wallet_transaction_types t where t.payment_method_id = f.payment_method_id
      and t.direction = 'debit' and t.product_id is null and t.is_active) y
    where y.id is not null and j.invoices <> '{}' and duly.wallet_spendable(a) > 0
      -- A card of it may have been charged, and nobody could write it down: what is left of a restore is settled first.
      and not duly.has_recovery_left(a.id) and duly.is_sending_open(p_definition.provider_id)
      -- By pure FIFO the wallet would pay what a card is being asked for at this moment, if that is older.
      and ((select d.allocation_principle from duly.definitions d) = 'against_item_and_fifo'
        or not exists (select from duly.owned_invoices o where o.account_id = a.id)
          and not duly.waits_for_top_up(a.id))
    order by j.account_id collate "C";
end $$;

-- The keys of what a run has taken: as many wallets as it took from, each once, whoever freezes it again.
create or replace function duly.wallet_key_of_run(p_run_id text, p_account_id text) returns text language sql immutable as $$
  select format('run:%s:%s', p_run_id, p_account_id)
$$;

-- Settle from wallets what a run that begins would charge. A wallet that cannot be debited is left, and operators are told: its account
-- is asked for a card like any other. Returns how many wallets it took from.
create or replace function duly.spend_wallets(p_run_id text, p_definition duly.run_definitions, p_period text, p_supplement integer)
returns integer language plpgsql as $$
declare
  v_account text;
  s record;
  v_definition duly.run_definitions := duly.criteria_in_period(p_definition, p_period);
  v_spent integer := 0;
  v_rule text;
begin
  -- All of them first: their payments are numbered one by one, and who numbers waits for no account any more.
  perform duly.lock_accounts(array(select x.account_id from duly.wallet_shares(v_definition, p_period, p_supplement) x));
  for v_account in select x.account_id from duly.wallet_shares(v_definition, p_period, p_supplement) x order by x.account_id collate "C" loop
    begin
      -- Under its lock, for others have paid or claimed meanwhile.
      perform duly.lock_account_for(duly.wallet_key_of_run(p_run_id, v_account), v_account);
      select * into s from duly.wallet_shares(v_definition, p_period, p_supplement, array[v_account]);
      continue when s.account_id is null;
      perform duly.wallet_debit(duly.wallet_key_of_run(p_run_id, s.account_id), s.account_id, s.amount_minor, s.currency, s.type_id,
        s.invoices, 'system', p_run_id);
      v_spent := v_spent + 1;
    exception when sqlstate 'LD001' or sqlstate 'LD002' or sqlstate 'LD003' or sqlstate 'LD004' or sqlstate 'LD005'
        or sqlstate 'LD006' or sqlstate 'DU001' then
      get stacked diagnostics v_rule = constraint_name;
      perform duly.write_message('wallet_not_spent', s.account_id, '', p_run_id, jsonb_build_object('amount_minor', s.amount_minor,
        'currency', s.currency, 'code', v_rule, 'workflow', p_run_id), p_run_id);
    end;
  end loop;
  return v_spent;
end $$;

-- What a run has settled from wallets, by currency, for its certificate.
create or replace function duly.spent_from_wallets(p_run_id text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_agg(to_jsonb(x) order by x.currency), '[]') from (
    select w.currency, count(*) as accounts, sum(w.amount_minor)::bigint as amount_minor from duly.wallet_transactions w
      where w.idempotency_key >= format('run:%s:', p_run_id) and w.idempotency_key < format('run:%s;', p_run_id) group by w.currency) x
$$;
