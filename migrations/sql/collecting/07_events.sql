-- Events: stored once each, then delivered as hints until somebody has taken them.

create function duly.receive_event(p_id text, p_provider_id text, p_type text, p_object_id text, p_request_id text,
    p_account_id text, p_created_at timestamptz)
returns boolean language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    insert into duly.gateway_events (id, provider_id, type, object_id, request_id, account_id, created_at)
    values (p_id, p_provider_id, p_type, p_object_id, p_request_id, p_account_id, p_created_at)
    on conflict (id) do nothing;
    return found;
end $$;
comment on function duly.receive_event is 'Store a verified event; false when it is here already.';

create function duly.events_to_deliver(p_limit integer)
returns table (id text, type text, account_id text, period text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select e.id, e.type, coalesce(r.account_id, e.account_id), coalesce(r.period, '')
    from duly.gateway_events e left join duly.gateway_requests r on r.id = e.request_id
    where e.delivered_at is null
    order by e.received_at limit p_limit
$$;
comment on function duly.events_to_deliver is
    'Events that nobody has taken yet, oldest first, with the receivable that they are about, if it is ours.';

create function duly.note_delivery(p_ids text[]) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_events set delivered_at = now(), deliveries = deliveries + 1 where id = any (p_ids)
$$;
