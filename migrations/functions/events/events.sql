-- Events: stored once each, then delivered as hints until somebody has taken them.

-- Whether an event happened on an account of which no provider here is, or for a connection's, no connection: whatever ids it names,
-- nothing of ours is found by them. It waits, for the account may be bound later, or a restore may have forgotten it.
create or replace function duly.is_of_unknown_account(e duly.gateway_events) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select e.gateway_account <> '' and case e.subject
        when 'merchant' then duly.merchant_of_event(e) is null
        else not exists (select from duly.providers p where p.id = e.provider_id and p.gateway_account = e.gateway_account) end
$$;

-- Store verified events; return how many were not here already.
create or replace function duly.receive_events(p_provider_id text, p_channel text, p_events jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_new integer;
begin
    insert into duly.gateway_events (id, provider_id, type, subject, object_id, request_id, account_id, mentions, channel,
        gateway_account, state, created_at)
    select e ->> 'id', coalesce(w.provider_id, p_provider_id), e ->> 'type', e ->> 'subject', e ->> 'object_id', e ->> 'request_id',
        e ->> 'account_id', array(select jsonb_array_elements_text(e -> 'mentions')), p_channel,
        coalesce(e ->> 'gateway_account', ''),
        case when e ->> 'subject' = '' then 'ignored' else 'waiting' end,
        (e ->> 'created_at')::timestamptz
    from jsonb_array_elements(p_events -> 'events') e
    cross join lateral (select duly.provider_of_event(p_provider_id, coalesce(e ->> 'gateway_account', ''), e ->> 'subject') as provider_id) w
    on conflict (id) do nothing;
    get diagnostics v_new = row_count;
    return v_new;
end $$;

-- The receivable that a payment event is about: its account and period, and the payment request that asks for it, if one does.
create or replace function duly.collection_of_event(e duly.gateway_events) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array_remove(array[r.account_id, r.period, (duly.payment_request_of_receivable(r.account_id, r.period)).id], null)
    from duly.gateway_requests r
    where r.kind = 'payment' and r.provider_id = e.provider_id
      and (r.id = e.request_id or r.gateway_reference = any (e.mentions))
    limit 1
$$;

-- The payment that an event says may be fraud, with the gateway's object that says so, and as what.
create or replace function duly.suspected_by_event(e duly.gateway_events) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array[r.id, e.object_id, e.type]
    from duly.gateway_requests r
    where r.kind = 'payment' and r.provider_id = e.provider_id and r.gateway_reference = any (e.mentions)
    limit 1
$$;

-- Events whose turn it is, oldest first, each with the key of what it is about; an empty one when nobody knows that
-- yet. `is_recorded`: the ledger has what it says, so that nothing is lost when no workflow waits for it. With subjects, those alone
-- count towards the limit.
create or replace function duly.events_due(p_provider_id text, p_limit integer, p_subjects text[] default null)
returns table (id text, subject text, key text[], is_recorded boolean)
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_providers text[] := duly.providers_through(p_provider_id);
begin
    return query
    select e.id, s.subject,
        coalesce(f.found, case when a.is_unknown then null else case e.subject
            when 'payment' then duly.collection_of_event(e)
            when 'card' then case when not duly.is_card_given_up(e) then duly.card_of_event(e) end
            when 'refund' then duly.refund_of_event(e)
            when 'dispute' then duly.dispute_of_event(e)
            when 'movement' then duly.movement_of_event(e)
            when 'merchant' then duly.merchant_of_event(e)
            when 'fraud' then duly.suspected_by_event(e)
            end end, '{}'),
        not (e.subject = 'payment' and duly.is_unrecorded_payment(e))
    from duly.gateway_events e
    cross join lateral (select duly.is_of_unknown_account(e) as is_unknown) a
    cross join lateral (select case
        when a.is_unknown then null
        when e.subject = 'payment' then duly.found_by_event(e)
        when e.subject = 'movement' then duly.fee_of_event(e)
        when e.subject = 'refund' and (duly.refund_of_event(e) is null or duly.is_given_up(e)
            or duly.is_second_refund(e)) then duly.found_by_event(e)
        end as found) f
    cross join lateral (select case when f.found is null then e.subject else 'found' end as subject) s
    where e.provider_id = any (v_providers) and e.state = 'waiting' and e.next_try_at <= now()
      and (p_subjects is null or s.subject = any (p_subjects))
    order by e.next_try_at, e.id limit p_limit;
end $$;

-- What workers of release 0.1.0 ask; they know no subject that came later, and such an event waits for a newer worker.
create or replace function duly.events_to_deliver(p_provider_id text, p_limit integer)
returns table (id text, subject text, key text[])
language sql stable security definer set search_path = duly, pg_temp as $$
    select d.id, d.subject, d.key
    from duly.events_due(p_provider_id, p_limit, array['payment', 'card', 'refund', 'dispute']) d
$$;

create or replace function duly.note_delivery(p_ids text[]) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_events set state = 'delivered', delivered_at = now(), tries = tries + 1
    where id = any (p_ids) and state = 'waiting'
$$;

-- Let events wait for what they are about; who has waited through all pauses is listed for a person, with one alert, of an
-- account that nobody knows with one in all. Of an account that was bound meanwhile it is its provider's from now on.
create or replace function duly.put_off_events(p_ids text[], p_pauses double precision[]) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    e duly.gateway_events;
    v_given_up integer := 0;
begin
    for e in
        update duly.gateway_events x set tries = tries + 1,
            provider_id = coalesce(duly.provider_of_event(provider_id, gateway_account, subject), provider_id),
            next_try_at = now() + make_interval(secs => coalesce(p_pauses[tries + 1], 0)),
            state = case when tries < cardinality(p_pauses) then 'waiting' else 'needs_review' end,
            reason = case when duly.is_of_unknown_account(x) then 'unknown_account' else 'unknown_object' end
        -- The receiver and a sweep may have looked at the same moment: that was one try, and who comes second changes nothing.
        where id = any (p_ids) and state = 'waiting' and next_try_at <= now() returning x.*
    loop
        if e.state = 'needs_review' then
            v_given_up := v_given_up + 1;
            perform duly.write_message('event_unknown', '', '', '',
                jsonb_build_object('event', e.id, 'type', e.type,
                    'object', case e.reason when 'unknown_account' then e.gateway_account else e.object_id end),
                case e.reason when 'unknown_account' then e.gateway_account else e.id end);
        end if;
    end loop;
    return v_given_up;
end $$;

-- Deliver an event again, because a person says so.
create or replace function duly.replay_event(p_id text, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    e duly.gateway_events;
begin
    select * into e from duly.gateway_events where id = p_id for update;
    if not found then
        perform duly.refuse('event_exists', format('there is no event %s', p_id));
    elsif e.state = 'ignored' then
        perform duly.refuse('event_is_needed', format('nothing here needs events of type %s', e.type));
    end if;
    update duly.gateway_events set state = 'waiting', reason = '', tries = 0, next_try_at = now(), delivered_at = null,
        provider_id = coalesce(duly.provider_of_event(provider_id, gateway_account, subject), provider_id),
        decisions = decisions || concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z replay, was ', e.state,
            ', says ', p_actor, ': ', p_reason)
    where id = p_id;
end $$;

-- Note how far the provider's list has been swept; back only from the mark that a clock has made that was ahead.
create or replace function duly.note_sweep(p_provider_id text, p_until timestamptz, p_known_ahead timestamptz default null) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.event_marks as m (provider_id, swept_until) values (p_provider_id, p_until)
    on conflict (provider_id) do update set swept_until = case when m.swept_until = p_known_ahead then excluded.swept_until
        else greatest(m.swept_until, excluded.swept_until) end
$$;
