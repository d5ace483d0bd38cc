-- Transfers: one positive amount from one ledger account (credit) to another (debit), in one row. An unbalanced posting
-- cannot be written down.

-- Every transfer seen from both of its accounts. Receivables are one control account here, and so are the other kinds
-- that are kept by account.
create or replace function duly.control_account(p_ledger_account text) returns text language sql immutable parallel safe as $$
  select case when split_part(p_ledger_account, ':', 1) in ('receivable', 'suspense', 'written_off', 'internal', 'wallet')
    then split_part(p_ledger_account, ':', 1) else p_ledger_account end
$$;

-- Opening, changing and locking accounts.

create or replace function duly.open_account(
  p_account_id text, p_currency text, p_owner_name text, p_owner_reference text default null,
  p_email text default null, p_locale text default 'en', p_time_zone text default 'UTC',
  p_credit_limit_minor bigint default null, p_credit_period_days integer default null,
  p_due_date_rule_id text default null, p_region text default null, p_segment text default null,
  p_kind text default 'customer', p_classification text default null
) returns text language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  v_currency text;
begin
  begin
    perform now() at time zone p_time_zone;
  exception when invalid_parameter_value then
    perform duly.refuse('input', 'time_zone_exists', jsonb_build_object('time_zone', p_time_zone));
  end;
  if not exists (select from duly.currencies where code = p_currency) then
    perform duly.refuse('input', 'currency_exists', jsonb_build_object('currency', p_currency));
  end if;
  insert into duly.accounts (id, kind, currency, owner_name, owner_reference, email, locale, time_zone,
      credit_limit_minor, credit_period_days, due_date_rule_id, region, segment,
      classification)
    values (p_account_id, p_kind, p_currency, p_owner_name, p_owner_reference, p_email, p_locale, p_time_zone,
      p_credit_limit_minor, p_credit_period_days, p_due_date_rule_id, p_region, p_segment,
      p_classification)
    on conflict (id) do nothing;
  if found then
    insert into duly.account_balances (account_id) values (p_account_id);
  else
    select currency into v_currency from duly.accounts where id = p_account_id and kind = p_kind;
    if v_currency is distinct from p_currency then
      perform duly.refuse('key_reused', 'account_id_unique', jsonb_build_object('account_id', p_account_id));
    end if;
    if p_kind in ('suspense', 'write_off') then perform duly.open_again(p_account_id); end if;
  end if;
  return p_account_id;
end $$;

-- Money that has come is never refused: a system account that was ended is opened again when there is something for it.
create or replace function duly.open_again(p_account_id text) returns void language plpgsql as $$
declare
  v_reason text := coalesce(current_setting('duly.reason', true), '');
begin
  if not exists (select from duly.accounts where id = p_account_id and state = 'terminated') then return; end if;
  -- The trail names why this was done; what is posted for it in the same commit has a reason of its own.
  perform set_config('duly.reason', 'opened again: there is something for it', true);
  update duly.accounts set state = 'active' where id = p_account_id and state = 'terminated';
  perform set_config('duly.reason', v_reason, true);
end $$;

-- The suspense or write-off account of a currency, opened when first needed, and again when it was ended.
create or replace function duly.system_account(p_kind text, p_currency text) returns text language plpgsql as $$
declare
  v_id text;
begin
  select id into v_id from duly.accounts where kind = p_kind and currency = p_currency;
  if found then
    perform duly.open_again(v_id);
    return v_id;
  end if;
  return duly.open_account('acc_' || p_kind || '_' || lower(p_currency), p_currency, initcap(replace(p_kind, '_', '-')),
    p_kind => p_kind);
end $$;

-- Take the locks of accounts: customers by id, then system accounts by id, everywhere alike, so that nobody waits in a
-- circle. READ COMMITTED: what is read after this sees what the previous holder committed.
create or replace function duly.lock_accounts(p_account_ids text[]) returns void language plpgsql as $$
begin
  perform from duly.account_balances b join duly.accounts a on a.id = b.account_id
    where b.account_id = any (p_account_ids)
    order by a.kind in ('suspense', 'write_off'), b.account_id
    for no key update of b;
end $$;

-- Lock one account and return it as it is under the lock.
create or replace function duly.lock_account(p_account_id text) returns duly.accounts language plpgsql as $$
declare
  a duly.accounts;
begin
  perform from duly.account_balances where account_id = p_account_id for no key update;
  select * into a from duly.accounts where id = p_account_id;
  if not found then
    perform duly.refuse('prerequisite', 'account_exists', jsonb_build_object('account_id', p_account_id));
  end if;
  return a;
end $$;

create or replace function duly.set_account_state(p_account_id text, p_state text) returns void
language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  a duly.accounts := duly.lock_account(p_account_id);
begin
  if p_state not in ('active', 'suspended', 'terminated') or (p_state = 'suspended' and a.kind <> 'customer') then
    perform duly.refuse('input', 'account_state_exists', jsonb_build_object('account_id', p_account_id, 'state', p_state));
  end if;
  if p_state = 'terminated' and a.kind <> 'customer' then perform duly.refuse_money_on(a); end if;
  -- What has expired is nobody's to spend, whether the night has booked it yet or not.
  if p_state = 'terminated' and a.state <> 'terminated' and duly.wallet_balance(a.id) > 0 then perform duly.expire_wallet(a); end if;
  if p_state = 'terminated' and duly.wallet_balance(a.id) > 0 then
    perform duly.refuse('postcondition', 'wallet_empty', jsonb_build_object('account_id', a.id,
      'balance_minor', duly.wallet_balance(a.id), 'currency', a.currency));
  end if;
  if p_state = 'terminated' then
    perform duly.withdraw_top_up(u.invoice_id, 'system', 'account terminated') from duly.wallet_top_ups u
      where u.account_id = a.id and u.state = 'requested';
  end if;
  update duly.accounts set state = p_state where id = p_account_id;
end $$;

-- A system account is ended when nothing is left on it: who its money belongs to is found there, and nowhere else.
create or replace function duly.has_money(p_account_id text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select exists (select from duly.account_balances b where b.account_id = p_account_id and b.balance_minor <> 0)
    or exists (select from duly.open_items i where i.account_id = p_account_id and i.allocated_minor < i.amount_minor)
$$;

create or replace function duly.refuse_money_on(a duly.accounts) returns void language plpgsql as $$
declare
  v_balance bigint := (select balance_minor from duly.account_balances where account_id = a.id);
begin
  if duly.has_money(a.id) then
    perform duly.refuse('postcondition', 'system_account_empty', jsonb_build_object('account_id', a.id, 'balance_minor', v_balance,
      'currency', a.currency));
  end if;
end $$;

create or replace function duly.refuse_terminated(a duly.accounts) returns void language plpgsql as $$
begin
  if a.state = 'terminated' then
    perform duly.refuse('postcondition', 'account_not_terminated', jsonb_build_object('account_id', a.id));
  end if;
end $$;

-- Due dates (F110 to F116). tests/ledger/oracle/due_date.py states the same rules; the tests compare the two.

create or replace function duly.day_in_month(p_month date, p_day integer) returns date language sql immutable parallel safe as $$
  select least(p_month + p_day - 1, (p_month + interval '1 month' - interval '1 day')::date)
$$;

-- The window a due date must lie in by a rule, and the date that is set when none is given.
create or replace function duly.due_window(r duly.due_date_rules, p_credit_period_days integer, p_posted_on date)
returns table (earliest date, latest date, default_on date) language sql stable as $$
  select w.earliest, w.latest,
      case when r.proximity_operator is null or p_credit_period_days is null then w.earliest
        else b.base + p_credit_period_days end
    from (select case r.kind
        when 'days_after' then p_posted_on + r.number_of_days
        else duly.day_in_month((date_trunc('month', p_posted_on) + make_interval(months => r.after_months))::date,
          r.day_of_month) end) b (base)
    cross join lateral (select
        case when r.proximity_operator in ('minus', 'plus_minus') then b.base - r.proximity_days else b.base end,
        case when r.proximity_operator in ('plus', 'plus_minus') then b.base + r.proximity_days else b.base end
      ) w (earliest, latest)
$$;

-- The same for an account: by its own rule, or else the one that all accounts work by.
create or replace function duly.due_dates(p_account_id text, p_posted_on date)
returns table (earliest date, latest date, default_on date) language sql stable as $$
  select w.earliest, w.latest, w.default_on
    from duly.accounts a
    cross join duly.definitions d
    join duly.due_date_rules r on r.id = coalesce(a.due_date_rule_id, d.due_date_rule_id)
    cross join lateral duly.due_window(r, a.credit_period_days, p_posted_on) w
    where a.id = p_account_id
$$;
