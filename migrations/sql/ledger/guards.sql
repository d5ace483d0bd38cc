-- Guards: what holds whoever writes, the owner of the tables included. What was posted is never changed or deleted.

create function duly.refuse_change() returns trigger language plpgsql as $$
begin
  perform duly.refuse('append_only', 'append_only', jsonb_build_object('table', tg_table_name, 'operation', lower(tg_op)));
  return null;
end $$;

create function duly.guard_transaction() returns trigger language plpgsql as $$
declare
  v_same duly.financial_transactions := new;
begin
  if old.state = 'posted' and new.state in ('cancelled', 'written_off') then
    v_same.state := old.state;
    if v_same is not distinct from old then return new; end if;
  elsif old.state = 'draft' and new.state in ('draft', 'posted', 'rejected')
    and (new.id, new.idempotency_key, new.request_hash, new.classification, new.currency, new.origin, new.actor,
         new.created_at)
      is not distinct from (old.id, old.idempotency_key, old.request_hash, old.classification, old.currency,
         old.origin, old.actor, old.created_at) then
    return new;
  end if;
  perform duly.refuse('append_only', 'state_transition',
    jsonb_build_object('transaction_id', old.id, 'state', old.state, 'new_state', new.state));
  return null;
end $$;

-- A cancellation, write-off or mirror must be the exact counterpart of what it names.
create function duly.guard_counterpart() returns trigger language plpgsql as $$
begin
  perform from duly.financial_transactions t
    where (t.id = new.cancels_id and new.classification = t.classification || '_cancellation'
           and (t.account_id, t.currency, t.total_minor) = (new.account_id, new.currency, new.total_minor))
       or (t.id = new.writes_off_id and t.classification = 'invoice'
           and (t.account_id, t.currency) = (new.account_id, new.currency) and t.total_minor >= new.total_minor)
       or (t.id = new.mirrors_id and t.classification = 'write_off'
           and (t.currency, t.total_minor) = (new.currency, new.total_minor))
       or (t.id = new.moved_from_id and t.classification = 'payment'
           and (t.currency, t.total_minor) = (new.currency, new.total_minor));
  if not found then
    perform duly.refuse('append_only', 'counterpart_matches', jsonb_build_object('transaction_id', new.id));
  end if;
  return new;
end $$;

-- Lines belong to a draft, or to a header posted in this very transaction.
create function duly.guard_new_lines() returns trigger language plpgsql as $$
declare
  v_id text;
begin
  select n.transaction_id into v_id from new_rows n
    left join duly.financial_transactions t on t.id = n.transaction_id
      and (t.state = 'draft' or t.posted_xid = pg_current_xact_id())
    where t.id is null limit 1;
  if found then
    perform duly.refuse('append_only', 'lines_of_posted', jsonb_build_object('transaction_id', v_id));
  end if;
  return null;
end $$;

create function duly.guard_old_lines() returns trigger language plpgsql as $$
begin
  perform from duly.financial_transactions where id = old.transaction_id and state = 'draft';
  if not found then
    perform duly.refuse('append_only', 'lines_of_posted', jsonb_build_object('transaction_id', old.transaction_id));
  end if;
  return old;
end $$;

-- Transfers and open items enter only in the transaction that posts their owner.
create function duly.guard_new_transfers() returns trigger language plpgsql as $$
declare
  v_id text;
begin
  select n.source_id into v_id from new_rows n
    left join duly.financial_transactions t on t.id = n.source_id and t.posted_xid = pg_current_xact_id()
    left join duly.gateway_bookings g on g.id = n.source_id and g.posted_xid = pg_current_xact_id()
    where t.id is null and g.id is null limit 1;
  if found then
    perform duly.refuse('append_only', 'late_transfer', jsonb_build_object('transaction_id', v_id));
  end if;
  return null;
end $$;

create function duly.guard_new_open_items() returns trigger language plpgsql as $$
declare
  v_id text;
begin
  select n.transaction_id into v_id from new_rows n
    left join duly.financial_transactions t on t.id = n.transaction_id and t.posted_xid = pg_current_xact_id()
      and (t.account_id, t.total_minor, t.account_version, duly.side_of(t.classification))
        = (n.account_id, n.amount_minor, n.account_version, n.side) and n.allocated_minor = 0
    where t.id is null limit 1;
  if found then
    perform duly.refuse('append_only', 'late_open_item', jsonb_build_object('transaction_id', v_id));
  end if;
  return null;
end $$;

-- The allocated part of an item is moved by its allocations and by nothing else, so the two cannot differ.
create function duly.apply_allocations() returns trigger language plpgsql as $$
declare
  v_found bigint;
  v_expected bigint;
begin
  update duly.open_items i set allocated_minor = i.allocated_minor + s.amount_minor
    from (select account_id, credit_id as id, 'credit' as side, sum(amount_minor) as amount_minor
            from new_rows group by account_id, credit_id
          union all
          select account_id, debit_id, 'debit', sum(amount_minor) from new_rows group by account_id, debit_id) s
    where i.transaction_id = s.id and i.account_id = s.account_id and i.side = s.side;
  get diagnostics v_found = row_count;
  select count(distinct credit_id) + count(distinct debit_id) into v_expected from new_rows;
  if v_found <> v_expected then
    perform duly.refuse('append_only', 'allocation_within_account', '{}');
  end if;
  return null;
end $$;

create function duly.undo_allocations() returns trigger language plpgsql as $$
begin
  update duly.open_items i set allocated_minor = i.allocated_minor - s.amount_minor
    from (select x.id, sum(x.amount_minor) as amount_minor
            from new_rows n
            join duly.allocations a on a.id = n.allocation_id
            cross join lateral (values (a.credit_id, a.amount_minor), (a.debit_id, a.amount_minor)) x (id, amount_minor)
            group by x.id) s
    where i.transaction_id = s.id;
  return null;
end $$;

-- At commit a posted header must be whole: its transfers, all on its account, and its lines add up to its total; its
-- item is open to allocation; it has its number.
-- It runs at commit, outside the function that posted, hence with the owner's rights of its own.
create function duly.guard_complete() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if new.posted_xid is distinct from pg_current_xact_id()
    or not exists (select from duly.open_items where transaction_id = new.id)
    or not exists (select from duly.transaction_numbers where transaction_id = new.id)
    or new.total_minor is distinct from (
      select sum(amount_minor) from duly.transfers where source_id = new.id and right(
        case duly.side_of(new.classification) when 'debit' then debit_account else credit_account end,
        length(new.account_id) + 1) = ':' || new.account_id)
    or (new.classification in ('invoice', 'credit_note', 'write_off', 'invoice_cancellation') and new.total_minor
      is distinct from (select sum(total_minor) from duly.transaction_lines where transaction_id = new.id)) then
    perform duly.refuse('append_only', 'posting_is_complete', jsonb_build_object('transaction_id', new.id));
  end if;
  return null;
end $$;
