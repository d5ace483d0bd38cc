-- Where a gateway's movement (Stripe's balance transaction) meets what the ledger has posted: its fee is booked here, and what
-- was converted into the currency of the gateway's balance. One way for what comes with the answer and for what comes later.

-- Expect a movement, in the commit that posts what it is of. A repeat changes nothing.
create or replace function duly.expect_movement(p_provider_id text, p_object text, p_kind text, p_account_id text,
    p_payment_id text, p_amount_minor bigint, p_currency text)
returns void language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.gateway_expectations (provider_id, object, kind, account_id, payment_id, amount_minor, currency, due_at, overdue_at)
    values (p_provider_id, p_object, p_kind, p_account_id, p_payment_id, p_amount_minor, p_currency,
        clock_timestamp() + case when p_kind in ('dispute', 'dispute_reversal') then interval '1 day' else interval '1 hour' end,
        clock_timestamp() + case when p_kind in ('dispute', 'dispute_reversal') then interval '7 days'
            -- What the platform's account has moved is read by the reconciliation of its day.
            when p_kind in ('application_fee', 'application_fee_refund', 'transfer', 'transfer_reversal') then interval '3 days' else interval '1 day' end)
    on conflict do nothing
$$;

-- Fulfil an expectation by its movement {reference, source, amount_minor, fee_minor, application_fee_minor, currency, moved_on}, once; false
-- when it was or there is none.
create or replace function duly.book_movement(p_provider_id text, p_object text, p_kind text, p_movement jsonb)
returns boolean language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    e duly.gateway_expectations;
begin
    -- What the ledger cannot express stays expected: the reconciliation of its day lists it.
    if not exists (select from duly.currencies where code = p_movement ->> 'currency') then return false; end if;
    if p_kind in ('dispute', 'dispute_reversal') then
        perform duly.lock_disputed(p_object);
        if not duly.book_disputed(p_provider_id, p_object, p_movement) then return false; end if;
        perform duly.settle_disputes(r) from duly.disputes d join duly.gateway_requests r on r.id = d.request_id where d.id = p_object;
        return true;
    end if;
    update duly.gateway_expectations set movement = p_movement ->> 'reference',
        settled_minor = (p_movement ->> 'amount_minor')::bigint, settled_currency = p_movement ->> 'currency',
        fee_minor = (p_movement ->> 'fee_minor')::bigint,
        application_fee_minor = coalesce((p_movement ->> 'application_fee_minor')::bigint, 0), fulfilled_at = clock_timestamp()
    where provider_id = p_provider_id and object = p_object and kind = p_kind and movement is null
    returning * into e;
    if not found then return false; end if;
    perform duly.book_fulfilled(e, p_movement);
    return true;
end $$;

-- Expect the movement of a charge that its answer has brought, and book it: one row, written once. What is expected already, or
-- cannot be booked, goes the two steps.
create or replace function duly.book_charged(p_provider_id text, p_object text, p_account_id text, p_payment_id text,
    p_amount_minor bigint, p_currency text, p_movement jsonb)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    e duly.gateway_expectations;
begin
    insert into duly.gateway_expectations (provider_id, object, kind, account_id, payment_id, amount_minor, currency, due_at,
        overdue_at, movement, settled_minor, settled_currency, fee_minor, application_fee_minor, fulfilled_at)
    select p_provider_id, p_object, 'charge', p_account_id, p_payment_id, p_amount_minor, p_currency,
        clock_timestamp() + interval '1 hour', clock_timestamp() + interval '1 day', p_movement ->> 'reference',
        (p_movement ->> 'amount_minor')::bigint, c.code, (p_movement ->> 'fee_minor')::bigint,
        coalesce((p_movement ->> 'application_fee_minor')::bigint, 0), clock_timestamp()
    from duly.currencies c where c.code = p_movement ->> 'currency'
    on conflict (provider_id, object, kind) do nothing returning * into e;
    if found then
        perform duly.book_fulfilled(e, p_movement);
    else
        perform duly.expect_movement(p_provider_id, p_object, 'charge', p_account_id, p_payment_id, p_amount_minor, p_currency);
        perform duly.book_movement(p_provider_id, p_object, 'charge', p_movement);
    end if;
end $$;

-- What a movement that has come says is booked: its fees, and what was converted.
create or replace function duly.book_fulfilled(e duly.gateway_expectations, p_movement jsonb)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if e.kind in ('application_fee', 'application_fee_refund') then
        perform duly.book_application_fee(e, (p_movement ->> 'moved_on')::date);
        if e.settled_currency = e.currency and e.settled_minor <> e.amount_minor then perform duly.note_other_amount(e); end if;
        return;
    end if;
    perform duly.book_fee(e.movement, e.provider_id, e.settled_currency, e.fee_minor - e.application_fee_minor, e.object,
        case when e.kind = 'charge' then e.payment_id end);
    if e.application_fee_minor <> 0 then
        perform duly.book_platform_fee(e, p_movement ->> 'source');
    end if;
    -- The gateway has moved another currency than the customer's: what was posted leaves clearing, and what moved comes. The
    -- rate is the gateway's; what the conversion account keeps in the end is the exchange difference.
    if e.settled_currency <> e.currency then
        perform duly.book_converted(e.movement, e.provider_id, e.currency, -e.amount_minor, e.object);
        perform duly.book_converted(e.movement, e.provider_id, e.settled_currency, e.settled_minor, e.object);
    elsif e.settled_minor <> e.amount_minor then
        perform duly.note_other_amount(e);
    end if;
end $$;

-- A movement in the currency that was posted has another amount: nobody here knows why, so that a person looks. The reconciliation
-- of its day finds the same discrepancy, and ends it when further movements of the object make up for it.
create or replace function duly.note_other_amount(e duly.gateway_expectations) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_id text;
begin
    v_id := duly.note_discrepancy(e.provider_id, 'differs', e.object, 'open', e.account_id, e.payment_id, abs(e.settled_minor),
        e.settled_currency, jsonb_build_object('movement', e.movement, 'kind', e.kind, 'amount_minor', e.settled_minor,
            'fee_minor', e.fee_minor, 'booked_minor', e.amount_minor, 'booked_fee_minor', e.fee_minor));
    perform duly.alert_of_discrepancies('movement/' || e.movement, p_id => v_id);
end $$;

-- What the gateway keeps for a movement, in the currency of its balance; it may give a fee back, or take none.
create or replace function duly.book_fee(p_movement text, p_provider_id text, p_currency text, p_fee_minor bigint, p_object text,
    p_payment_id text default null)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if coalesce(p_fee_minor, 0) <> 0 then
        perform duly.book_gateway_movement('movement:' || p_movement || ':fee',
            case when p_fee_minor > 0 then 'fee' else 'fee_refund' end, p_provider_id, p_currency, abs(p_fee_minor), p_object,
            p_payment_id => p_payment_id);
    end if;
end $$;

-- What clearing gains or, when it is negative, loses in one currency by the conversion account.
create or replace function duly.book_converted(p_movement text, p_provider_id text, p_currency text, p_amount_minor bigint, p_object text)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if p_amount_minor <> 0 then
        perform duly.book_gateway_movement('movement:' || p_movement || ':' || p_currency,
            case when p_amount_minor > 0 then 'converted_to' else 'converted_from' end, p_provider_id, p_currency,
            abs(p_amount_minor), p_object);
    end if;
end $$;

-- Book a page of a provider's list [{source, kind, reference, amount_minor, fee_minor, currency}]; return how many were expected.
create or replace function duly.book_movements(p_provider_id text, p_movements jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m record;
    v_booked integer := 0;
begin
    for m in
        select e.object, e.kind, x.movement from jsonb_array_elements(p_movements -> 'movements') x (movement)
        join duly.gateway_expectations e on e.provider_id = p_provider_id and e.object = x.movement ->> 'source'
            and e.kind = x.movement ->> 'kind' and e.movement is null
        order by e.object, e.kind
    loop
        v_booked := v_booked + duly.book_movement(p_provider_id, m.object, m.kind, m.movement)::integer;
    end loop;
    return v_booked;
end $$;

-- Movements that nobody waits for any more: a person has explained why the gateway does not show them.
create or replace function duly.explained_missing(p_provider_id text) returns table (object text, kind text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select d.object, substr(d.kind, 9) from duly.discrepancies d
    where d.provider_id = p_provider_id and d.kind like 'missing\_%' and d.state = 'resolved'
$$;

-- How far a provider's list has been read, the expectations that are open, the oldest of them, those that are overdue, movements
-- whose amount nobody has explained yet, and the first expectations that are due.
create or replace function duly.movements_wanted(p_provider_id text, p_limit integer) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object(
        'read_until', (select read_until from duly.movement_marks where provider_id = p_provider_id),
        'open', count(*),
        'oldest', min(e.expected_at),
        'overdue', count(*) filter (where e.overdue_at <= clock_timestamp()),
        'differing', (select count(*) from duly.discrepancies
            where provider_id = p_provider_id and kind = 'differs' and state = 'open'),
        'due', (select coalesce(jsonb_agg(jsonb_build_object('object', d.object, 'kind', d.kind)), '[]') from (
            select object, kind from duly.gateway_expectations
            where provider_id = p_provider_id and movement is null and due_at <= clock_timestamp()
              and (object, kind) not in (select x.object, x.kind from duly.explained_missing(p_provider_id) x)
              and kind not in ('application_fee', 'application_fee_refund', 'transfer', 'transfer_reversal')
            order by due_at limit p_limit) d))
    from duly.gateway_expectations e where e.provider_id = p_provider_id and e.movement is null
      and (e.object, e.kind) not in (select x.object, x.kind from duly.explained_missing(p_provider_id) x)
      and e.kind not in ('application_fee', 'application_fee_refund', 'transfer', 'transfer_reversal')
$$;

-- What was looked up and is not there yet is looked up again an hour later: others that are due have their turn before.
create or replace function duly.put_off_expectation(p_provider_id text, p_object text, p_kind text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_expectations set due_at = clock_timestamp() + interval '1 hour'
    where provider_id = p_provider_id and object = p_object and kind = p_kind and movement is null
$$;

create or replace function duly.note_movements_read(p_provider_id text, p_until timestamptz) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.movement_marks as m (provider_id, read_until) values (p_provider_id, p_until)
    on conflict (provider_id) do update set read_until = greatest(m.read_until, excluded.read_until)
$$;

-- Alert the operators of movements that should have come, once for each, with the first of them; return how many are new.
create or replace function duly.alert_overdue_movements(p_provider_id text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_objects text[];
begin
    with late as (
        update duly.gateway_expectations set alerted_at = clock_timestamp()
        where provider_id = p_provider_id and movement is null and overdue_at <= clock_timestamp() and alerted_at is null
        returning object, kind)
    select array_agg(kind || ' ' || object order by object, kind) into v_objects from late;
    if v_objects is null then return 0; end if;
    perform duly.write_message('movements_overdue', '', '', '', jsonb_build_object('type', p_provider_id,
        'failures', cardinality(v_objects), 'object', array_to_string(v_objects[:10], ', ')),
        p_provider_id || '/' || v_objects[1]);
    return cardinality(v_objects);
end $$;

-- The provider whose movements an event is about, when the event's object is one of ours.
create or replace function duly.movement_of_event(e duly.gateway_events) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array[e.provider_id] where duly.collection_of_event(e) is not null
        or exists (select from duly.gateway_expectations x where x.provider_id = e.provider_id and x.object = e.object_id)
$$;

-- Give the next page of what an older release has posted its expectations; return how many requests were looked at, 0 when
-- all have been. An old worker may post until its call of the older function ends: not before a minute after the upgrade.
create or replace function duly.expect_of_older_release(p_limit integer) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    b duly.expectation_backfill;
    v_last text;
    v_seen integer;
begin
    select * into b from duly.expectation_backfill where not is_done for update skip locked;
    if not found or (select functions_applied_at from duly.installation) > clock_timestamp() - interval '1 minute' then
        return 0;
    end if;
    with page as (
        select r.* from duly.gateway_requests r where r.id > b.after_request order by r.id limit p_limit),
    done as (
        select r.provider_id, coalesce(a.charge_reference, a.gateway_reference) as object, 'charge' as kind, r.account_id,
            a.payment_id, a.amount_minor, r.currency, a.finished_at as expected_at,
            (select g.idempotency_key from duly.gateway_bookings g
                where g.idempotency_key = 'fee:' || a.gateway_reference) as movement
        from page r join duly.gateway_attempts a on a.request_id = r.id and a.outcome = 'succeeded'
        where r.kind = 'payment'
        union all
        -- An older release posted a refund when the gateway had booked it, and read both of its movements with it.
        select r.provider_id, r.gateway_reference, x.kind, r.account_id, r.transaction_id, x.sign * r.amount_minor, r.currency,
            r.executed_at, 'refund:' || r.gateway_reference || ':' || x.kind
        from page r join (values ('refund', -1, '{posted,reversed}'::text[]), ('refund_failure', 1, '{reversed}')) x (kind, sign, states)
            on r.state = any (x.states)
        where r.of_request_id is not null and r.gateway_reference is not null),
    written as (
        insert into duly.gateway_expectations (provider_id, object, kind, account_id, payment_id, amount_minor, currency,
            expected_at, due_at, overdue_at, movement, fulfilled_at)
        select provider_id, object, kind, account_id, payment_id, amount_minor, currency, coalesce(expected_at, clock_timestamp()),
            clock_timestamp(), clock_timestamp() + interval '1 day', movement, case when movement is not null then clock_timestamp() end
        from done on conflict do nothing)
    select max(id), count(*) into v_last, v_seen from page;
    update duly.expectation_backfill set after_request = coalesce(v_last, after_request), is_done = v_seen < p_limit;
    return v_seen;
end $$;
