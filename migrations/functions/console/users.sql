-- Users of the console and their sessions. What a password comes to is hashed by the caller; here it is kept and never compared.

-- Refuse merchants that are none, and limits of a role that works for the whole house.
create or replace function duly.require_limited_user(p_role text, p_merchants text[]) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_missing text := (select one from unnest(p_merchants) one where not exists (select from duly.merchants where id = one) limit 1);
begin
    if v_missing is not null then
        perform duly.refuse('merchant_exists', format('merchants: there is no merchant %s: `merchants list`', v_missing));
    elsif p_merchants <> '{}' and p_role not in ('viewer', 'agent', 'accountant') then
        perform duly.refuse('limited_users_have_roles', format('merchants: the role %s works for the whole house; viewers, agents and'
            ' accountants may be limited to merchants', p_role));
    end if;
end $$;

create or replace function duly.add_user(p_id text, p_role text, p_password_hash text, p_merchants text[] default '{}', p_actor text default '')
returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.require_limited_user(p_role, p_merchants);
    if duly.is_by_two() then
        perform duly.use_approved_change('user', p_id, duly.rights_given(null, p_role, p_password_hash, 'active', p_merchants), p_actor);
    end if;
    insert into duly.users (id, role, password_hash, merchants) values (p_id, p_role, p_password_hash, p_merchants)
        on conflict do nothing;
    if not found then
        perform duly.refuse('user_is_new', format('user: there is a user %s already: `users change %s`', p_id, p_id));
    end if;
end $$;

-- Change what is given; whoever gets another role or password has to sign in again.
create or replace function duly.change_user(p_id text, p_role text default null, p_password_hash text default null, p_state text default null,
    p_merchants text[] default null, p_actor text default '')
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    u duly.users;
    v_rights jsonb;
begin
    perform duly.lock_approvers();
    -- Whoever signs in at this moment refers to the user: that session is waited for, and ended with the others.
    select * into u from duly.users where id = p_id for update;
    if not found then
        perform duly.refuse('user_exists', format('user: there is no user %s: `users list`', p_id));
    end if;
    perform duly.require_limited_user(coalesce(p_role, u.role), coalesce(p_merchants, u.merchants));
    v_rights := duly.rights_given(u, p_role, p_password_hash, p_state, p_merchants);
    if v_rights <> '{}' and duly.is_by_two() then
        perform duly.use_approved_change('user', p_id, v_rights, p_actor);
    end if;
    update duly.users set role = coalesce(p_role, role), password_hash = coalesce(p_password_hash, password_hash),
        state = coalesce(p_state, state), merchants = coalesce(p_merchants, merchants), changed_at = clock_timestamp()
    where id = p_id;
    if duly.is_by_two() then perform duly.require_two_approvers(); end if;
    update duly.console_sessions set ended_at = clock_timestamp() where user_id = p_id and ended_at is null;
end $$;

create or replace function duly.note_sign_in(p_user_id text, p_method text, p_outcome text, p_address text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.sign_ins (user_id, method, outcome, address)
    values (coalesce((select id from duly.users where id = p_user_id), ''), p_method, p_outcome, p_address)
$$;

create or replace function duly.start_session(p_token_hash bytea, p_user_id text, p_method text, p_address text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    -- What is over is of no use to anybody: whoever signs in takes some of it away.
    delete from duly.console_sessions where token_hash in (
        select token_hash from duly.console_sessions where started_at < now() - interval '1 day' limit 100 for update skip locked);
    insert into duly.console_sessions (token_hash, user_id, method) values (p_token_hash, p_user_id, p_method);
    perform duly.note_sign_in(p_user_id, p_method, 'signed_in', p_address);
end $$;

-- Who has a session, and as what, as it is now; nothing when it is over: ended, idle for 30 minutes, or older than 12 hours.
-- What a page asks for by itself is no use of it: a screen that nobody sits at would stay signed in.
create or replace function duly.user_of_open_page(p_token_hash bytea) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('id', u.id, 'role', u.role, 'merchants', u.merchants)
    from duly.console_sessions s join duly.users u on u.id = s.user_id
    where s.token_hash = p_token_hash and s.ended_at is null and u.state = 'active'
        and s.seen_at > clock_timestamp() - interval '30 minutes' and s.started_at > clock_timestamp() - interval '12 hours'
$$;

-- The same for what a person asks for, who is seen by it.
create or replace function duly.user_of_session(p_token_hash bytea) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_user jsonb := duly.user_of_open_page(p_token_hash);
begin
    if v_user is null then return null; end if;
    update duly.console_sessions set seen_at = clock_timestamp()
        where token_hash = p_token_hash and seen_at < clock_timestamp() - interval '1 minute';
    return v_user;
end $$;

create or replace function duly.end_session(p_token_hash bytea, p_address text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_user text;
    v_method text;
begin
    update duly.console_sessions set ended_at = clock_timestamp() where token_hash = p_token_hash and ended_at is null
        returning user_id, method into v_user, v_method;
    if v_user is not null then perform duly.note_sign_in(v_user, v_method, 'signed_out', p_address); end if;
end $$;
