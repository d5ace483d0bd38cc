-- Bills (F162, X56 to X58): what the system has invoiced and credited on an account since the bill before, with the balance that was
-- brought forward. A bill is what it was when it was made; whether it is settled is computed from its invoices.

create or replace function duly.part_of_bill(t duly.financial_transactions, p_starts_on date, p_is_first boolean) returns text
language sql immutable as $$
  select case when p_is_first and t.posted_on < p_starts_on then 'before'
    when t.classification in ('invoice', 'credit_note') and t.origin = 'system' and t.counterpart_id is null then 'document'
    else 'between' end
$$;

-- What a bill is above, or null: the limit of its currency for what is billed, or the account's credit limit for what is owed.
create or replace function duly.exceeded_by(a duly.accounts, p_billed_minor bigint, p_outstanding_minor bigint) returns bigint
language sql stable as $$
  select case when p_billed_minor > l.limit_minor then l.limit_minor
    when p_outstanding_minor > a.credit_limit_minor then a.credit_limit_minor end
  from (values (1)) one (x) left join duly.bill_limits l on l.currency = a.currency
$$;

-- Make the bill of an account, whose lock the caller holds, of what was posted up to a day (null: all); null when nothing was.
create or replace function duly.write_bill(a duly.accounts, p_period text, p_until date, p_run_id text, p_actor text) returns text
language plpgsql as $$
declare
  v_starts_on date := (p_period || '-01')::date;
  b duly.account_bills;
  v_id text := 'bill_' || nextval('duly.account_bill_ids');
  v_last duly.account_bills;
  s record;
  v_outstanding bigint;
begin
  select * into v_last from duly.account_bills where account_id = a.id order by period desc limit 1;
  if v_last.period > p_period then
    perform duly.refuse('prerequisite', 'bill_after_the_last',
      jsonb_build_object('account_id', a.id, 'period', p_period, 'last', v_last.period));
  end if;
  select coalesce(sum(x.signed_minor) filter (where x.part = 'before'), 0)::bigint as before_minor,
      coalesce(sum(x.total_minor) filter (where x.part = 'between' and x.side = 'debit'), 0)::bigint as debited_minor,
      coalesce(sum(x.total_minor) filter (where x.part = 'between' and x.side = 'credit'), 0)::bigint as credited_minor,
      coalesce(sum(x.total_minor) filter (where x.part = 'document' and x.side = 'debit'), 0)::bigint as invoiced_minor,
      coalesce(sum(x.total_minor) filter (where x.part = 'document' and x.side = 'credit'), 0)::bigint as noted_minor,
      array_agg(x.id) as ids, array_agg(x.part) as parts
    into s
    from (select t.id, t.total_minor, duly.side_of(t.classification) as side,
          case duly.side_of(t.classification) when 'debit' then t.total_minor else -t.total_minor end as signed_minor,
          duly.part_of_bill(t, v_starts_on, v_last.id is null) as part
        from duly.financial_transactions t
        where t.account_id = a.id and t.account_version is not null and (p_until is null or t.posted_on <= p_until)
          and not exists (select from duly.bill_entries e where e.transaction_id = t.id)) x;
  if s.ids is null and coalesce(v_last.outstanding_minor, 0) = 0 then return null; end if;
  v_outstanding := coalesce(v_last.outstanding_minor, s.before_minor) + s.debited_minor - s.credited_minor
    + s.invoiced_minor - s.noted_minor;
  insert into duly.account_bills (id, account_id, currency, period, starts_on, ends_on, brought_forward_minor, debited_minor,
      credited_minor, invoiced_minor, credit_notes_minor, outstanding_minor, is_exceptional, exceeded_minor, run_id, actor)
    select v_id, a.id, a.currency, p_period, v_starts_on, (v_starts_on + interval '1 month - 1 day')::date,
        coalesce(v_last.outstanding_minor, s.before_minor), s.debited_minor, s.credited_minor, s.invoiced_minor, s.noted_minor,
        v_outstanding, x.exceeded is not null, x.exceeded, p_run_id, p_actor
      from duly.exceeded_by(a, s.invoiced_minor - s.noted_minor, v_outstanding) x (exceeded)
    returning * into b;
  insert into duly.bill_entries (transaction_id, bill_id, part) select u.id, b.id, u.part from unnest(s.ids, s.parts) u (id, part);
  -- One that exceeds a limit waits for whoever looks at it and presents it.
  if not b.is_exceptional then perform duly.write_bill_message(b); end if;
  return b.id;
end $$;

-- Make the bill of one account for a period: of what was posted up to its end. Asking again answers the same bill.
create or replace function duly.make_bill(p_account_id text, p_period text, p_actor text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a duly.accounts := duly.lock_account(p_account_id);
  v_id text := (select id from duly.account_bills where account_id = p_account_id and period = p_period);
begin
  if v_id is not null then return v_id; end if;
  if a.kind <> 'customer' then
    perform duly.refuse('prerequisite', 'account_takes_documents', jsonb_build_object('account_id', a.id));
  end if;
  -- No bill comes after one of a later month, so that a year mistyped would be the account's last bill.
  if (p_period || '-01')::date > (clock_timestamp() at time zone a.time_zone)::date then
    perform duly.refuse('prerequisite', 'period_has_begun', jsonb_build_object('period', p_period));
  end if;
  v_id := duly.write_bill(a, p_period, ((p_period || '-01')::date + interval '1 month - 1 day')::date, null, p_actor);
  if v_id is null then
    perform duly.refuse('prerequisite', 'something_to_bill', jsonb_build_object('account_id', a.id, 'period', p_period));
  end if;
  return v_id;
end $$;

-- Make the bills of the next accounts that a billing run has billed, in one commit; the last account of the page, or null at the end. Who
-- has a bill of the period has it already, so that a run may ask again.
create or replace function duly.make_bills_of_run(p_run_id text, p_after text, p_limit integer) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_period text;
  v_ids text[];
begin
  select period into v_period from duly.process_runs where id = p_run_id and kind = 'billing' and period ~ '^[0-9]{4}-[0-9]{2}$';
  if v_period is null then return null; end if;
  -- A run may bill a month that has not begun; its bills are made by `bills make` once it has, or nothing earlier could have one.
  if (v_period || '-01')::date > ((clock_timestamp() + interval '14 hours') at time zone 'UTC')::date then return null; end if;
  v_ids := array(select distinct i.account_id from duly.run_items i where i.run_id = p_run_id and i.outcome = 'billed'
    and i.account_id > p_after order by 1 limit p_limit);
  perform duly.lock_accounts(v_ids);
  perform duly.write_bill(a, v_period, null, p_run_id, 'system') from duly.accounts a
    where a.id = any (v_ids) and not exists (select from duly.account_bills b where b.account_id = a.id and b.period >= v_period);
  return (select max(u.id) from unnest(v_ids) u (id));
end $$;

-- Pay what is unsettled of a bill's invoices, all of it (X57, F85 to F87).
create or replace function duly.pay_bill(p_key text, p_bill_id text, p_method text, p_posted_on date default null,
  p_payment_reference text default null, p_actor text default 'system') returns duly.receipt
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  b duly.account_bills;
  v_before text;
  v_ids text[];
  v_amount bigint;
  t duly.financial_transactions;
begin
  select * into b from duly.account_bills where id = p_bill_id;
  if b.id is null then perform duly.refuse('prerequisite', 'bill_exists', jsonb_build_object('bill', p_bill_id)); end if;
  perform duly.lock_account(b.account_id);
  t.idempotency_key := p_key;
  t.request_hash := duly.request_hash('pay_bill', p_bill_id, p_method, p_posted_on::text, p_payment_reference);
  v_before := duly.made_before(t.idempotency_key, t.request_hash);
  if v_before is not null then return duly.receipt_of(v_before); end if;
  select array_agg(x.id), sum(x.unsettled_minor)::bigint into v_ids, v_amount from duly.unsettled_of_bill(b.id) x;
  if v_ids is null then perform duly.refuse('prerequisite', 'bill_unsettled', jsonb_build_object('bill', b.number)); end if;
  t.classification := 'payment';
  t.account_id := b.account_id;
  t.currency := b.currency;
  t.total_minor := v_amount;
  t.method := p_method;
  t.posted_on := p_posted_on;
  t.payment_reference := p_payment_reference;
  t.addressed_invoice_ids := v_ids;
  t.origin := 'user';
  t.actor := p_actor;
  return duly.create_transaction(t, false);
end $$;

-- The invoices of a bill of which something is unsettled.
create or replace function duly.unsettled_of_bill(p_bill_id text) returns table (id text, unsettled_minor bigint) language sql stable
security definer set search_path = pg_catalog, pg_temp as $$
  select t.id, i.amount_minor - i.allocated_minor
    from duly.bill_entries e join duly.financial_transactions t on t.id = e.transaction_id
    join duly.open_items i on i.transaction_id = t.id
    where e.bill_id = p_bill_id and e.part = 'document' and i.side = 'debit' and i.allocated_minor < i.amount_minor
      and duly.is_payable(t) order by i.sort_on, i.account_version
$$;

create or replace function duly.bill_limit(p_currency text, p_limit_minor bigint, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform duly.require_who_and_why(p_actor, p_reason);
  perform set_config('duly.actor', p_actor, true), set_config('duly.reason', p_reason, true);
  if not exists (select from duly.currencies where code = p_currency) then
    perform duly.refuse('input', 'currency_exists', jsonb_build_object('currency', p_currency));
  end if;
  if p_limit_minor is null then
    delete from duly.bill_limits where currency = p_currency;
  else
    insert into duly.bill_limits (currency, limit_minor) values (p_currency, p_limit_minor)
      on conflict (currency) do update set limit_minor = excluded.limit_minor;
  end if;
end $$;

-- Where a bill stands: posted when it was made, and from then on as its last step says.
create or replace function duly.bill_state(p_bill_id text) returns text language sql stable as $$
  select coalesce((select s.state from duly.bill_presentations s where s.bill_id = p_bill_id order by s.id desc limit 1), 'posted')
$$;

-- Take a bill one step on (X57): posted or rejected to presented, presented to confirmed or rejected. The step at which it stands
-- already changes nothing. Returns where it stood before.
create or replace function duly.present_bill(p_bill_id text, p_state text, p_actor text, p_reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_was text;
begin
  perform duly.require_who_and_why(p_actor, p_reason);
  perform from duly.account_bills where id = p_bill_id for no key update;
  if not found then perform duly.refuse('prerequisite', 'bill_exists', jsonb_build_object('bill', p_bill_id)); end if;
  v_was := duly.bill_state(p_bill_id);
  if v_was <> p_state then
    if (v_was, p_state) not in (('posted', 'presented'), ('rejected', 'presented'), ('presented', 'confirmed'), ('presented', 'rejected')) then
      perform duly.refuse('prerequisite', 'bill_steps', jsonb_build_object('bill', p_bill_id, 'was', v_was, 'state', p_state));
    end if;
    insert into duly.bill_presentations (bill_id, state, actor, reason) values (p_bill_id, p_state, p_actor, p_reason);
    if p_state = 'presented' then perform duly.write_bill_message(b) from duly.account_bills b where b.id = p_bill_id; end if;
  end if;
  return v_was;
end $$;
