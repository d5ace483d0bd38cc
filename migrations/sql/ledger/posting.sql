-- Posting: what turns a header into money moved. Everything here runs inside the functions of the other files, which hold
-- the account's lock.

create function duly.number_prefix(p_classification duly.classification) returns text language sql immutable parallel safe as $$
  select case p_classification
    when 'invoice' then 'INV' when 'credit_note' then 'CRN' when 'payment' then 'PAY' when 'refund' then 'REF'
    when 'write_off' then 'WRO' when 'invoice_cancellation' then 'ICN' when 'payment_cancellation' then 'PCN' end
$$;

-- Give the next numbers of a classification, in the order of the ids, and return the last one. Always the last step of
-- a posting: the lock is held from here to the commit, so that a number is never skipped and nobody waits for more than
-- a commit. An advisory lock queues better than a counter row does, and the highest number needs no counter.
create function duly.give_numbers(p_classification duly.classification, p_ids text[]) returns text language plpgsql as $$
declare
  v_prefix text := duly.number_prefix(p_classification) || '-';
  v_last bigint;
begin
  perform pg_advisory_xact_lock(hashtext('duly.transaction_numbers'), hashtext(v_prefix));
  select coalesce(substr(max(number), 5)::bigint, 0) into v_last from duly.transaction_numbers
    where number >= v_prefix and number < v_prefix || ':';
  insert into duly.transaction_numbers (number, transaction_id)
    select v_prefix || lpad((v_last + u.ordinality)::text, 10, '0'), u.id
      from unnest(p_ids) with ordinality u (id, ordinality);
  return v_prefix || lpad((v_last + cardinality(p_ids))::text, 10, '0');
end $$;

-- Move the balance and write into the header what only posting knows. Time never runs backwards on an account, whatever
-- the server's clock does.
create function duly.stamp(inout t duly.financial_transactions, p_time_zone text) language plpgsql as $$
begin
  update duly.account_balances b set
      balance_minor = b.balance_minor
        + case duly.side_of(t.classification) when 'debit' then t.total_minor else -t.total_minor end,
      version = b.version + 1,
      posted_at = greatest(clock_timestamp(), b.posted_at)
    where b.account_id = t.account_id
    returning b.balance_minor, b.version, b.posted_at into t.balance_after_minor, t.account_version, t.posted_at;
  t.state := 'posted';
  t.posted_xid := pg_current_xact_id();
  t.posted_on := coalesce(t.posted_on, (t.posted_at at time zone p_time_zone)::date);
end $$;

-- One transfer of the whole amount between the account and where the money is: at the gateway, or where its method keeps it.
-- The mirror of a write-off has no method; it stands against the allowance for bad debts.
create function duly.write_transfer(t duly.financial_transactions, a duly.accounts) returns void language plpgsql as $$
begin
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    select t.id, 1, case s.side when 'debit' then s.own else s.other end,
        case s.side when 'debit' then s.other else s.own end, t.currency, t.total_minor, t.posted_on
      from (select duly.side_of(t.classification), duly.ledger_account_of(a.kind, a.id),
        case when t.method is null then 'bad_debt_allowance' else coalesce('gateway_clearing:' || t.provider,
          (select m.ledger_account from duly.payment_methods m where m.id = t.method)) end) s (side, own, other);
end $$;

-- A cancellation turns the original's transfers round, each with its own amount.
create function duly.write_reversing_transfers(t duly.financial_transactions) returns void language sql as $$
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    select t.id, o.position, o.credit_account, o.debit_account, o.currency, o.amount_minor, t.posted_on
      from duly.transfers o where o.source_id = t.counterpart_id
$$;

create function duly.write_transfers(t duly.financial_transactions, a duly.accounts) returns void
language plpgsql as $$
begin
  if t.classification in ('invoice_cancellation', 'payment_cancellation') then
    perform duly.write_reversing_transfers(t);
  elsif t.method is not null or (t.classification = 'invoice' and t.counterpart_id is not null) then
    perform duly.write_transfer(t, a);
  else
    perform duly.write_line_transfers(duly.stored_lines(t.id));
  end if;
end $$;

-- What follows a posted header: transfers and its open item. Allocation and the number are the caller's next steps.
create function duly.book(t duly.financial_transactions, a duly.accounts) returns void language plpgsql as $$
begin
  perform duly.write_transfers(t, a);
  insert into duly.open_items (transaction_id, account_id, side, sort_on, account_version, amount_minor)
    values (t.id, t.account_id, duly.side_of(t.classification), coalesce(t.due_on, t.posted_on), t.account_version,
      t.total_minor);
end $$;
