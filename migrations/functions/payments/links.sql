-- The links of payment requests. What a link ends in is made where it is handed out, and only its hash comes here.

-- Let a link lead to a request.
create or replace function duly.note_request_link(p_id text, p_token_hash text, p_payer integer default 0) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform from duly.payment_requests where id = p_id;
    if not found then
        perform duly.refuse('payment_request_exists', format('request_id: there is no payment request %L', p_id));
    end if;
    insert into duly.request_links (token_hash, request_id, payer) values (p_token_hash, p_id, p_payer) on conflict do nothing;
end $$;

-- The same for a person who asks for it; refused for a request that is over: its link leads nowhere.
create or replace function duly.give_request_link(p_id text, p_token_hash text, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.note_request_link(p_id, p_token_hash);
    update duly.payment_requests set decisions = decisions
        || concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z link given out, says ', p_actor, ': ', p_reason)
    where id = p_id and closed_at is null;
    if not found then
        perform duly.refuse('payment_request_open', format('request_id: %s is over, and its link leads nowhere', p_id));
    end if;
end $$;

-- What the page behind a link shows, also of a request that is over.
create or replace function duly.payment_request_of_link(p_token_hash text)
returns table (request_id text, title text, description text, state text, currency text, payable_minor bigint, paid_minor bigint,
    least_minor bigint, most_minor bigint, expires_at timestamptz, locale text, time_zone text, payer integer)
language sql stable security definer set search_path = duly, pg_temp as $$
    select q.id, q.title, q.description, q.state, q.currency, duly.payable_now(q), q.amount_minor, coalesce(q.least_minor, 0),
        coalesce(q.most_minor, 0), q.expires_at,
        coalesce(a.locale, 'en'), a.time_zone, l.payer
    from duly.request_links l join duly.payment_requests q on q.id = l.request_id
    join duly.accounts a on a.id = q.account_id
    where l.token_hash = p_token_hash
$$;
