-- Allocation: credits settle debits, at posting, by themselves (F99 to F107). models/allocation.py is the oracle.

-- FIFO over one account, the caller holding its lock: the earliest open credit settles the earliest due open debit, until
-- one of the two runs out. Reads no further than it settles.
create function duly.allocate_fifo(p_account_id text) returns void language plpgsql as $$
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
-- are laid end to end; every stretch between two ends belongs to one credit and one debit. Returns how many allocations it
-- made. A single account is cheaper to settle by the function above, which reads no further than it settles.
create function duly.allocate_open(p_account_ids text[]) returns bigint language plpgsql as $$
declare
  v_made bigint;
begin
  with items as materialized (
    select account_id, side, transaction_id, row_number() over o as place,
        (sum(amount_minor - allocated_minor) over o)::bigint as up_to
      from duly.open_items
      where account_id = any (p_account_ids) and allocated_minor < amount_minor
      window o as (partition by account_id, side order by sort_on, account_version)),
  ends as (
    select account_id, up_to, count(*) filter (where side = 'credit') as credits,
        count(*) filter (where side = 'debit') as debits
      from items group by account_id, up_to),
  stretches as (
    select account_id, up_to, up_to - coalesce(lag(up_to) over e, 0) as amount_minor,
        1 + coalesce(sum(credits) over before, 0)::bigint as credit_place,
        1 + coalesce(sum(debits) over before, 0)::bigint as debit_place
      from ends
      window e as (partition by account_id order by up_to),
        before as (e rows between unbounded preceding and 1 preceding))
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    select s.account_id, c.transaction_id, d.transaction_id, s.amount_minor
      from stretches s
      join items c on c.account_id = s.account_id and c.side = 'credit' and c.place = s.credit_place
      join items d on d.account_id = s.account_id and d.side = 'debit' and d.place = s.debit_place
      order by s.account_id, s.up_to;
  get diagnostics v_made = row_count;
  return v_made;
end $$;

-- Bulk FIFO, for whoever has brought many documents into the ledger: settle what can be settled on some accounts, in one
-- commit. Nothing happens where one side only is open, so that it is always safe to ask for.
create function duly.allocate_accounts(p_account_ids text[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_account_ids text[] := array(select distinct u.id from unnest(p_account_ids) u (id) order by 1);
begin
  perform duly.lock_accounts(v_account_ids);
  return duly.allocate_open(v_account_ids);
end $$;

create function duly.unsettled(p_transaction_id text) returns bigint language sql stable as $$
  select amount_minor - allocated_minor from duly.open_items where transaction_id = p_transaction_id
$$;

create function duly.allocate(p_account_id text, p_credit_id text, p_debit_id text, p_amount_minor bigint) returns void
language sql as $$
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    values (p_account_id, p_credit_id, p_debit_id, p_amount_minor)
$$;

-- Take back every allocation of a document, whichever side it is on.
create function duly.deallocate(p_transaction_id text) returns void language sql as $$
  insert into duly.deallocations (allocation_id)
    select id from duly.current_allocations where credit_id = p_transaction_id or debit_id = p_transaction_id
$$;

-- An invoice that somebody may still pay. A written-off one is owed again when a payment that it had is cancelled: the
-- write-off keeps its amount, and what the payment left is unsettled.
create function duly.is_payable(t duly.financial_transactions) returns boolean language sql stable as $$
  select t.classification = 'invoice'
    and (t.state = 'posted' or (t.state = 'written_off' and duly.unsettled(t.id) > 0))
$$;

-- Against item (F104, F106): the credit goes to the invoices it addresses, earliest due first. An invoice that others
-- settled already gives their allocations back, and the freed credits are allocated anew by the FIFO that follows. Of what
-- was written off or cancelled since, only what is unsettled is taken: the money is here and must go somewhere.
create function duly.allocate_addressed(p_credit duly.financial_transactions) returns void language plpgsql as $$
declare
  v_invoice record;
  v_left bigint := duly.unsettled(p_credit.id);
  v_amount bigint;
begin
  for v_invoice in
    select t.id, t.total_minor, t.state from duly.financial_transactions t
      join duly.open_items i on i.transaction_id = t.id
      where t.id = any (p_credit.addressed_invoice_ids) and t.account_id = p_credit.account_id
      order by i.sort_on, i.account_version
  loop
    exit when v_left = 0;
    if v_invoice.state = 'posted' and duly.unsettled(v_invoice.id) < least(v_left, v_invoice.total_minor) then
      perform duly.deallocate(v_invoice.id);
    end if;
    v_amount := least(v_left, duly.unsettled(v_invoice.id));
    continue when v_amount = 0;
    perform duly.allocate(p_credit.account_id, p_credit.id, v_invoice.id, v_amount);
    v_left := v_left - v_amount;
  end loop;
end $$;

-- FIFO for a document just posted. After every posting an account has open items on one side at most, so only the other
-- side can settle this one, and it is enough to walk along that side.
create function duly.allocate_new(t duly.financial_transactions) returns void language plpgsql as $$
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

create function duly.settle(t duly.financial_transactions) returns void language plpgsql as $$
begin
  if t.addressed_invoice_ids <> '{}'
    and (select allocation_principle from duly.definitions) = 'against_item_and_fifo' then
    perform duly.allocate_addressed(t);
    perform duly.allocate_fifo(t.account_id);
  else
    perform duly.allocate_new(t);
  end if;
end $$;
