-- Who may give value away, and how much, is itself changed by two people, where the rules say so (approval_rules.changes_by_two).

create or replace function duly.is_by_two() returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select changes_by_two from duly.approval_rules
$$;

-- Who may approve, and whether two are needed, changes one commit after the other: of two who are disabled at once, each was the other's second.
create or replace function duly.lock_approvers() returns void
language sql volatile security definer set search_path = duly, pg_temp as $$
    select pg_advisory_xact_lock(hashtextextended('approvers', 0))
$$;

-- Refuse (two_approvers) what would leave less than two people of whom one approves what the other asks for.
create or replace function duly.require_two_approvers() returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.lock_approvers();
    if (select count(*) from duly.users where state = 'active' and role in ('accountant', 'administrator') and merchants = '{}') < 2 then
        perform duly.refuse('two_approvers', 'approval_rules.changes_by_two: less than two accountants or administrators of the whole house '
            'would be left, and nobody could approve what the other asks for');
    end if;
end $$;

-- What a change gives a user, or somebody who is none yet: a role beyond the least, a way in, customers of more merchants. null is what it leaves
-- as it is; whoever takes rights away waits for nobody.
create or replace function duly.rights_given(u duly.users, p_role text, p_password_hash text, p_state text, p_merchants text[]) returns jsonb
language sql immutable set search_path = duly, pg_temp as $$
    select jsonb_strip_nulls(jsonb_build_object(
        'role', case when u.id is null or p_role <> 'viewer' then nullif(p_role, u.role) end,
        'password', case when p_password_hash <> '' then 'another' end,
        'state', case when p_state <> 'disabled' then nullif(p_state, u.state) end,
        'merchants', case when p_merchants = '{}' then case when u.merchants is distinct from '{}' then 'all' end
            when u.id is null or u.merchants <> '{}' and not p_merchants <@ u.merchants then array_to_string(p_merchants, ' ') end))
$$;

-- Limits in words, by currency.
create or replace function duly.shown_limits(p_limits jsonb) returns text
language sql stable set search_path = duly, pg_temp as $$
    select coalesce(string_agg(duly.shown_amount(amount::bigint, currency), ', ' order by currency), 'any amount')
    from jsonb_each_text(p_limits) as one (currency, amount)
$$;

-- What one person of a role does alone of a kind, by a row of the rules.
create or replace function duly.limits_by(p_rules jsonb, p_role text, p_column text) returns jsonb
language sql immutable set search_path = duly, pg_temp as $$
    select coalesce(p_rules -> 'roles_minor' -> p_role -> left(p_column, -6), p_rules -> p_column)
$$;

-- Which of the rules let one person do more than before, each as it was and as it is: {} of what only tightens them.
create or replace function duly.loosened(p_was jsonb, p_is jsonb) returns jsonb
language sql stable set search_path = duly, pg_temp as $$
    with roles as (
        select '' as role
        union select jsonb_object_keys(p_was -> 'roles_minor') union select jsonb_object_keys(p_is -> 'roles_minor')
    ), kinds as (
        select btrim(role || ' ' || replace(left(k.name, -6), '_', ' ')) as what, duly.limits_by(p_was, role, k.name) as was,
            duly.limits_by(p_is, role, k.name) as "is",
            -- An agent without a limit of the role's own writes nothing off.
            (role, k.name) = ('agent', 'write_offs_minor') and coalesce(p_is -> 'roles_minor' -> 'agent' ? 'write_offs', false)
                and not coalesce(p_was -> 'roles_minor' -> 'agent' ? 'write_offs', false) as is_new
        from jsonb_object_keys(p_was) as k (name), roles
        where k.name like '%\_minor' and k.name <> 'roles_minor'
    )
    select coalesce(jsonb_object_agg(what, how), '{}') from (
        select what, duly.shown_limits(was) || ' -> ' || duly.shown_limits("is") as how from kinds
        where is_new or was <> '{}' and ("is" = '{}' or exists (select from jsonb_each_text("is") as one (currency, amount)
            where amount::bigint > coalesce((was ->> currency)::bigint, 0)))
        union all
        select 'expire hours', format('%s -> %s', p_was ->> 'expire_hours', p_is ->> 'expire_hours')
        where (p_is ->> 'expire_hours')::integer > (p_was ->> 'expire_hours')::integer
        union all
        select 'changes by two', 'true -> false' where (p_was ->> 'changes_by_two')::boolean and not (p_is ->> 'changes_by_two')::boolean) x
$$;

-- Let somebody change what another person has approved, word for word and once, or refuse it (change_by_two).
create or replace function duly.use_approved_change(p_kind text, p_subject text, p_fields jsonb, p_actor text) returns void
language plpgsql as $$
declare
    v_approval text;
begin
    select id into v_approval from duly.approvals where kind = p_kind and subject = p_subject and fields = p_fields and state = 'approved'
        and outcome = '' and asked_by = lower(btrim(p_actor)) and expires_at > clock_timestamp() limit 1 for no key update;
    if not found then
        perform duly.refuse('change_by_two', format('%s: another person approves this (approval_rules.changes_by_two)', p_subject));
    end if;
    update duly.approvals set outcome = 'done', answer = 'It was done.' where id = v_approval;
end $$;

create or replace function duly.guard_limits() returns trigger
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_fields jsonb := duly.loosened(to_jsonb(old), to_jsonb(new));
begin
    if old.changes_by_two and v_fields <> '{}' then
        perform duly.use_approved_change('limits', 'approval_rules', v_fields, current_setting('duly.actor', true));
    elsif new.changes_by_two and not old.changes_by_two then
        perform duly.require_two_approvers();
    end if;
    return null;
end $$;

-- Ask another person for a change, before it is made, and return the id under which that waits; the same that waits already is not asked again.
create or replace function duly.ask_change(p_id text, p_kind text, p_subject text, p_fields jsonb, p_user_id text, p_reason text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_user text := lower(btrim(p_user_id));
    v_id text;
begin
    perform pg_advisory_xact_lock(hashtextextended('approval/' || p_subject, 0));
    if not exists (select from duly.users u where u.id = v_user and u.state = 'active') then
        perform duly.refuse('giver_is_user', format('actor: %s is no user of the console', p_user_id));
    elsif btrim(p_reason) = '' then
        perform duly.refuse('command_says_who_and_why', 'reason: say why');
    end if;
    select id into v_id from duly.approvals where kind = p_kind and subject = p_subject and fields = p_fields and asked_by = v_user
        and state = 'waiting' and expires_at > clock_timestamp() limit 1;
    if found then return v_id; end if;
    insert into duly.approvals (id, action, kind, subject, fields, asked_by, asked_because, expires_at)
        select p_id, 'approvals/change', p_kind, p_subject, p_fields, v_user, p_reason,
            clock_timestamp() + make_interval(hours => r.expire_hours) from duly.approval_rules r;
    return p_id;
end $$;

-- The same of limits: `p_rules` has what a document says of them.
create or replace function duly.ask_limits(p_id text, p_rules jsonb, p_user_id text, p_reason text) returns text
language sql security definer set search_path = duly, pg_temp as $$
    select duly.ask_change(p_id, 'limits', 'approval_rules', duly.loosened(to_jsonb(r), to_jsonb(r) || p_rules), p_user_id, p_reason)
    from duly.approval_rules r
$$;

-- The same of a user; `p_password_hash` says only whether there is another.
create or replace function duly.ask_user(p_id text, p_user text, p_role text, p_password_hash text, p_state text, p_merchants text[],
    p_user_id text, p_reason text) returns text
language sql security definer set search_path = duly, pg_temp as $$
    select duly.ask_change(p_id, 'user', p_user, duly.rights_given(u, p_role, p_password_hash, p_state, p_merchants), p_user_id, p_reason)
    from (values (1)) one (n) left join duly.users u on u.id = p_user
$$;
