-- The gate of whatever gives value away: within the limits of who does it, or by another person's approval.

-- What a transaction that a person posts gives away; null for what gives nothing, or whose gate is another function: a gateway's money when it
-- is asked for, a voucher when it is issued, a wallet when it is credited.
create or replace function duly.given_away_by(t duly.financial_transactions) returns text
language sql stable set search_path = duly, pg_temp as $$
    select case t.classification
        when 'credit_note' then case when not exists (select from duly.refund_credits c where c.document ->> 'key' = t.idempotency_key
            and c.credit_note_id is null) then 'credit_note' end
        when 'write_off' then 'write_off'
        when 'refund' then case when not duly.is_with_bank(t) then 'refund' end
        when 'invoice_cancellation' then 'cancellation'
        -- Of a payment that is moved the gate is its arrival. What is moved says the function that moves it, and no key that somebody chose.
        when 'payment_cancellation' then case when t.counterpart_id is distinct from current_setting('duly.moved', true) then 'cancellation' end
        when 'payment' then case
            when t.counterpart_id is not null then (select case a.kind when 'suspense' then 'suspense_move' else 'move' end
                from duly.financial_transactions o join duly.accounts a on a.id = o.account_id where o.id = t.counterpart_id)
            when t.provider is null and (select split_part(m.ledger_account, ':', 1) from duly.payment_methods m where m.id = t.method)
                not in ('voucher_clearing', 'wallet_clearing') then 'payment' end
    end
$$;

create or replace function duly.guard_giving() returns trigger
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    -- A draft is posted by whoever posts it, whoever has drafted it.
    if tg_op = 'UPDATE' and new.posted_by in ('', 'system') then return null; end if;
    -- Where no kind and no role has any limit, this is all that a posting pays for them.
    perform from duly.approval_rules r where jsonb_path_exists(to_jsonb(r), '$.*.*');
    if not found then return null; end if;
    -- A transaction and a request to a gateway may have been given one key: each is counted.
    perform duly.require_alone(duly.given_away_by(new), case tg_op when 'UPDATE' then new.posted_by else new.actor end,
        'transaction:' || new.idempotency_key, case tg_op when 'UPDATE' then new.id else '' end, new.account_id, new.total_minor, new.currency);
    return null;
end $$;

-- Let somebody give an amount away, or refuse it (approval_required). A key is that of what is written: one that the console has asked the limits
-- about, or another person has approved, is not counted again; nor is a draft (`p_draft_id`) whose posting was.
create or replace function duly.require_alone(p_kind text, p_actor text, p_key text, p_draft_id text, p_account_id text, p_amount_minor bigint,
    p_currency text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_actor text := lower(btrim(p_actor));
    -- The key of a form, as commands/console gives it to what it writes.
    v_form text := substring(p_key from '^(?:transaction:console:|rf_)([0-9a-f]{32})$');
    v_role text;
    v_limits jsonb;
    v_used bigint;
    v_approval text;
begin
    if p_kind is null or p_amount_minor = 0 or not duly.is_limited(p_kind) then return; end if;
    select role into v_role from duly.users where id = v_actor and state = 'active';
    if v_role is null then
        perform duly.refuse('giver_is_user', format('actor: %s is no user of the console; there are limits of who does this (%s)', p_actor, p_kind));
    end if;
    v_limits := duly.limits_of(p_kind, v_role);
    if v_limits = '{}' then return; end if;
    perform pg_advisory_xact_lock(hashtextextended('giving/' || v_actor, 0));
    if exists (select from duly.limited_actions where (user_id, kind, currency, key) = (v_actor, p_kind, p_currency, p_key || ':' || p_kind)
            and amount_minor >= p_amount_minor) then
        return;
    end if;
    -- What a form has counted, of itself or of a draft's posting: for one thing that is written, and no other by the same key.
    update duly.limited_actions l set written_as = p_key
        where l.user_id = v_actor and l.kind = p_kind and l.currency = p_currency and l.amount_minor >= p_amount_minor
            and coalesce(l.written_as, p_key) = p_key and (l.key = v_form or l.key in (select f.key from duly.console_forms f
            where f.action = 'transactions/post' and f.subject = p_draft_id));
    if found then return; end if;
    select a.id into v_approval from duly.approvals a where a.asked_by = v_actor and a.state = 'approved' and a.outcome in ('', 'failed')
        and a.amount_minor >= p_amount_minor and a.currency = p_currency and duly.is_approved_for(a, p_kind, v_form, p_account_id, p_draft_id)
        and not exists (select from duly.limited_actions l where l.approval_id = a.id and l.kind = p_kind)
        limit 1 for no key update;
    if found then
        insert into duly.limited_actions (key, user_id, kind, currency, amount_minor, approval_id)
            values (p_key || ':' || p_kind, v_actor, p_kind, p_currency, p_amount_minor, v_approval);
        return;
    end if;
    select coalesce(sum(amount_minor), 0) into v_used from duly.limited_actions where user_id = v_actor and kind = p_kind
        and currency = p_currency and approval_id is null and used_at >= date_trunc('day', now(), 'UTC');
    if v_used + p_amount_minor > coalesce((v_limits ->> p_currency)::bigint, 0) then
        select a.id into v_approval from duly.approvals a where a.action = 'approvals/ask' and a.kind = p_kind and a.state = 'approved'
            and a.asked_by = v_actor and a.currency = p_currency and a.account_id is not distinct from p_account_id
            and a.amount_minor - p_amount_minor >= (select coalesce(sum(l.amount_minor), 0) from duly.limited_actions l where l.approval_id = a.id)
            and a.expires_at > clock_timestamp()
            order by a.amount_minor, a.id limit 1 for no key update;
        if v_approval is null then
            perform duly.refuse('approval_required', format('amount: %s of today (UTC) is above what %s does alone (%s); another person approves '
                'it: duly approvals ask %s %s %s%s', duly.shown_amount(v_used + p_amount_minor, p_currency), v_actor, p_kind, replace(p_kind, '_', '-'),
                split_part(duly.shown_amount(p_amount_minor, p_currency), ' ', 1), p_currency, coalesce(' --account ' || p_account_id, '')));
        end if;
    end if;
    insert into duly.limited_actions (key, user_id, kind, currency, amount_minor, approval_id)
        values (p_key || ':' || p_kind, v_actor, p_kind, p_currency, p_amount_minor, v_approval);
end $$;

-- Whether what another person has approved, by a form of the console, is what would be written: of that kind and account, or that draft as it was
-- seen. The credit note that a refund brings was approved with it.
create or replace function duly.is_approved_for(a duly.approvals, p_kind text, p_form text, p_account_id text, p_draft_id text) returns boolean
language sql stable set search_path = duly, pg_temp as $$
    select case when a.id = 'apv_' || p_form then (a.kind = p_kind or (a.kind, p_kind) = ('refund', 'credit_note'))
            and p_account_id = case a.action when 'transactions/move' then a.fields ->> 'account' else a.account_id end
        else a.action = 'transactions/post' and a.subject = p_draft_id and not duly.is_edited_since(a) end
$$;

-- Whether what was asked about is not any more what was looked at, whatever it comes to.
create or replace function duly.is_edited_since(a duly.approvals) returns boolean
language sql stable set search_path = duly, pg_temp as $$
    select exists (select from duly.audit_trail c where (c.kind, c.subject, c.action) = ('transaction', a.subject, 'edited')
        and c.made_at >= a.asked_at)
$$;

-- Let somebody accept a dispute, which gives up what its bank has taken, before the gateway is told.
create or replace function duly.require_alone_to_accept(p_dispute_id text, p_actor text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.require_alone('dispute', p_actor, 'dispute:' || d.id, '', d.account_id, d.amount_minor, d.currency)
    from duly.disputes d where d.id = p_dispute_id
$$;

-- Whether anybody's limit is set of a kind.
create or replace function duly.is_limited(p_kind text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.limits_of(p_kind, null) <> '{}'
        or exists (select from jsonb_each(r.roles_minor) as one (role, limits) where one.limits ? (p_kind || 's'))
    from duly.approval_rules r
$$;

-- Ask another person for an amount of a kind, before it is done: once approved, its asker does up to as much of it, until the request expires.
create or replace function duly.ask_to_give(p_id text, p_kind text, p_account_id text, p_amount_minor bigint, p_currency text, p_user_id text,
    p_reason text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_user text := lower(btrim(p_user_id));
begin
    if not duly.is_limited(p_kind) then
        perform duly.refuse('kind_is_limited', format('kind: nothing limits this (%s): it is done without asking', p_kind));
    elsif not exists (select from duly.users u where u.id = v_user and u.state = 'active') then
        perform duly.refuse('giver_is_user', format('actor: %s is no user of the console', p_user_id));
    elsif btrim(p_reason) = '' then
        perform duly.refuse('command_says_who_and_why', 'reason: say why');
    elsif p_account_id is not null and not exists (select from duly.accounts where id = p_account_id) then
        perform duly.refuse('account_exists', format('account: there is no account %s', p_account_id));
    elsif p_amount_minor <= 0 then
        perform duly.refuse('amount_in_range', 'amount: must be more than nothing');
    end if;
    insert into duly.approvals (id, action, kind, subject, account_id, amount_minor, currency, fields, asked_by, asked_because, expires_at)
        select p_id, 'approvals/ask', p_kind, coalesce(p_account_id, p_kind), p_account_id, p_amount_minor, p_currency, '{}', v_user, p_reason,
            clock_timestamp() + make_interval(hours => r.expire_hours) from duly.approval_rules r;
    return p_id;
end $$;

-- Whether a refund is one that was asked for before, by the names that `refunds retry` gives, and did not stay paid: as much of one payment, and
-- no other of these names goes on or has gone through.
create or replace function duly.is_again(p_of_request_id text, p_kind text, p_amount_minor bigint, p_request_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select p_request_id ~ '\.[0-9]+$' and count(*) > 0 and bool_and(r.state in ('rejected', 'reversed'))
    from duly.gateway_requests r
    where r.of_request_id = p_of_request_id and r.kind::text = p_kind and r.amount_minor = p_amount_minor
      and regexp_replace(r.id, '\.[0-9]+$', '') = regexp_replace(p_request_id, '\.[0-9]+$', '')
$$;
