-- An object of the gateway that an event names and nobody here has requested: looked at at once, not on the next day.

-- An object's movement, locked; as it will be, where the gateway has not listed it yet.
create or replace function duly.movement_of_found(p_provider_id text, p_kind text, p_found jsonb) returns duly.gateway_movements
language plpgsql as $$
declare
    m duly.gateway_movements;
begin
    perform duly.lock_movements_of(p_provider_id, p_found ->> 'id');
    select * into m from duly.gateway_movements
    where provider_id = p_provider_id and source = p_found ->> 'id' and kind = p_kind order by state = 'open' desc limit 1;
    if m.id is null then
        m.provider_id := p_provider_id;
        m.source := p_found ->> 'id';
        m.kind := p_kind;
        m.amount_minor := (p_found ->> 'amount_minor')::bigint * case p_kind when 'refund' then -1 else 1 end;
        m.fee_minor := 0;
        m.currency := p_found ->> 'currency';
    end if;
    return m;
end $$;

-- A rule refuses to book what has moved: it is listed with the rule, and nothing else waits for it. Without a movement's id
-- it is an object that an event has named.
create or replace function duly.note_refused(p_provider_id text, p_movement_id text, p_kind text, p_found jsonb, p_rule text,
    p_reconciliation_id text default null)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.gateway_movements;
    r duly.gateway_requests;
begin
    m := duly.lock_movement(p_provider_id, p_movement_id);
    if m.id is null then m := duly.movement_of_found(p_provider_id, p_kind, p_found); end if;
    select * into r from duly.gateway_requests
    where provider_id = p_provider_id and gateway_reference = p_found ->> 'payment_reference' and kind = 'payment';
    return duly.list_movement(m, p_found, 'refused', 'open', p_reconciliation_id, r.account_id, r.transaction_id,
        jsonb_build_object('rule', p_rule));
end $$;

-- Settle a payment or refund by what the gateway says of it. Its movement may come later.
create or replace function duly.confirm_object(p_provider_id text, p_kind text, p_found jsonb) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.gateway_movements;
    r duly.gateway_requests;
    v_kind text;
begin
    m := duly.movement_of_found(p_provider_id, p_kind, p_found);
    if m.state is distinct from 'open' and m.id is not null then return jsonb_build_object('outcome', 'matched'); end if;
    if p_kind = 'charge' then
        if p_found ->> 'status' <> 'succeeded' then return jsonb_build_object('outcome', 'matched'); end if;
        return duly.confirm_charge(m, p_found, null);
    end if;
    r := duly.refund_of_found(p_provider_id, m.source, p_found);
    if r.id is not null and coalesce(r.gateway_reference, m.source) = m.source then
        return jsonb_build_object('outcome', 'matched', 'wake', 'refund/' || r.id);
    end if;
    r := duly.adopt_refund(p_provider_id, p_found ->> 'payment_reference', m.source, -m.amount_minor, m.currency);
    v_kind := duly.kind_of_found_refund(m, p_found);
    if r.id is null then
        return duly.list_movement(m, p_found, v_kind, 'open', null);
    end if;
    return duly.list_movement(m, p_found, v_kind, case v_kind when 'double_refund' then 'open' else 'mended' end, null,
        r.account_id, r.transaction_id)
        || jsonb_build_object('wake', 'refund/' || r.id);
end $$;

-- Whether an event says that a payment has succeeded, and nobody here has recorded it.
create or replace function duly.is_unrecorded_payment(e duly.gateway_events) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select e.type in ('payment_intent.succeeded', 'checkout.session.completed', 'checkout.session.async_payment_succeeded')
        and not exists (select from duly.gateway_requests r where r.provider_id = e.provider_id and r.kind = 'payment'
            and r.gateway_reference = any (e.mentions || e.object_id))
$$;

-- Whether an event is about a refund that was given up here, and not by the gateway's word on this object: its workflow has ended,
-- and would believe its row.
create or replace function duly.is_given_up(e duly.gateway_events) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.gateway_requests r
        where r.id = (duly.refund_of_event(e))[1] and r.state = 'rejected' and r.gateway_reference is null
          and not exists (select from duly.gateway_attempts a where a.request_id = r.id and a.gateway_reference = e.object_id
              and a.outcome = 'declined' and a.resolved_by = ''))
$$;

-- Whether an event is about a refund beside the one that its request came to: sent again by a person's word, or paid twice by the
-- gateway. The request's workflow looks at its own alone.
create or replace function duly.is_second_refund(e duly.gateway_events) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select e.type like 'refund.%' and exists (select from duly.gateway_requests r
        where r.id = (duly.refund_of_event(e))[1] and r.gateway_reference <> e.object_id
          and not exists (select from duly.gateway_attempts a where a.request_id = r.id and a.gateway_reference = e.object_id))
$$;

-- The gateway's object to look at, when it is no request of ours: a payment of a customer or under a request of ours, or a
-- refund of a payment of ours. Its own workflow goes first, where there is one: it gets a minute.
create or replace function duly.found_by_event(e duly.gateway_events) returns text[]
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    v_object text;
begin
    if e.subject = 'refund' then
        if e.type like 'refund.%' and exists (
            select from duly.gateway_requests p where p.kind = 'payment' and p.provider_id = e.provider_id
              and p.gateway_reference = any (e.mentions)) then
            return array[e.object_id, e.provider_id];
        end if;
        return null;
    end if;
    select x into v_object from unnest(e.mentions) x where x like 'pi\_%' limit 1;
    select * into r from duly.gateway_requests where kind = 'payment' and id = e.request_id and provider_id = e.provider_id;
    if v_object is null or not duly.is_unrecorded_payment(e) then return null; end if;
    if r.state = 'posted' or e.tries > 0 and r.id is not null or r.id is null and exists (
            select from duly.gateway_customers g
            where g.provider_id = e.provider_id and g.customer_reference = any (e.mentions)) then
        return array[v_object, e.provider_id];
    end if;
    return null;
end $$;

-- Which of some listed refunds or disputes are of a payment of ours and known to nobody here.
create or replace function duly.unknown_objects(p_provider_id text, p_list text, p_ids text[], p_payments text[])
returns table (id text) language sql stable security definer set search_path = duly, pg_temp as $$
    select u.id from unnest(p_ids, p_payments) u (id, payment)
    join duly.gateway_requests p on p.provider_id = p_provider_id and p.gateway_reference = u.payment and p.kind = 'payment'
    where case p_list
        when 'refunds' then not exists (select from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id
            where r.of_request_id = p.id and (a.gateway_reference = u.id or r.gateway_reference = u.id))
        when 'disputes' then not exists (select from duly.disputes d where d.id = u.id)
        else false end
$$;
