-- Four eyes: what one person may do alone, what waits for another, and what the other decides.

-- Up to which amounts by currency somebody of a role does a kind of thing alone in a day: as it is said of the role, or else of all.
-- {}: any amount.
create or replace function duly.limits_of(p_kind text, p_role text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(r.roles_minor -> p_role -> (p_kind || 's'), to_jsonb(r) -> (p_kind || 's_minor'))
    from duly.approval_rules r
$$;

-- What a user does of a kind and currency alone: {role, is_own, limit_minor (null: any amount), used_minor of today (UTC)}; null for no user.
create or replace function duly.limit_alone(p_kind text, p_user_id text, p_currency text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('role', u.role, 'is_own', coalesce(r.roles_minor -> u.role ? (p_kind || 's'), false),
        'limit_minor', case when l.limits <> '{}' then coalesce((l.limits ->> p_currency)::bigint, 0) end,
        'used_minor', (select coalesce(sum(x.amount_minor), 0) from duly.limited_actions x
            where x.user_id = u.id and x.kind = p_kind and x.currency = p_currency and x.approval_id is null and x.used_at >= date_trunc('day', now(), 'UTC')))
    from duly.users u cross join duly.approval_rules r cross join lateral (select duly.limits_of(p_kind, u.role) as limits) l
    where u.id = lower(btrim(p_user_id))
$$;

-- Count an amount against what its asker may do alone today (UTC), or keep the request for another person: then its id is returned.
create or replace function duly.ask_approval(p_key text, p_user_id text, p_action text, p_kind text, p_subject text, p_account_id text,
    p_amount_minor bigint, p_currency text, p_fields jsonb, p_reason text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.approval_rules;
    v_limits jsonb;
    v_used bigint;
    v_other text;
begin
    select * into r from duly.approval_rules;
    v_limits := duly.limits_of(p_kind, (select u.role from duly.users u where u.id = p_user_id));
    if v_limits = '{}' then return null; end if;
    -- Two forms of one person, or two about one document, are looked at one after the other.
    perform pg_advisory_xact_lock(hashtextextended('approval/' || least(p_user_id, p_subject), 0));
    perform pg_advisory_xact_lock(hashtextextended('approval/' || greatest(p_user_id, p_subject), 0));
    -- Nor is a form counted beside what the same person does by another door at that moment.
    perform pg_advisory_xact_lock(hashtextextended('giving/' || p_user_id, 0));
    -- The same form again is what it was: counted once, or the request that it became.
    if exists (select from duly.limited_actions where (key, user_id, kind, currency, amount_minor)
        = (p_key, p_user_id, p_kind, p_currency, p_amount_minor)) then return null; end if;
    if exists (select from duly.approvals where id = 'apv_' || p_key and asked_by = p_user_id) then return 'apv_' || p_key; end if;
    select min(id) into v_other from duly.approvals
        where subject = p_subject and action = p_action and currency = p_currency and state = 'waiting' and expires_at > clock_timestamp();
    if v_other is not null then
        perform duly.refuse('approval_waits', format('%s: is asked for already, and waits as %s', p_subject, v_other));
    end if;
    select coalesce(sum(amount_minor), 0) into v_used from duly.limited_actions
        where user_id = p_user_id and kind = p_kind and currency = p_currency and approval_id is null and used_at >= date_trunc('day', now(), 'UTC');
    if v_used + p_amount_minor <= coalesce((v_limits ->> p_currency)::bigint, 0) then
        insert into duly.limited_actions (key, user_id, kind, currency, amount_minor)
            values (p_key, p_user_id, p_kind, p_currency, p_amount_minor) on conflict do nothing;
        return null;
    end if;
    insert into duly.approvals (id, action, kind, subject, account_id, amount_minor, currency, fields, asked_by, asked_because, expires_at)
        values ('apv_' || p_key, p_action, p_kind, p_subject, p_account_id, p_amount_minor, p_currency, p_fields, p_user_id, p_reason,
            clock_timestamp() + make_interval(hours => r.expire_hours));
    return 'apv_' || p_key;
end $$;

-- Decide, as a user who has one of the roles that may; return the request. One that was approved and of which nobody knows what
-- became is given to its approver again.
create or replace function duly.decide_approval(p_id text, p_decision text, p_actor text, p_reason text, p_roles text[]) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.approvals;
    v_actor text := lower(btrim(p_actor));
begin
    select * into a from duly.approvals where id = p_id for no key update;
    if a.id is null then
        perform duly.refuse('approval_exists', format('approval: there is no request %s', p_id));
    elsif btrim(p_reason) = '' then
        perform duly.refuse('command_says_who_and_why', 'reason: say why');
    elsif not exists (select from duly.users u where u.id = v_actor and u.state = 'active' and u.role = any (p_roles)
            -- Who works for merchants sees nothing of the house, and decides nothing of it.
            and (p_decision = 'withdrawn' or u.merchants = '{}')) then
        perform duly.refuse('approver_may', format('actor: %s is no user whose role allows this', p_actor));
    elsif p_decision <> 'withdrawn' and v_actor = a.asked_by then
        perform duly.refuse('approved_by_another', format('actor: %s has asked for it: another person decides', p_actor));
    elsif p_decision = 'withdrawn' and v_actor <> a.asked_by then
        perform duly.refuse('withdrawn_by_asker', format('actor: %s has asked for it, and nobody else withdraws it', a.asked_by));
    elsif p_decision = 'approved' and a.state = 'approved' and a.decided_by = v_actor and a.outcome in ('', 'failed') then
        return to_jsonb(a);
    elsif a.state <> 'waiting' then
        perform duly.refuse('approval_is_open', format('approval: was %s by %s', a.state, a.decided_by));
    elsif a.expires_at <= clock_timestamp() then
        perform duly.refuse('approval_is_open', 'approval: has expired: ask for it again');
    elsif p_decision = 'approved' and not exists (select from duly.users u where u.id = a.asked_by and u.state = 'active') then
        perform duly.refuse('giver_is_user', format('approval: %s, who has asked for it, is disabled', a.asked_by));
    elsif p_decision = 'approved' and duly.is_edited_since(a) then
        perform duly.refuse('approval_is_of_draft', format('approval: %s was edited since it was asked for: ask for it again', a.subject));
    end if;
    update duly.approvals set state = p_decision, decided_by = v_actor, decided_because = p_reason, decided_at = clock_timestamp()
        where id = p_id returning * into a;
    return to_jsonb(a);
end $$;

create or replace function duly.end_approval(p_id text, p_outcome text, p_answer text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.approvals set outcome = p_outcome, answer = p_answer
        where id = p_id and state = 'approved' and outcome in ('', 'failed')
$$;
