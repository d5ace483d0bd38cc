-- Merchants' own accounts at the gateway: switched on, connected, read again and again, disconnected. The gateway's word on where an
-- account stands is judged by models/merchants/account.py and stored here; nothing but this says whether the merchant is paid.

create or replace function duly.note_connection_change(p_merchant_id text, p_change text, p_actor text default '', p_because text default '')
returns void language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.merchant_connection_changes (merchant_id, change, state, gateway_account, reason, actor, because)
    select p_merchant_id, p_change, coalesce(c.state, ''), coalesce(c.gateway_account, ''), coalesce(c.reason, ''), p_actor, p_because
    from (select 1) one left join duly.merchant_connections c on c.merchant_id = p_merchant_id
$$;

create or replace function duly.merchant_connection_view(c duly.merchant_connections) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('merchant_id', c.merchant_id, 'provider', c.provider_id, 'generation', c.generation,
        'gateway_account', coalesce(c.gateway_account, ''), 'email', c.email, 'country', c.country,
        'currency', m.currency, 'name', m.name, 'installation', (select id from duly.installation),
        'state', c.state, 'reason', c.reason, 'missing', to_jsonb(c.missing), 'problems', to_jsonb(c.problems), 'due_at', c.due_at,
        'has_returned', c.has_returned, 'is_paid_out', c.is_paid_out, 'takes_payments', m.takes_payments, 'link_token', c.link_token,
        'flow', m.flow)
    from duly.merchants m where m.id = c.merchant_id
$$;

create or replace function duly.merchant_connection_by_id(p_merchant_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.merchant_connection_view(c) from duly.merchant_connections c where c.merchant_id = p_merchant_id
$$;

-- Let a merchant be paid on an account of its own, or not (P3). Returns whether that was so already.
create or replace function duly.switch_merchant_payments(p_merchant_id text, p_is_on boolean, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.merchants;
begin
    select * into m from duly.merchants where id = p_merchant_id for no key update;
    if m.id is null then
        perform duly.refuse('merchant_exists', format('merchant: there is no merchant %s: name it in a document for `merchants apply`', p_merchant_id));
    end if;
    if m.takes_payments = p_is_on then return true; end if;
    update duly.merchants set takes_payments = p_is_on where id = p_merchant_id;
    perform duly.note_connection_change(p_merchant_id, case when p_is_on then 'switched_on' else 'switched_off' end, p_actor, p_reason);
    return false;
end $$;

-- Refuse, with what helps, whoever may not connect an account now.
create or replace function duly.require_connectable(p_merchant_id text, p_provider_id text) returns duly.merchants
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.merchants;
begin
    select * into m from duly.merchants where id = p_merchant_id for no key update;
    if m.id is null then
        perform duly.refuse('merchant_exists', format('merchant: there is no merchant %s: name it in a document for `merchants apply`', p_merchant_id));
    elsif not m.takes_payments then
        perform duly.refuse('merchant_takes_payments',
            format('merchant: %s is not switched on for payments: `merchants enable %s`', m.id, m.id));
    elsif not duly.is_provider_effective(p_provider_id) then
        perform duly.refuse('provider_effective', format('provider: %s', duly.why_not_effective(p_provider_id)));
    elsif exists (select from duly.providers where id = p_provider_id and merchant_id is not null) then
        perform duly.refuse('provider_is_platform', format('provider: %s is a merchant''s own account: name the platform', p_provider_id));
    end if;
    return m;
end $$;

-- Begin a connection, or find the one that there is. A merchant that was disconnected reconnects its account, unless a new one is
-- asked for.
create or replace function duly.open_merchant_connection(p_merchant_id text, p_provider_id text, p_email text, p_country text,
    p_is_new_account boolean, p_actor text, p_because text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.merchants;
    c duly.merchant_connections;
begin
    m := duly.require_connectable(p_merchant_id, p_provider_id);
    select * into c from duly.merchant_connections where merchant_id = m.id for update;
    if c.merchant_id is not null and c.closed_at is null then
        if (c.provider_id, lower(c.email), c.country) is distinct from (p_provider_id, lower(p_email), p_country) then
            perform duly.refuse('connection_means_one_account', format(
                'merchant: %s is being connected already, through %s, with another e-mail or country', m.id, c.provider_id));
        end if;
        return duly.merchant_connection_view(c);
    elsif c.merchant_id is not null and c.gateway_account is not null and not p_is_new_account then
        perform duly.refuse('merchant_reconnects', format('merchant: %s was connected as %s: `merchants reconnect`, or take a new account'
            ' with --new-account', m.id, c.gateway_account));
    end if;
    insert into duly.merchant_connections as t (merchant_id, provider_id, email, country)
    values (m.id, p_provider_id, p_email, p_country)
    on conflict (merchant_id) do update set provider_id = excluded.provider_id, email = excluded.email, country = excluded.country,
        generation = t.generation + 1, gateway_account = null, state = 'pending', reason = '', missing = '{}', problems = '{}',
        due_at = null, has_returned = false, is_paid_out = false, link_token = excluded.link_token,
        created_at = clock_timestamp(), checked_at = null, closed_at = null
    returning * into c;
    perform duly.note_connection_change(m.id, 'connected', p_actor, p_because);
    return duly.merchant_connection_view(c);
end $$;

-- Keep which account was made; of two the first noted one stays, and the other remains empty.
create or replace function duly.note_merchant_account(p_merchant_id text, p_generation integer, p_gateway_account text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.merchant_connections;
begin
    select * into strict c from duly.merchant_connections where merchant_id = p_merchant_id for update;
    if c.gateway_account is null and c.generation = p_generation then
        update duly.merchant_connections set gateway_account = p_gateway_account where merchant_id = p_merchant_id returning * into c;
        perform duly.note_connection_change(p_merchant_id, 'account_made');
        perform duly.bind_providers(p_merchant_id);
    end if;
    return duly.merchant_connection_view(c);
end $$;

-- The owner left the gateway's pages: what is still missing is theirs to bring from now on, and no more on its way.
create or replace function duly.note_owner_returned(p_merchant_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.merchant_connections set has_returned = true
    where merchant_id = p_merchant_id and closed_at is null and not has_returned
$$;

-- Where the gateway says that an account stands; `disconnected` when it does not let us see it any more. What was read of another
-- account, or before a person disconnected it, changes nothing.
create or replace function duly.record_merchant_standing(p_merchant_id text, p_gateway_account text, p_standing jsonb) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.merchant_connections;
    v_before duly.merchant_connections;
begin
    select * into strict c from duly.merchant_connections where merchant_id = p_merchant_id for update;
    if c.closed_at is not null or c.gateway_account is distinct from p_gateway_account then
        return duly.merchant_connection_view(c);
    end if;
    v_before := c;
    update duly.merchant_connections set state = p_standing ->> 'state', reason = p_standing ->> 'reason',
        missing = array(select jsonb_array_elements_text(p_standing -> 'missing')),
        problems = array(select jsonb_array_elements_text(p_standing -> 'problems')),
        due_at = (p_standing ->> 'due_at')::timestamptz, is_paid_out = (p_standing ->> 'is_paid_out')::boolean,
        checked_at = clock_timestamp(),
        closed_at = case when p_standing ->> 'state' = 'disconnected' then clock_timestamp() end
    where merchant_id = p_merchant_id returning * into c;
    if (c.state, c.reason, c.missing, c.problems, c.is_paid_out)
        is distinct from (v_before.state, v_before.reason, v_before.missing, v_before.problems, v_before.is_paid_out) then
        perform duly.note_connection_change(p_merchant_id, case c.state when 'disconnected' then 'disconnected' else 'moved' end);
    end if;
    return duly.merchant_connection_view(c);
end $$;

-- A person disconnects a merchant: from this commit on nothing new is asked for on its account, which lives on at the gateway. A
-- repeat changes nothing.
create or replace function duly.disconnect_merchant(p_merchant_id text, p_actor text, p_because text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.merchant_connections;
begin
    select * into c from duly.merchant_connections where merchant_id = p_merchant_id for update;
    if c.merchant_id is null then
        perform duly.refuse('merchant_connection_exists', format('merchant: %s was never connected', p_merchant_id));
    elsif c.closed_at is null then
        update duly.merchant_connections set state = 'disconnected', reason = 'by_a_person', missing = '{}', problems = '{}',
            due_at = null, closed_at = clock_timestamp()
        where merchant_id = p_merchant_id returning * into c;
        perform duly.note_connection_change(p_merchant_id, 'disconnected', p_actor, p_because);
    end if;
    return duly.merchant_connection_view(c);
end $$;

-- Refuse whoever does not name the account as which a merchant was connected. What the gateway says of it is compared after that.
create or replace function duly.require_reconnectable(p_merchant_id text, p_provider_id text, p_gateway_account text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.merchants;
    c duly.merchant_connections;
begin
    m := duly.require_connectable(p_merchant_id, p_provider_id);
    select * into c from duly.merchant_connections where merchant_id = m.id for update;
    if c.gateway_account is null then
        perform duly.refuse('merchant_connection_exists', format('merchant: %s was never connected: `merchants connect`', m.id));
    elsif c.gateway_account <> p_gateway_account then
        perform duly.refuse('account_of_merchant', format('account: %s was connected as another account than %s', m.id, p_gateway_account));
    elsif c.provider_id <> p_provider_id then
        perform duly.refuse('account_of_merchant', format('provider: %s was connected through %s', m.id, c.provider_id));
    end if;
    return duly.merchant_connection_view(c);
end $$;

-- The account as which a merchant was connected goes on, once the gateway has confirmed it. A repeat changes nothing.
create or replace function duly.reconnect_merchant(p_merchant_id text, p_provider_id text, p_gateway_account text, p_actor text,
    p_because text) returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.merchant_connections;
begin
    perform duly.require_reconnectable(p_merchant_id, p_provider_id, p_gateway_account);
    select * into strict c from duly.merchant_connections where merchant_id = p_merchant_id for update;
    if c.closed_at is not null then
        -- The owner has been through the gateway's pages before: what is missing is theirs to bring.
        update duly.merchant_connections set state = 'pending', reason = '', has_returned = true, closed_at = null,
            checked_at = null, created_at = clock_timestamp()
        where merchant_id = p_merchant_id returning * into c;
        perform duly.note_connection_change(p_merchant_id, 'reconnected', p_actor, p_because);
    end if;
    return duly.merchant_connection_view(c);
end $$;

-- Which of some accounts at the gateway were never noted for a merchant, in their order.
create or replace function duly.merchant_accounts_unknown(p_gateway_accounts text[]) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(x.account order by x.place), '{}') from unnest(p_gateway_accounts) with ordinality x (account, place)
    where not exists (select from duly.merchant_connections c where c.gateway_account = x.account)
      and not exists (select from duly.merchant_connection_changes h where h.gateway_account = x.account)
      and not exists (select from duly.providers p where p.gateway_account = x.account)
$$;

-- The connection that an event of a connected account is about.
create or replace function duly.merchant_of_event(e duly.gateway_events) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array[c.merchant_id, c.provider_id] from duly.merchant_connections c
    where c.gateway_account = e.gateway_account and c.provider_id = e.provider_id
$$;

-- What the page behind a merchant's link shows.
create or replace function duly.merchant_of_link(p_token text)
returns table (merchant_id text, name text, state text, reason text, missing text[], takes_payments boolean)
language sql stable security definer set search_path = duly, pg_temp as $$
    select c.merchant_id, m.name, c.state, c.reason, c.missing, m.takes_payments
    from duly.merchant_connections c join duly.merchants m on m.id = c.merchant_id
    where c.link_token = p_token
$$;
