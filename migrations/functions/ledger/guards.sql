-- Guards: what holds whoever writes, the owner of the tables included. What was posted is never changed or deleted.

create or replace function duly.refuse_change() returns trigger language plpgsql as $$
begin
  -- What an account's owner was called is taken away from the changes of it (personal_data.sql); who made them stays.
  if tg_table_name = 'account_changes' and tg_op = 'UPDATE' then
    if new.changes = '{"erased": true}' and (new.id, new.account_id, new.actor, new.reason, new.changed_at)
        is not distinct from (old.id, old.account_id, old.actor, old.reason, old.changed_at) then
      return new;
    end if;
  end if;
  perform duly.refuse('append_only', 'append_only', jsonb_build_object('table', tg_table_name, 'operation', lower(tg_op)));
  return null;
end $$;

-- The least amount. An invoice may come to nothing, for what was given away or wholly discounted, and so its cancellation;
-- it moves no money, and is settled as soon as it is posted.
create or replace function duly.least_of(p_classification duly.classification) returns bigint language sql immutable parallel safe as $$
  select case when p_classification in ('invoice', 'invoice_cancellation') then 0 else 1 end
$$;

-- What a header must look like in each state and classification. One function keeps the rules at hand between statements,
-- which CHECKs do not (see types.sql).
create or replace function duly.guard_header() returns trigger language plpgsql as $$
declare
  v_broken text := case
    when new.total_minor not between duly.least_of(new.classification) and 9007199254740991 then 'amount_in_range'
    when length(new.idempotency_key) not between 1 and 200 or octet_length(new.request_hash) <> 32 then 'key_length'
    when (new.state in ('posted', 'cancelled', 'written_off')) <> (num_nonnulls(new.posted_at, new.posted_on,
      new.posted_xid, new.account_version, new.balance_after_minor) = 5) then 'posted_columns'
    when (new.state = 'rejected') <> (num_nonnulls(new.rejected_at, new.rejection_reason, new.rejected_by) = 3)
      then 'rejected_columns'
    when new.state = 'written_off' and new.classification <> 'invoice' then 'only_invoices_are_written_off'
    when new.state = 'cancelled' and new.classification not in ('invoice', 'payment')
      then 'only_invoices_and_payments_are_cancelled'
    when new.classification in ('write_off', 'invoice_cancellation', 'payment_cancellation') and new.state <> 'posted'
      then 'always_posted'
    when new.due_on is not null and new.classification <> 'invoice' then 'only_invoices_fall_due'
    when new.due_on is null and new.classification = 'invoice' and new.state not in ('draft', 'rejected')
      then 'posted_invoices_fall_due'
    when (new.classification in ('payment', 'refund')) <> (new.method is not null) then 'method_of_money'
    when new.provider is not null and new.method is null then 'method_of_money'
    when new.addressed_invoice_ids <> '{}' and new.classification not in ('payment', 'credit_note')
      then 'only_credits_address_invoices'
    when new.counterpart_id is null
      and new.classification in ('write_off', 'invoice_cancellation', 'payment_cancellation') then 'counterpart_given'
    when new.counterpart_id is not null and new.classification in ('credit_note', 'refund') then 'counterpart_given'
    when '' in (new.actor, new.back_office_code, new.gateway_reference) then 'text_not_empty' end;
begin
  if v_broken is not null then
    perform duly.refuse('append_only', v_broken,
      jsonb_build_object('transaction_id', new.id, 'classification', new.classification, 'state', new.state,
        'amount_minor', new.total_minor));
  end if;
  return new;
end $$;

-- The account of what is not posted; that of a posting is looked at with its open item.
create or replace function duly.guard_account() returns trigger language plpgsql as $$
begin
  perform from duly.accounts where id = new.account_id and currency = new.currency;
  if not found then
    perform duly.refuse('append_only', 'account_has_currency',
      jsonb_build_object('account_id', new.account_id, 'currency', new.currency));
  end if;
  return null;
end $$;

-- Drafts may be edited, posted or rejected; of what was posted only the state moves on, and only forward.
create or replace function duly.guard_transition() returns trigger language plpgsql as $$
declare
  v_same duly.financial_transactions := new;
begin
  if old.state = 'posted' and new.state in ('cancelled', 'written_off') then
    v_same.state := old.state;
    v_same.reference_number := old.reference_number; -- generated, hence not there yet
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

-- A cancellation, write-off, mirror or moved payment must be the exact counterpart of what it names.
create or replace function duly.guard_counterpart() returns trigger language plpgsql as $$
begin
  perform from duly.financial_transactions t
    where t.id = new.counterpart_id and t.currency = new.currency and case new.classification
      when 'invoice_cancellation' then t.classification = 'invoice'
        and (t.account_id, t.total_minor) = (new.account_id, new.total_minor)
      when 'payment_cancellation' then t.classification = 'payment'
        and (t.account_id, t.total_minor) = (new.account_id, new.total_minor)
      when 'write_off' then t.classification = 'invoice' and t.account_id = new.account_id
        and t.total_minor >= new.total_minor
      when 'invoice' then t.classification = 'write_off' and t.total_minor = new.total_minor
      when 'payment' then t.classification = 'payment' and t.total_minor = new.total_minor end;
  if not found then
    perform duly.refuse('append_only', 'counterpart_matches', jsonb_build_object('transaction_id', new.id));
  end if;
  return new;
end $$;

-- Lines belong to a draft, or to a header posted in this very transaction that has no open item yet.
create or replace function duly.guard_new_lines() returns trigger language plpgsql as $$
declare
  v_id text;
begin
  select n.transaction_id into v_id from (select distinct transaction_id from new_rows) n
    where (select t.state = 'draft' or (t.posted_xid = pg_current_xact_id()
          and (select true from duly.open_items i where i.transaction_id = t.id) is null)
        from duly.financial_transactions t where t.id = n.transaction_id) is not true
    limit 1;
  if found then
    perform duly.refuse('append_only', 'lines_of_posted', jsonb_build_object('transaction_id', v_id));
  end if;
  return null;
end $$;

create or replace function duly.guard_old_lines() returns trigger language plpgsql as $$
begin
  perform from duly.financial_transactions where id = old.transaction_id and state = 'draft';
  if not found then
    perform duly.refuse('append_only', 'lines_of_posted', jsonb_build_object('transaction_id', old.transaction_id));
  end if;
  return old;
end $$;

-- Transfers enter only in the transaction that posts their owner, and before its open item.
create or replace function duly.guard_new_transfers() returns trigger language plpgsql as $$
declare
  v_id text;
begin
  select n.source_id into v_id from (select distinct source_id from new_rows) n
    where coalesce((select t.posted_xid from duly.financial_transactions t where t.id = n.source_id),
      (select g.posted_xid from duly.gateway_bookings g where g.id = n.source_id),
      (select w.posted_xid from duly.wallet_transactions w where w.id = n.source_id),
      (select x.posted_xid from duly.voucher_transactions x where x.id = n.source_id)) = pg_current_xact_id() is not true
      or (select true from duly.open_items i where i.transaction_id = n.source_id)
    limit 1;
  if found then
    perform duly.refuse('append_only', 'late_transfer', jsonb_build_object('transaction_id', v_id));
  end if;
  return null;
end $$;

-- An open item enters in the transaction that posts its header, and closes it: by then the header must be whole. Its
-- transfers on its own account add up to its total, and so do its lines; nothing is added to either afterwards.
create or replace function duly.guard_new_open_items() returns trigger language plpgsql as $$
declare
  x record;
begin
  select n.transaction_id, w.belongs into x from new_rows n
    left join duly.financial_transactions t on t.id = n.transaction_id
    left join duly.accounts a on a.id = t.account_id
    cross join lateral (select n.allocated_minor = 0 and t.posted_xid = pg_current_xact_id() and a.currency = t.currency
      and (t.account_id, t.total_minor, t.account_version, duly.side_of(t.classification))
        = (n.account_id, n.amount_minor, n.account_version, n.side)) w (belongs)
    where w.belongs is not true
      or t.total_minor is distinct from (select coalesce(sum(f.amount_minor), 0) from duly.transfers f
        cross join lateral (values (case n.side when 'debit' then f.debit_account else f.credit_account end)) o (own)
        where f.source_id = t.id and substr(o.own, strpos(o.own, ':') + 1) = t.account_id)
      or (t.classification in ('invoice', 'credit_note', 'write_off', 'invoice_cancellation') and t.total_minor
        is distinct from (select sum(l.total_minor) from duly.transaction_lines l where l.transaction_id = t.id))
    limit 1;
  if found then
    perform duly.refuse('append_only', case when x.belongs then 'posting_is_complete' else 'late_open_item' end,
      jsonb_build_object('transaction_id', x.transaction_id));
  end if;
  return null;
end $$;

-- The allocated part of an item is moved by its allocations and by nothing else, so the two cannot differ. One allocation,
-- the usual case, is applied by key; many are summed first.
create or replace function duly.apply_allocations() returns trigger language plpgsql as $$
declare
  a record;
  v_items bigint;
  v_applied bigint;
begin
  select count(*) as all_rows, min(account_id) as account_id, min(credit_id) as credit_id, min(debit_id) as debit_id,
      min(amount_minor) as amount_minor into a from new_rows;
  -- A plan for no rows would stay, and be the wrong one for 20,000.
  if a.all_rows = 0 then return null; end if;
  if a.all_rows = 1 then
    v_items := 2;
    update duly.open_items i set allocated_minor = i.allocated_minor + a.amount_minor
      where i.transaction_id in (a.credit_id, a.debit_id) and i.account_id = a.account_id
        and i.side = case i.transaction_id when a.credit_id then 'credit'::duly.side else 'debit' end;
    get diagnostics v_applied = row_count;
    perform duly.note_top_ups_moved(array[a.debit_id]);
  else
    with moved as materialized (
        select account_id, credit_id as id, 'credit'::duly.side as side, sum(amount_minor) as amount_minor
          from new_rows group by account_id, credit_id
        union all
        select account_id, debit_id, 'debit', sum(amount_minor) from new_rows group by account_id, debit_id),
      applied as (
        update duly.open_items i set allocated_minor = i.allocated_minor + m.amount_minor from moved m
          where i.transaction_id = m.id and i.account_id = m.account_id and i.side = m.side returning 1)
      select (select count(*) from moved), (select count(*) from applied) into v_items, v_applied;
    perform duly.note_top_ups_moved(array(select n.debit_id from new_rows n));
  end if;
  if v_applied <> v_items then
    perform duly.refuse('append_only', 'allocation_within_account', '{}');
  end if;
  return null;
end $$;

create or replace function duly.undo_allocations() returns trigger language plpgsql as $$
begin
  -- A plan for no rows would stay, and be the wrong one for 20,000.
  if not exists (select from new_rows) then return null; end if;
  update duly.open_items i set allocated_minor = i.allocated_minor - s.amount_minor
    from (select x.id, sum(x.amount_minor) as amount_minor
            from new_rows n
            join duly.allocations a on a.id = n.allocation_id
            cross join lateral (values (a.credit_id, a.amount_minor), (a.debit_id, a.amount_minor)) x (id, amount_minor)
            group by x.id) s
    where i.transaction_id = s.id;
  perform duly.note_top_ups_moved(array(select a.debit_id from new_rows n join duly.allocations a on a.id = n.allocation_id));
  return null;
end $$;

-- At commit what is posted has its number, which implies its open item, which implies that it is whole.
create or replace function duly.guard_complete() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
begin
  perform from duly.transaction_numbers where transaction_id = new.id;
  if not found or new.posted_xid <> pg_current_xact_id() then
    perform duly.refuse('append_only', 'posting_is_complete', jsonb_build_object('transaction_id', new.id));
  end if;
  return null;
end $$;

-- What is tried out is never kept, whoever says so.
create or replace function duly.guard_kept_number() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform duly.refuse('append_only', 'posting_is_complete', jsonb_build_object('transaction_id', new.transaction_id));
  return null;
end $$;

-- Check what was tried out so far as its commit would, and go on. Deferred is the rest again: what is tried out next may need its time.
create or replace function duly.check_as_committed() returns void language plpgsql as $$
declare
  v_constraints text;
begin
  select string_agg(format('duly.%I', conname), ', ') into v_constraints from pg_constraint
    where connamespace = 'duly'::regnamespace and condeferrable and conname <> 'guard_kept_number';
  execute format('set constraints %s immediate', v_constraints);
  execute format('set constraints %s deferred', v_constraints);
end $$;
