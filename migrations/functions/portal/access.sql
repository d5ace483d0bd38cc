-- The way into the portal: links and sessions of one account each. Tokens are made by the caller, who hands their hashes here.

-- Write the message with a link to each customer's account that has an address, up to ten of them; return those accounts.
-- An account gets three an hour at most, whoever asks for them. Whoever calls answers alike, whatever comes back.
create or replace function duly.ask_portal_link(p_email text) returns text[]
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_account text;
    v_asked text[] := '{}';
begin
    for v_account in
        select a.id from duly.accounts a
        where lower(a.email) = lower(p_email) and a.email is not null and a.kind = 'customer' order by a.id limit 10
    loop
        if (select count(*) from duly.messages m where m.id > concat_ws('/', 'portal_link', v_account, '')
                and m.id < concat_ws('/', 'portal_link', v_account) || '0'
                and m.created_at > now() - interval '1 hour') < 3 then
            perform duly.write_message('portal_link', v_account, '', '', '{}',
                to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDDHH24MISSUS'));
            v_asked := v_asked || v_account;
        end if;
    end loop;
    return v_asked;
end $$;

create or replace function duly.note_portal_link(p_account_id text, p_token_hash text, p_minutes integer) returns timestamptz
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_expires_at timestamptz := clock_timestamp() + make_interval(mins => p_minutes);
begin
    if not exists (select from duly.accounts where id = p_account_id and kind = 'customer') then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    end if;
    -- What is over is of no use to anybody: whoever asks for a link takes some of it away.
    delete from duly.portal_links where account_id = p_account_id and expires_at < now() - interval '1 day';
    insert into duly.portal_links (token_hash, account_id, expires_at) values (p_token_hash, p_account_id, v_expires_at)
        on conflict do nothing;
    return v_expires_at;
end $$;

-- Begin a session by a link, which is used up by it; false for one that is over, was used, or never was. The page that has used it up may do so
-- again for a minute: its button was pressed twice, and its browser has not looked at the first answer.
create or replace function duly.start_portal_session(p_link_hash text, p_token_hash text, p_page_hash text default null) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_account text;
begin
    update duly.portal_links set used_at = coalesce(used_at, clock_timestamp()), used_by = coalesce(used_by, p_page_hash)
    where token_hash = p_link_hash and expires_at > clock_timestamp()
        and (used_at is null or (used_by = p_page_hash and used_at > clock_timestamp() - interval '1 minute')) returning account_id into v_account;
    if v_account is null then return false; end if;
    delete from duly.portal_sessions where account_id = v_account and started_at < now() - interval '90 days';
    insert into duly.portal_sessions (token_hash, account_id) values (p_token_hash, v_account);
    return true;
end $$;

-- Whose a session is, as the account is now; nothing when it is over: ended, idle for 30 minutes, or older than 12 hours.
create or replace function duly.customer_of_session(p_token_hash text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s duly.portal_sessions;
begin
    select * into s from duly.portal_sessions where token_hash = p_token_hash and ended_at is null
        and seen_at > clock_timestamp() - interval '30 minutes' and started_at > clock_timestamp() - interval '12 hours';
    if s.token_hash is null then return null; end if;
    if s.seen_at < clock_timestamp() - interval '1 minute' then
        update duly.portal_sessions set seen_at = clock_timestamp() where token_hash = p_token_hash;
    end if;
    return (select jsonb_build_object('account_id', a.id, 'name', a.owner_name, 'email', coalesce(a.email, ''),
            'locale', a.locale, 'time_zone', a.time_zone, 'currency', a.currency, 'is_ended', a.state = 'terminated')
        from duly.accounts a where a.id = s.account_id);
end $$;

create or replace function duly.end_portal_session(p_token_hash text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.portal_sessions set ended_at = clock_timestamp() where token_hash = p_token_hash and ended_at is null
$$;

-- End all sessions of an account, and let none of its links begin another; return how many sessions there were.
create or replace function duly.end_portal_sessions(p_account_id text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_ended integer;
begin
    if not exists (select from duly.accounts where id = p_account_id and kind = 'customer') then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    end if;
    delete from duly.portal_links where account_id = p_account_id;
    update duly.portal_sessions set ended_at = clock_timestamp() where account_id = p_account_id and ended_at is null;
    get diagnostics v_ended = row_count;
    return v_ended;
end $$;

-- Whoever reads the old address is no longer whom the account is for.
create or replace function duly.end_portal_access() returns trigger
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.end_portal_sessions(new.id) where new.kind = 'customer';
    return null;
end $$;
