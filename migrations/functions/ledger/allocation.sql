-- Allocation: credits settle debits at posting, first in, first out (F99 to F107). FIFO is duly.allocate_fifo.
-- tests/ledger/oracle/allocation.py states the same rules; the tests compare the two.

-- FIFO over one account, the caller holding its lock: the earliest open credit settles the earliest due open debit, until
-- one of the two runs out. Reads no further than it settles.
create or replace function duly.allocate_fifo(p_account_id text) returns void language plpgsql as $$
declare
  v_credits cursor for select transaction_id, amount_minor - allocated_minor as open_minor from duly.open_items
    where account_id = p_account_id and side = 'credit' and allocated_minor < amount_minor
    order by sort_on, account_version;
  v_debits cursor for select transaction_id, amount_minor - allocated_minor as open_minor from duly.open_items
    where account_id = p_account_id and side = 'debit' and allocated_minor < amount_minor
    order by sort_on, account_version;
  c record;
  d record;
  v_amount bigint;
  v_credit_ids text[];
  v_debit_ids text[];
  v_amounts bigint[];
begin
  open v_credits;
  fetch v_credits into c;
  if c.transaction_id is null then close v_credits; return; end if;
  open v_debits;
  fetch v_debits into d;
  while c.transaction_id is not null and d.transaction_id is not null loop
    v_amount := least(c.open_minor, d.open_minor);
    v_credit_ids := v_credit_ids || c.transaction_id;
    v_debit_ids := v_debit_ids || d.transaction_id;
    v_amounts := v_amounts || v_amount;
    c.open_minor := c.open_minor - v_amount;
    d.open_minor := d.open_minor - v_amount;
    if c.open_minor = 0 then fetch v_credits into c; end if;
    if d.open_minor = 0 then fetch v_debits into d; end if;
  end loop;
  close v_credits;
  close v_debits;
  if v_amounts is not null then
    insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
      select p_account_id, u.credit_id, u.debit_id, u.amount_minor
        from unnest(v_credit_ids, v_debit_ids, v_amounts) u (credit_id, debit_id, amount_minor);
  end if;
end $$;

-- FIFO over many accounts whose locks the caller holds, by one statement. On each account the open amounts of either side
-- are laid end to end; the stretch up to an end belongs to the first credit and the first debit that reach that far: the
-- least of `reached`, whose digits sort as the number does. Of two that end together one has a stretch of nothing. By
-- windows of one order alone: a join of sets that the planner cannot estimate would cost their product. Returns how many
-- allocations it made. A single account is cheaper to settle by the function above, which reads no further than it settles.
create or replace function duly.allocate_open(p_account_ids text[]) returns bigint language plpgsql as $$
declare
  v_made bigint;
begin
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    select s.account_id, s.credit_id, s.debit_id, s.amount_minor
      from (
        select e.account_id, e.up_to, e.up_to - coalesce(lead(e.up_to) over farther, 0) as amount_minor,
            substr(min(e.reached) filter (where e.side = 'credit') over farther, 20) as credit_id,
            substr(min(e.reached) filter (where e.side = 'debit') over farther, 20) as debit_id
          from (
            select i.account_id, i.side, i.up_to, lpad(i.up_to::text, 19, '0') || i.transaction_id as reached
              from (
                select account_id, side, transaction_id, (sum(amount_minor - allocated_minor) over (
                    partition by account_id, side order by sort_on, account_version))::bigint as up_to
                  from duly.open_items
                  where account_id = any (p_account_ids) and allocated_minor < amount_minor) i) e
          window farther as (partition by e.account_id order by e.up_to desc)) s
      where s.amount_minor > 0 and s.credit_id is not null and s.debit_id is not null
      order by s.account_id, s.up_to;
  get diagnostics v_made = row_count;
  return v_made;
end $$;

-- Bulk FIFO, for whoever has brought many documents into the ledger: settle what can be settled on some accounts, in one
-- commit. Nothing happens where one side only is open, so that it is always safe to ask for.
create or replace function duly.allocate_accounts(p_account_ids text[]) returns bigint
language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  v_account_ids text[] := array(select distinct u.id from unnest(p_account_ids) u (id) order by 1);
begin
  perform duly.lock_accounts(v_account_ids);
  return duly.allocate_open(v_account_ids);
end $$;

create or replace function duly.unsettled(p_transaction_id text) returns bigint language sql stable as $$
  select amount_minor - allocated_minor from duly.open_items where transaction_id = p_transaction_id
$$;

create or replace function duly.allocate(p_account_id text, p_credit_id text, p_debit_id text, p_amount_minor bigint) returns void
language sql as $$
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    select p_account_id, p_credit_id, p_debit_id, p_amount_minor where p_amount_minor > 0
$$;

-- Take back every allocation of some documents, whichever side they are on. Each is looked up by itself whether it was taken
-- back before: a join, planned while few had been, would read all that this statement writes again for each.
create or replace function duly.deallocate_all(p_transaction_ids text[]) returns void language sql as $$
  insert into duly.deallocations (allocation_id)
    select a.id from duly.allocations a
      where (a.credit_id = any (p_transaction_ids) or a.debit_id = any (p_transaction_ids))
        and (select true from duly.deallocations d where d.allocation_id = a.id) is null
$$;

create or replace function duly.deallocate(p_transaction_id text) returns void language sql as $$
  select duly.deallocate_all(array[p_transaction_id])
$$;

-- An invoice that somebody may still pay. A written-off one is owed again when a payment that it had is cancelled: the
-- write-off keeps its amount, and what the payment left is unsettled.
create or replace function duly.is_payable(t duly.financial_transactions) returns boolean language sql stable as $$
  select t.classification = 'invoice'
    and (t.state = 'posted' or (t.state = 'written_off' and duly.unsettled(t.id) > 0))
$$;

-- Against item (F104, F106): what is open of the invoices that a credit addresses is settled first, earliest due first. What
-- is left of it then goes to those that others had settled already, and takes no more from them than it brings: the credit
-- that came last gives way first, and is allocated anew by the FIFO that follows. So an invoice that is paid once more stays
-- as settled as it was. Of what was written off or cancelled since, only what is unsettled is taken: the money is here and
-- must go somewhere. By one statement each, however many invoices there are: a payment of 20,000 is booked within a second.
create or replace function duly.allocate_addressed(p_credit duly.financial_transactions) returns void language plpgsql as $$
declare
  v_credit bigint := duly.unsettled(p_credit.id);
  v_settled_ids text[];
begin
  if cardinality(p_credit.addressed_invoice_ids) = 1 then
    -- Most credits address one invoice, which is open: there is nothing to put in order.
    insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
      select i.account_id, p_credit.id, i.transaction_id, least(i.amount_minor - i.allocated_minor, v_credit)
        from duly.open_items i where i.transaction_id = p_credit.addressed_invoice_ids[1] and i.account_id = p_credit.account_id
          and i.allocated_minor < i.amount_minor and v_credit > 0;
    if found then return; end if;
  end if;
  -- Each by its id: a join may read all that the account has for each of its invoices.
  v_settled_ids := array(select i.transaction_id from duly.open_items i
    where i.transaction_id = any (p_credit.addressed_invoice_ids) and i.account_id = p_credit.account_id
      and i.allocated_minor = i.amount_minor and i.amount_minor > 0
      and (select t.state from duly.financial_transactions t where t.id = i.transaction_id) = 'posted');
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    select p_credit.account_id, p_credit.id, x.transaction_id, least(x.open_minor, v_credit - x.up_to + x.open_minor)
      from (select i.transaction_id, o.open_minor,
            (sum(o.open_minor) over (order by i.sort_on, i.account_version))::bigint as up_to
          from duly.open_items i
          cross join lateral (values (i.amount_minor - i.allocated_minor)) o (open_minor)
          where i.transaction_id = any (p_credit.addressed_invoice_ids) and i.account_id = p_credit.account_id
            and o.open_minor > 0) x
      where x.up_to - x.open_minor < v_credit;
  if v_settled_ids <> '{}' then perform duly.displace(p_credit, duly.unsettled(p_credit.id), v_settled_ids); end if;
end $$;

-- Settle invoices with a credit instead of those that have settled them, as far as it goes: the last one in part.
create or replace function duly.displace(p_credit duly.financial_transactions, p_left bigint, p_invoice_ids text[])
returns void language plpgsql as $$
declare
  v_ids text[];
  v_amounts bigint[];
  v_whole_ids text[];
  v_part_id text;
  v_taken_back bigint[];
  v_kept_credits text[];
  v_kept_debits text[];
  v_kept_amounts bigint[];
begin
  select array_agg(x.transaction_id), array_agg(x.amount_minor),
      array_agg(x.transaction_id) filter (where x.amount_minor = x.total_minor), max(x.transaction_id) filter (where x.amount_minor < x.total_minor)
    into v_ids, v_amounts, v_whole_ids, v_part_id
    from (select y.transaction_id, y.amount_minor as total_minor, least(y.amount_minor, p_left - y.up_to + y.amount_minor) as amount_minor
        from (select i.transaction_id, i.amount_minor,
              (sum(i.amount_minor) over (order by i.sort_on, i.account_version))::bigint as up_to
            from duly.open_items i where i.transaction_id = any (p_invoice_ids)) y
        where y.up_to - y.amount_minor < p_left) x;
  if v_ids is null then return; end if;
  if v_whole_ids is not null then perform duly.deallocate_all(v_whole_ids); end if;
  select array_agg(x.id), array_agg(x.credit_id) filter (where x.kept_minor > 0),
      array_agg(x.debit_id) filter (where x.kept_minor > 0), array_agg(x.kept_minor) filter (where x.kept_minor > 0)
    into v_taken_back, v_kept_credits, v_kept_debits, v_kept_amounts
    from (select y.id, y.credit_id, y.debit_id, y.amount_minor, greatest(0, y.amount_minor - greatest(0, y.up_to - y.room)) as kept_minor
        from (select a.id, a.credit_id, a.debit_id, a.amount_minor, d.amount_minor - u.amount_minor as room,
              (sum(a.amount_minor) over (partition by a.debit_id order by c.sort_on, c.account_version, a.id))::bigint as up_to
            from unnest(v_ids, v_amounts) u (id, amount_minor)
            join duly.open_items d on d.transaction_id = u.id
            join duly.allocations a on a.debit_id = u.id
            join duly.open_items c on c.transaction_id = a.credit_id
            where u.id = v_part_id and (select true from duly.deallocations e where e.allocation_id = a.id) is null) y) x
    where x.kept_minor < x.amount_minor;
  insert into duly.deallocations (allocation_id) select u.id from unnest(v_taken_back) u (id);
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    select p_credit.account_id, u.credit_id, u.debit_id, u.amount_minor
      from unnest(v_kept_credits, v_kept_debits, v_kept_amounts) u (credit_id, debit_id, amount_minor)
    union all select p_credit.account_id, p_credit.id, u.id, u.amount_minor from unnest(v_ids, v_amounts) u (id, amount_minor);
end $$;

-- FIFO for a document just posted. After every posting an account has open items on one side at most, so only the other
-- side can settle this one, and it is enough to walk along that side.
create or replace function duly.allocate_new(t duly.financial_transactions) returns void language plpgsql as $$
declare
  v_side duly.side := duly.side_of(t.classification);
  v_left bigint := t.total_minor;
  v_amount bigint;
  v_ids text[];
  v_amounts bigint[];
  i record;
begin
  for i in select transaction_id, amount_minor - allocated_minor as open_minor from duly.open_items
    where account_id = t.account_id and side = case v_side when 'debit' then 'credit'::duly.side else 'debit' end
      and allocated_minor < amount_minor
    order by sort_on, account_version
  loop
    v_amount := least(v_left, i.open_minor);
    v_ids := v_ids || i.transaction_id;
    v_amounts := v_amounts || v_amount;
    v_left := v_left - v_amount;
    exit when v_left = 0;
  end loop;
  if v_ids is not null then
    insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
      select t.account_id, case v_side when 'debit' then u.id else t.id end,
          case v_side when 'debit' then t.id else u.id end, u.amount_minor
        from unnest(v_ids, v_amounts) u (id, amount_minor);
  end if;
end $$;

-- Whether the account, before this posting, stood on its other side: only then is something there to settle, for a balance
-- is what is open.
create or replace function duly.meets_other_side(t duly.financial_transactions) returns boolean
language sql immutable parallel safe as $$
  select case duly.side_of(t.classification) when 'debit' then t.balance_after_minor < t.total_minor
    else t.balance_after_minor > -t.total_minor end
$$;

create or replace function duly.settle(t duly.financial_transactions) returns void language plpgsql as $$
begin
  if t.classification = 'payment' and t.addressed_invoice_ids <> '{}' then perform duly.alert_of_written_off(t); end if;
  if t.classification = 'payment' and t.addressed_invoice_ids = '{}' and duly.fund_wallet(t) then
    perform duly.allocate_fifo(t.account_id);
  elsif t.addressed_invoice_ids <> '{}'
    and (select allocation_principle from duly.definitions) = 'against_item_and_fifo' then
    perform duly.allocate_addressed(t);
    -- What it names it pays, whatever its type: a run that charges a card for an invoice would charge it again.
    if t.classification = 'payment' then perform duly.fund_wallet(t); end if;
    perform duly.allocate_fifo(t.account_id);
  elsif t.classification = 'refund' and duly.promotional_credit(t.account_id) > 0 then
    perform duly.allocate_refund(t);
  elsif duly.meets_other_side(t) then
    perform duly.allocate_new(t);
  end if;
end $$;
