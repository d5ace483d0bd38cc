-- What a bank takes for a dispute, and what it gives back. Each movement of the gateway is booked once, by its reference, into the
-- account of what is held; any number of them add up, whatever order they come in.

-- What is booked of a dispute so far, in the currency of its payment: taken by the bank, given back by it, cancelled of the payment,
-- and written off. What came back of the last two is taken from them.
create or replace function duly.dispute_sums(p_provider_id text, p_id text, out held bigint, out released bigint, out lost bigint,
    out written_off bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(sum(amount_minor) filter (where kind = 'dispute_held'), 0)::bigint,
        coalesce(sum(amount_minor) filter (where kind = 'dispute_released'), 0)::bigint,
        coalesce(sum(case kind when 'dispute_lost' then amount_minor when 'dispute_regained' then -amount_minor end), 0)::bigint,
        coalesce(sum(case kind when 'dispute_written_off' then amount_minor when 'dispute_written_back' then -amount_minor end), 0)::bigint
    from duly.gateway_bookings where gateway_reference = p_id and provider = p_provider_id
$$;

-- The accounts that a dispute's money concerns, locked in the order in which all lock.
create or replace function duly.lock_disputed(p_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.lock_accounts_of_payment(r.transaction_id, r.account_id)
    from duly.disputes d join duly.gateway_requests r on r.id = d.request_id where d.id = p_id
$$;

-- Whether a worker of release 0.1.0 has booked sums of a dispute: it is then known by its sums alone, and no movement of it by name.
create or replace function duly.is_booked_by_sums(p_provider_id text, p_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.gateway_bookings where gateway_reference = p_id and provider = p_provider_id
        and idempotency_key ~ '^dispute:[^:]+:(held|released)(:sum:[0-9]+)?$')
$$;

-- What a worker of release 0.1.0 says of a dispute's money: sums, in the currency of the payment. What they are above what is booked.
create or replace function duly.book_dispute(p_id text, p_provider_id text, p_currency text, p_payment_id text, p_withdrawn_minor bigint,
    p_reinstated_minor bigint, p_fee_minor bigint)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s record;
    v_fee bigint;
begin
    select * into s from duly.dispute_sums(p_provider_id, p_id);
    if p_withdrawn_minor > s.held then
        perform duly.book_gateway_movement('dispute:' || p_id || ':held' || case when s.held > 0 then ':sum:' || p_withdrawn_minor else '' end,
            'dispute_held', p_provider_id, p_currency, p_withdrawn_minor - s.held, p_id, p_payment_id => p_payment_id);
    end if;
    if p_reinstated_minor > s.released then
        perform duly.book_gateway_movement('dispute:' || p_id || ':released'
            || case when s.released > 0 then ':sum:' || p_reinstated_minor else '' end, 'dispute_released', p_provider_id, p_currency,
            p_reinstated_minor - s.released, p_id, p_payment_id => p_payment_id);
    end if;
    select coalesce(sum(case kind when 'fee' then amount_minor else -amount_minor end), 0) into v_fee
    from duly.gateway_bookings
    where gateway_reference = p_id and provider = p_provider_id and currency = p_currency and kind in ('fee', 'fee_refund');
    if p_fee_minor > v_fee then
        perform duly.book_gateway_fee('dispute:' || p_id || ':fee' || case when v_fee <> 0 then ':sum:' || p_fee_minor else '' end,
            p_provider_id, p_currency, p_fee_minor - v_fee, p_id);
    end if;
end $$;

-- Book a dispute's movements as the gateway lists them, and what is still to come.
create or replace function duly.move_disputed(p_id text, r duly.gateway_requests, p_payment_id text, p_has_turned boolean,
    p_withdrawn_minor bigint, p_reinstated_minor bigint, p_movements jsonb)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m record;
begin
    if duly.is_booked_by_sums(r.provider_id, p_id) then
        perform duly.book_dispute(p_id, r.provider_id, r.currency, p_payment_id, p_withdrawn_minor, p_reinstated_minor, (
            select coalesce(sum((x.movement ->> 'fee_minor')::bigint), 0)::bigint
            from jsonb_array_elements(p_movements -> 'movements') x (movement) where x.movement ->> 'currency' = r.currency));
        return;
    end if;
    for m in
        select x.movement, duly.kind_of_disputed(x.movement) as kind
        from jsonb_array_elements(p_movements -> 'movements') with ordinality x (movement, place) order by x.place
    loop
        perform duly.expect_movement(r.provider_id, p_id, m.kind, r.account_id, p_payment_id,
            case m.kind when 'dispute' then -1 else 1 end * (select amount_minor from duly.disputes where id = p_id), r.currency);
        perform duly.book_disputed(r.provider_id, p_id, m.movement);
    end loop;
    perform duly.expect_disputed(p_id, r, p_payment_id, p_has_turned);
end $$;

-- Whether a movement takes money for a dispute or gives it back: by its sign, for a reversal may be cancelled.
create or replace function duly.kind_of_disputed(p_movement jsonb) returns text language sql immutable as $$
    select case when (p_movement ->> 'amount_minor')::bigint <= 0 then 'dispute' else 'dispute_reversal' end
$$;

create or replace function duly.is_disputed_booked(p_provider_id text, p_id text, p_movement text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.gateway_expectations where provider_id = p_provider_id and movement = p_movement)
        or exists (select from duly.gateway_bookings
            where gateway_reference = p_id and provider = p_provider_id and (split_part(idempotency_key, ':', 4) = p_movement
                or idempotency_key like 'movement:%' and split_part(idempotency_key, ':', 2) = p_movement))
$$;

-- Book one movement of a dispute {reference, amount_minor, fee_minor, currency}; false when it was, or when nobody has read yet that
-- the bank moves in this direction. In another currency only a part of the dispute's amount moves with it, and the difference is the rate's.
create or replace function duly.book_disputed(p_provider_id text, p_id text, m jsonb) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    e duly.gateway_expectations;
    v_movement text := m ->> 'reference';
    v_amount bigint := (m ->> 'amount_minor')::bigint;
    v_is_taken boolean := duly.kind_of_disputed(m) = 'dispute';
    v_own bigint;
begin
    select * into e from duly.gateway_expectations
    where provider_id = p_provider_id and object = p_id and kind = duly.kind_of_disputed(m) for update;
    if not found or not exists (select from duly.currencies where code = m ->> 'currency') or duly.is_booked_by_sums(p_provider_id, p_id)
        or duly.is_disputed_booked(p_provider_id, p_id, v_movement) then
        return false;
    end if;
    v_own := case when m ->> 'currency' = e.currency then abs(v_amount) else duly.part_of_dispute(p_provider_id, p_id, v_amount) end;
    if v_own > 0 then
        perform duly.book_gateway_movement('dispute:' || p_id || case when v_is_taken then ':held:' else ':released:' end || v_movement,
            case when v_is_taken then 'dispute_held' else 'dispute_released' end, p_provider_id, e.currency, v_own, p_id,
            p_payment_id => e.payment_id);
    end if;
    if m ->> 'currency' <> e.currency then
        perform duly.book_converted(v_movement, p_provider_id, e.currency, case when v_is_taken then v_own else -v_own end, p_id);
        perform duly.book_converted(v_movement, p_provider_id, m ->> 'currency', v_amount, p_id);
    end if;
    perform duly.book_fee(v_movement, p_provider_id, m ->> 'currency', (m ->> 'fee_minor')::bigint, p_id);
    update duly.gateway_expectations x set movement = v_movement, fulfilled_at = clock_timestamp(),
        settled_currency = m ->> 'currency', settled_minor = v_amount + coalesce(x.settled_minor, 0),
        fee_minor = (m ->> 'fee_minor')::bigint + coalesce(x.fee_minor, 0),
        amount_minor = coalesce(nullif(case when v_is_taken then -s.held else s.released end, 0), x.amount_minor)
    from duly.dispute_sums(p_provider_id, p_id) s
    where x.provider_id = e.provider_id and x.object = e.object and x.kind = e.kind;
    return true;
end $$;

-- How much of a dispute's amount moves with a movement in another currency: the first takes all of it; a part that comes back, or
-- goes again, is in proportion to what the bank has taken in that currency. A twentieth is a matter of the rate.
create or replace function duly.part_of_dispute(p_provider_id text, p_id text, p_amount_minor bigint) returns bigint
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    d duly.disputes;
    s record;
    v_taken bigint;
    v_left bigint;
    v_part bigint;
begin
    select * into strict d from duly.disputes where id = p_id;
    select * into s from duly.dispute_sums(p_provider_id, p_id);
    select coalesce(-sum(settled_minor), 0) into v_taken from duly.gateway_expectations
    where provider_id = p_provider_id and object = p_id and (kind = 'dispute' or p_amount_minor > 0);
    v_left := greatest(case when p_amount_minor > 0 then s.held - s.released else d.amount_minor - s.held + s.released end, 0);
    if v_taken <= 0 or p_amount_minor > 0 and d.state = 'won' then return v_left; end if;
    v_part := round(abs(p_amount_minor) * case when p_amount_minor > 0 then v_left else s.held end::numeric / v_taken);
    return case when v_part * 20 >= v_left * 19 then v_left else v_part end;
end $$;

-- What the bank has still to move: all of it that was not taken of an open dispute or one that was lost, and all that stands of one
-- that was won. Nothing of it is waited for any more when the decision has turned.
create or replace function duly.expect_disputed(p_id text, r duly.gateway_requests, p_payment_id text, p_has_turned boolean)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.disputes;
    s record;
    v_is_waited boolean;
begin
    select * into strict d from duly.disputes where id = p_id;
    select * into s from duly.dispute_sums(r.provider_id, p_id);
    v_is_waited := d.state = 'lost' and (p_has_turned or exists (select from duly.gateway_expectations
        where provider_id = r.provider_id and object = p_id and kind = 'dispute' and movement is null));
    perform duly.expect_rest(p_id, r, p_payment_id, 'dispute', s.held, case
        when d.state in ('open', 'lost') and s.held = 0 then d.amount_minor
        when v_is_waited then greatest(d.amount_minor - s.held + s.released, 0) else 0 end);
    perform duly.expect_rest(p_id, r, p_payment_id, 'dispute_reversal', s.released,
        case when d.state = 'won' then greatest(s.held - s.released, 0) else 0 end);
end $$;

create or replace function duly.expect_rest(p_id text, r duly.gateway_requests, p_payment_id text, p_kind text, p_moved_minor bigint,
    p_rest_minor bigint)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_sign integer := case p_kind when 'dispute' then -1 else 1 end;
begin
    if p_rest_minor > 0 then
        perform duly.expect_movement(r.provider_id, p_id, p_kind, r.account_id, p_payment_id, v_sign * p_rest_minor, r.currency);
        update duly.gateway_expectations set amount_minor = v_sign * (p_moved_minor + p_rest_minor), movement = null, fulfilled_at = null,
            due_at = clock_timestamp() + interval '1 day', overdue_at = clock_timestamp() + interval '7 days', alerted_at = null
        where provider_id = r.provider_id and object = p_id and kind = p_kind
          and (abs(amount_minor) < p_moved_minor + p_rest_minor or movement is null and abs(amount_minor) <> p_moved_minor + p_rest_minor);
        return;
    end if;
    delete from duly.gateway_expectations
    where provider_id = r.provider_id and object = p_id and kind = p_kind and movement is null and settled_minor is null;
    -- The last movement of this direction fulfils it as before.
    update duly.gateway_expectations e set amount_minor = v_sign * p_moved_minor, fulfilled_at = clock_timestamp(), movement = (
        select split_part(b.idempotency_key, ':', 4) from duly.gateway_bookings b
        where b.gateway_reference = p_id and b.provider = r.provider_id
          and b.kind = case p_kind when 'dispute' then 'dispute_held' else 'dispute_released' end
        order by b.posted_at desc, b.id desc limit 1)
    where e.provider_id = r.provider_id and e.object = p_id and e.kind = p_kind and e.movement is null and p_moved_minor > 0;
end $$;
