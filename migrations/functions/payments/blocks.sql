-- The block list: what is on it is never charged, by runs, by hand, on pages or to validate a card. A card is there by its fingerprint,
-- an account also by its e-mail address or that address's domain. Nobody who has no list pays for it: it is found empty by one look.

-- Whether a block holds now.
create or replace function duly.is_in_force(b duly.charge_blocks) returns boolean language sql stable as $$
    select b.lifted_at is null and (b.ends_at is null or b.ends_at > now())
$$;

-- The reasons by which accounts are not charged: of those named, or of all.
create or replace function duly.blocked_accounts(p_accounts text[] default null) returns table (account_id text, reason text)
language plpgsql stable rows 10 security definer set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan as $$
begin
    if not exists (select from duly.charge_blocks b where b.kind <> 'card' and duly.is_in_force(b)) then return; end if;
    return query
        select x.id, min(x.why) from (
            select a.id, 'account_blocked' as why
            from duly.charge_blocks b join duly.accounts a on a.id = b.value where b.kind = 'account' and duly.is_in_force(b)
            union all
            select a.id, 'email_blocked'
            from duly.charge_blocks b join duly.accounts a
                on b.value = case b.kind when 'email' then lower(a.email) else split_part(lower(a.email), '@', -1) end
            where b.kind in ('email', 'domain') and duly.is_in_force(b)) x
        where p_accounts is null or x.id = any (p_accounts) group by x.id;
end $$;

create or replace function duly.why_blocked(p_account_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select min(case b.kind when 'account' then 'account_blocked' else 'email_blocked' end)
        from duly.accounts a join duly.charge_blocks b on (b.kind, b.value) in (('account', a.id), ('email', lower(a.email)),
            ('domain', split_part(lower(a.email), '@', -1)))
        where a.id = p_account_id and duly.is_in_force(b)), '')
$$;

create or replace function duly.is_card_blocked(p_fingerprint text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.charge_blocks b where b.kind = 'card' and b.value = p_fingerprint and duly.is_in_force(b))
$$;

-- Why an account has no card to charge: a card that it has is blocked, or there is none.
create or replace function duly.why_no_card(p_account_id text, p_provider_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case when exists (select from duly.charge_blocks b
        join duly.cards c on c.fingerprint = b.value and c.account_id = p_account_id and c.provider_id = p_provider_id and c.state = 'active'
        where b.kind = 'card' and duly.is_in_force(b)) then 'card_blocked' else 'no_card' end
$$;

-- Refuse what a person asks of an account, or on a card, that is blocked.
create or replace function duly.refuse_blocked(p_account_id text, p_fingerprint text default '', p_field text default 'account') returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_why constant text := duly.why_blocked(p_account_id);
begin
    if v_why <> '' then
        perform duly.refuse(v_why, format('%s: %s is on the block list%s (duly fraud list): nothing is charged to it', p_field,
            p_account_id, case v_why when 'email_blocked' then ' by its e-mail address' else '' end));
    elsif duly.is_card_blocked(p_fingerprint) then
        perform duly.refuse('card_blocked', format('card: this card of %s is on the block list (duly fraud list)', p_account_id));
    end if;
end $$;

-- Operators get one message about each receivable that is not charged for a reason of ours: a block, or a rule that holds it.
create or replace function duly.alert_of_held(p_account_id text, p_period text, p_run_id text, p_amount_minor bigint, p_currency text,
    p_code text, p_transition text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.write_message('charge_held', p_account_id, p_period, p_run_id, jsonb_build_object('amount_minor', p_amount_minor,
        'currency', p_currency, 'code', p_code), p_transition)
$$;

-- The same about members that a run has passed over: once an account and period, however many runs pass it over.
create or replace function duly.alert_of_blocked(p_run_id text, p_period text, p_accounts text[]) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.alert_of_held(i.account_id, p_period, i.run_id, i.amount_minor, i.currency, i.reason, i.reason)
    from duly.run_items i
    where i.run_id = p_run_id and i.member_id = any (p_accounts) and i.outcome = 'skipped' and i.amount_minor > 0
      and i.reason in ('account_blocked', 'email_blocked', 'card_blocked')
$$;

-- What a block is kept by: an account's id, a card's fingerprint (given as such, or by the id of a card), an address, a domain.
create or replace function duly.blocked_value(p_kind text, p_value text) returns text
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    -- A name of a domain may end in a dot, and addresses never do.
    v_value text := case p_kind when 'email' then lower(btrim(p_value)) when 'domain' then rtrim(lower(btrim(p_value)), '.')
        else btrim(p_value) end;
    c duly.cards;
begin
    if p_kind = 'account' and not exists (select from duly.accounts where id = v_value and kind = 'customer') then
        perform duly.refuse('account_exists', format('value: there is no account %s', v_value));
    elsif p_kind = 'email' and v_value !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
        perform duly.refuse('address_format', 'value: must be an e-mail address, such as name@example.com');
    elsif p_kind = 'domain' and (v_value !~ '^[^@[:space:]]+$' or length(v_value) > 253) then
        perform duly.refuse('domain_format', 'value: must be the part of an e-mail address behind the @, such as example.com');
    elsif p_kind = 'card' then
        select * into c from duly.cards where id = v_value;
        if found and c.fingerprint = '' then
            perform duly.refuse('fingerprint_known', format(
                'value: the fingerprint of card %s is not known yet; validate it, or block its account', v_value));
        elsif not found and v_value !~ '^[A-Za-z0-9_]{8,64}$' then
            perform duly.refuse('card_exists', format('value: there is no card %s, and it is no fingerprint', v_value));
        elsif not found and v_value ~ '^[0-9]+$' then
            perform duly.refuse('no_card_numbers', 'value: a card is named by its id or its fingerprint, never by a number');
        end if;
        v_value := coalesce(c.fingerprint, v_value);
    end if;
    return v_value;
end $$;

-- Put something on the list, from now on and until a moment; `is_new` is false where it is there already, with its terms as they are.
create or replace function duly.block_charges(p_kind text, p_value text, p_ends_at timestamptz, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_value constant text := duly.blocked_value(p_kind, p_value);
    b duly.charge_blocks;
begin
    if p_ends_at <= now() then
        perform duly.refuse('ends_later', 'until: must be in the future');
    end if;
    -- One that has ended makes room.
    update duly.charge_blocks set lifted_at = ends_at, lifted_by = 'system', lifted_because = 'it has ended'
    where kind = p_kind and value = v_value and lifted_at is null and ends_at <= now();
    insert into duly.charge_blocks (kind, value, ends_at, blocked_by, blocked_because)
    values (p_kind, v_value, p_ends_at, p_actor, p_reason)
    on conflict (kind, value) where lifted_at is null do nothing returning * into b;
    if found then return jsonb_build_object('id', b.id, 'kind', b.kind, 'value', b.value, 'is_new', true); end if;
    select * into strict b from duly.charge_blocks where kind = p_kind and value = v_value and lifted_at is null;
    return jsonb_build_object('id', b.id, 'kind', b.kind, 'value', b.value, 'is_new', false);
end $$;

-- Take something off the list; `was_blocked` is false where it is not there. Returns the account whose collections go on, if it is one.
create or replace function duly.unblock_charges(p_kind text, p_value text, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_value constant text := duly.blocked_value(p_kind, p_value);
    b duly.charge_blocks;
begin
    update duly.charge_blocks set lifted_at = clock_timestamp(), lifted_by = p_actor, lifted_because = p_reason
    where kind = p_kind and value = v_value and lifted_at is null returning * into b;
    return jsonb_build_object('kind', p_kind, 'value', v_value, 'was_blocked', found and (b.ends_at is null or b.ends_at > now()));
end $$;

-- What becomes of an attempt at an account that is blocked: a run passes its member over, and what waits already goes on waiting, for a
-- person. Nothing is written for the attempt: its number stays free.
create or replace function duly.blocked_attempt(p_why text, p_request duly.gateway_requests, p_account_id text, p_period text, p_run_id text,
    p_owed bigint, p_currency text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if p_run_id <> '' and p_request.id is null
        and not exists (select from duly.collections c where c.account_id = p_account_id and c.period = p_period) then
        return duly.without_attempt('closed', p_run_id, p_account_id, p_request, p_why, 'skipped');
    end if;
    perform duly.alert_of_held(p_account_id, p_period, p_run_id, p_owed, p_currency, p_why, p_why);
    return duly.without_attempt('provider_not_effective', p_run_id, p_account_id, p_request, p_why, 'in_dunning');
end $$;
