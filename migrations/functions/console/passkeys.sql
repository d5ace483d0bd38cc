-- Passkeys of users. Signatures are verified by the caller; here challenges are taken once and counters only go up.

create or replace function duly.begin_passkey(p_challenge bytea, p_session_hash bytea default null) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    -- What nobody has answered is of no use to anybody: whoever begins takes some of it away.
    delete from duly.passkey_challenges where challenge in (
        select challenge from duly.passkey_challenges where begun_at < clock_timestamp() - interval '5 minutes' limit 100
        for update skip locked);
    insert into duly.passkey_challenges (challenge, session_hash) values (p_challenge, p_session_hash);
end $$;

-- Whether a challenge may be answered: it was begun here, for this session or for a sign-in, and is answered the first time.
create or replace function duly.take_passkey_challenge(p_challenge bytea, p_session_hash bytea default null) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.passkey_challenges;
begin
    delete from duly.passkey_challenges where challenge = p_challenge returning * into c;
    return coalesce(c.session_hash is not distinct from p_session_hash
        and c.begun_at > clock_timestamp() - interval '5 minutes', false);
end $$;

-- Whether a session began so lately that nobody else can have sat down before it.
create or replace function duly.is_fresh_session(p_token_hash bytea) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.console_sessions where token_hash = p_token_hash and ended_at is null
        and started_at > clock_timestamp() - interval '10 minutes')
$$;

create or replace function duly.add_passkey(
    p_user_id text, p_name text, p_credential_id bytea, p_public_key bytea, p_sign_count bigint, p_is_synced boolean
) returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_id text;
begin
    perform from duly.users where id = p_user_id and state = 'active' for no key update;
    if not found then perform duly.refuse('user_exists', format('user: there is no active user %s', p_user_id)); end if;
    if (select count(*) from duly.passkeys where user_id = p_user_id and removed_at is null) >= 10 then
        perform duly.refuse('passkeys_are_few', 'passkey: there are ten of yours: remove one first');
    end if;
    if exists (select from duly.passkeys where user_id = p_user_id and name = p_name and removed_at is null) then
        perform duly.refuse('passkey_name_is_new', format('name: there is a passkey %s of yours already', p_name));
    end if;
    insert into duly.passkeys (user_id, name, credential_id, public_key, sign_count, is_synced)
        values (p_user_id, p_name, p_credential_id, p_public_key, p_sign_count, p_is_synced)
        on conflict do nothing returning id into v_id;
    if v_id is null then perform duly.refuse('passkey_is_new', 'passkey: it is registered already'); end if;
    return v_id;
end $$;

-- Keep that a passkey was used. False: somebody else used it meanwhile, or it was removed, or its user is disabled.
create or replace function duly.use_passkey(p_id text, p_sign_count_before bigint, p_sign_count bigint) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.passkeys p set sign_count = p_sign_count, used_at = clock_timestamp() from duly.users u
        where p.id = p_id and p.removed_at is null and p.sign_count = p_sign_count_before
            and u.id = p.user_id and u.state = 'active';
    return found;
end $$;

-- Remove a passkey of a user. Sessions that began by one end, but for the one that asks: whoever has the device is out.
create or replace function duly.remove_passkey(
    p_id text, p_user_id text, p_by text, p_is_last boolean, p_has_provider boolean, p_session_hash bytea default null
) returns void language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    -- A session that begins at this moment is waited for (duly.change_user).
    perform from duly.users where id = p_user_id for update;
    perform from duly.passkeys where id = p_id and user_id = p_user_id and removed_at is null;
    if not found then
        perform duly.refuse('passkey_exists', format('passkey: %s has no passkey %s: `users passkeys list`', p_user_id, p_id));
    end if;
    if not (p_is_last or p_has_provider)
        and exists (select from duly.users where id = p_user_id and password_hash = '')
        and not exists (select from duly.passkeys where user_id = p_user_id and id <> p_id and removed_at is null)
    then
        perform duly.refuse('passkey_is_not_last', format(
            'passkey: without it %s cannot sign in any more: set a password first, or say that it is meant', p_user_id));
    end if;
    update duly.passkeys set removed_at = clock_timestamp(), removed_by = p_by where id = p_id;
    update duly.console_sessions set ended_at = clock_timestamp() where user_id = p_user_id and method = 'passkey'
        and ended_at is null and token_hash is distinct from p_session_hash;
end $$;
