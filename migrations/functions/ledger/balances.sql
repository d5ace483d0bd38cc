-- Balances of ledger accounts on any day, summed day by day as the ledger grows.

-- Mark how far a roll-up reaches. Writers are held back only for the moment that it takes to read the highest id: an id
-- below it could otherwise still be in flight. Two that mark at once do so one after the other. Returns null when there is
-- nothing new, else the last roll-up: of a day with very many transfers there are several, for what is sealed at once has to
-- fit into one value of a column.
create or replace function duly.mark_roll_up() returns bigint language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  v_after bigint;
  v_upto bigint;
  v_id bigint;
  v_most bigint := coalesce(nullif(current_setting('duly.transfers_of_roll_up', true), '')::bigint, 10000000);
begin
  lock table duly.transfers in share row exclusive mode;
  select coalesce(max(upto_transfer_id), 0) into v_after from duly.ledger_roll_ups;
  select max(id) into v_upto from duly.transfers where id > v_after;
  if v_upto is null then return null; end if;
  while v_after < v_upto loop
    insert into duly.ledger_roll_ups (after_transfer_id, upto_transfer_id)
      values (v_after, least(v_after + v_most, v_upto)) returning id into v_id;
    v_after := v_after + v_most;
  end loop;
  return v_id;
end $$;

-- A seal over the transfers of a range, chained to the one before: kept elsewhere, it proves that nothing changed.
create or replace function duly.seal_of(p_after bigint, p_upto bigint, p_previous bytea) returns bytea language sql stable as $$
  select sha256(coalesce(p_previous, '') || coalesce(string_agg(sha256(convert_to(concat_ws('|', source_id, position,
      debit_account, credit_account, currency, amount_minor, posted_on), 'UTF8')), '' order by id), ''))
    from duly.transfers where id > p_after and id <= p_upto
$$;

-- Sum and seal what was marked and not summed yet, oldest first; returns how many roll-ups that were.
create or replace function duly.fill_roll_ups() returns integer language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  r duly.ledger_roll_ups;
  v_previous bytea;
  v_count integer := 0;
begin
  for r in select * from duly.ledger_roll_ups where seal is null order by id for no key update loop
    select seal into v_previous from duly.ledger_roll_ups where id < r.id order by id desc limit 1;
    insert into duly.ledger_day_sums (roll_up_id, ledger_account, currency, posted_on, debit_minor, credit_minor)
      select r.id, x.control_account, x.currency, x.posted_on, sum(x.debit_minor), sum(x.credit_minor)
        from duly.ledger_entries x where x.transfer_id > r.after_transfer_id and x.transfer_id <= r.upto_transfer_id
        group by x.control_account, x.currency, x.posted_on;
    update duly.ledger_roll_ups set previous_seal = v_previous,
        seal = duly.seal_of(r.after_transfer_id, r.upto_transfer_id, v_previous) where id = r.id;
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- Trial balance of a day: what each ledger account had been debited and credited by its end. Sums for what is rolled up,
-- transfers for the tail.
create or replace function duly.trial_balance(p_on date default 'infinity')
returns table (ledger_account text, currency text, debit_minor bigint, credit_minor bigint)
language sql stable security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select x.ledger_account, x.currency, sum(x.debit_minor)::bigint, sum(x.credit_minor)::bigint from (
      select s.ledger_account, s.currency, s.debit_minor, s.credit_minor
        from duly.ledger_day_sums s where s.posted_on <= p_on
      union all
      select e.control_account, e.currency, e.debit_minor, e.credit_minor from duly.ledger_entries e
        where e.posted_on <= p_on and e.transfer_id > (select coalesce(max(upto_transfer_id), 0)
          from duly.ledger_roll_ups where seal is not null)) x
    group by x.ledger_account, x.currency order by x.ledger_account, x.currency
$$;

-- What readers see: a transaction with its number and what is still open on it.

-- The invoices of an account that somebody still has to pay, earliest due first; also what was written off and is owed
-- again.
create or replace function duly.unsettled_invoices(p_account_id text)
returns table (transaction_id text, number text, due_on date, total_minor bigint, unsettled_minor bigint)
language sql stable security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select t.id, n.number, t.due_on, t.total_minor, i.amount_minor - i.allocated_minor
    from duly.open_items i
    join duly.financial_transactions t on t.id = i.transaction_id
    join duly.transaction_numbers n on n.transaction_id = t.id
    where i.account_id = p_account_id and i.side = 'debit' and i.allocated_minor < i.amount_minor
      and duly.is_payable(t)
    order by i.sort_on, i.account_version
$$;
