-- A stored card's life: what the gateway, people and time change, whom an event is about, and the messages to its holder.

-- Take over what the gateway says of a stored card: new data, detached, mandate revoked.
create or replace function duly.refresh_card(p_card_id text, p_card jsonb) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.cards;
    v_state text;
    v_reason text := '';
begin
    select * into strict c from duly.cards where id = p_card_id for no key update;
    v_state := c.state;
    -- An imported card has none until it is read: what it is known by is no change that anybody waits for.
    if c.fingerprint = '' and p_card ->> 'fingerprint' <> '' then
        update duly.cards set fingerprint = p_card ->> 'fingerprint' where id = p_card_id;
    end if;
    if c.state in ('active', 'blocked', 'expired') then
        if not (p_card ->> 'is_attached')::boolean then
            v_state := 'removed'; v_reason := 'detached';
        elsif not (p_card ->> 'has_mandate')::boolean then
            v_state := 'blocked'; v_reason := 'mandate_revoked';
        elsif c.state = 'expired' and make_date((p_card ->> 'exp_year')::int, (p_card ->> 'exp_month')::int, 1)
                + interval '1 month' > now() then
            v_state := 'active';
        end if;
        update duly.cards set state = v_state, state_reason = case when v_state = c.state then state_reason else v_reason end,
            brand = p_card ->> 'brand', last4 = p_card ->> 'last4', exp_month = (p_card ->> 'exp_month')::smallint,
            exp_year = (p_card ->> 'exp_year')::smallint, fingerprint = p_card ->> 'fingerprint'
        where id = p_card_id and ((state, brand, last4, exp_month, exp_year) is distinct from
            (v_state, p_card ->> 'brand', p_card ->> 'last4', (p_card ->> 'exp_month')::smallint, (p_card ->> 'exp_year')::smallint))
        returning * into c;
        if not found then
            return jsonb_build_object('card', (select duly.card_view(k) from duly.cards k where k.id = p_card_id), 'is_changed', false);
        end if;
        return jsonb_build_object('card', duly.card_view(c), 'is_changed', true);
    end if;
    return jsonb_build_object('card', duly.card_view(c), 'is_changed', false);
end $$;

-- Keep what is the same for all tokens of one card, where nobody has read it yet.
create or replace function duly.note_fingerprint(p_card_id text, p_fingerprint text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.cards set fingerprint = p_fingerprint where id = p_card_id and fingerprint = ''
$$;

-- A change by a person or by time: state, recurring flag, default. Who and why is kept.
create or replace function duly.change_card(p_card_id text, p_state text, p_reason text, p_is_recurring boolean, p_is_default boolean,
    p_actor text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.cards;
begin
    -- A default moves the account's other cards: two of one account that become it at once would each wait for the other.
    if p_is_default then
        perform from duly.account_balances b join duly.cards x on x.account_id = b.account_id where x.id = p_card_id for no key update of b;
    end if;
    select * into c from duly.cards where id = p_card_id for no key update;
    if not found then
        perform duly.refuse('card_exists', format('card: %s does not exist', p_card_id));
    elsif c.state in ('replaced', 'removed')
        and (p_state <> c.state or p_is_default or p_is_recurring is not null) then
        perform duly.refuse('card_in_use', format('card: %s is %s', p_card_id, c.state));
    end if;
    if p_is_default then
        -- The default is the first of the order; the others move back and keep their own order.
        update duly.cards k set fallback_order = o.place from (
            select id, row_number() over (order by id <> p_card_id, fallback_order, created_at desc) as place
            from duly.cards where account_id = c.account_id and state not in ('rejected', 'replaced', 'removed')) o
        where k.id = o.id and o.place <= 100;
    end if;
    update duly.cards set state = coalesce(p_state, state),
        state_reason = case when p_state is null then state_reason else p_reason end,
        is_recurring = coalesce(p_is_recurring, is_recurring),
        decisions = case when p_actor = '' then decisions else decisions || concat(
            to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z ', coalesce(p_state, case when p_is_default then 'default'
            when p_is_recurring then 'recurring' else 'not recurring' end), ', says ', p_actor, ': ', p_reason) end
    where id = p_card_id returning * into c;
    return duly.card_view(c);
end $$;

-- The card that an event is about, by token, mandate, validation or customer.
create or replace function duly.card_of_event(e duly.gateway_events) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array[c.id, c.provider_id] from duly.cards c
    where c.provider_id = e.provider_id and (c.token = any (e.mentions)
        or (c.mandate_reference <> '' and c.mandate_reference = any (e.mentions))
        or c.id in (select r.card_id from duly.gateway_requests r where r.kind = 'card_validation'
            and (r.id = e.request_id or (r.provider_id = e.provider_id and r.gateway_reference = any (e.mentions))))
        or (e.type = 'customer.deleted' and c.account_id = (select g.account_id from duly.gateway_customers g
            where g.provider_id = e.provider_id and g.customer_reference = e.object_id)))
    order by c.state in ('rejected', 'replaced', 'removed'), c.created_at desc limit 1
$$;

-- Whether an event says that a card was saved whose validation had ended otherwise, and which is over here: its workflow would
-- believe its row. It waits, for the one that detaches it may be at work, and is listed for a person in the end.
create or replace function duly.is_card_given_up(e duly.gateway_events) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select e.type = 'setup_intent.succeeded' and exists (select from duly.gateway_requests r join duly.cards c on c.id = r.card_id
        where r.kind = 'card_validation' and r.state <> 'posted' and c.state in ('rejected', 'replaced', 'removed')
          and (r.id = e.request_id or (r.provider_id = e.provider_id and r.gateway_reference = any (e.mentions))))
$$;

-- The card behind a link that was sent to its holder, while it waits for them.
create or replace function duly.card_of_link(p_token text) returns table (card_id text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select id from duly.cards where link_token = p_token and state not in ('rejected', 'replaced', 'removed')
$$;

-- Write a message to a card's holder, once; return what there is to send to their account.
create or replace function duly.notify_card(p_card_id text, p_kind text, p_transition text, p_parameters jsonb) returns text[]
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_account text;
begin
    select account_id into strict v_account from duly.cards where id = p_card_id;
    insert into duly.messages (id, audience, kind, account_id, parameters)
    values (concat_ws('/', p_kind, p_card_id, nullif(p_transition, '')), duly.audience_of(p_kind), p_kind, v_account,
        p_parameters || jsonb_build_object('card_id', p_card_id))
    on conflict (id) do nothing;
    return array(select id from duly.messages where account_id = v_account and state = 'pending' order by id);
end $$;
