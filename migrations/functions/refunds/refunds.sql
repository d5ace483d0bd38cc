-- Money back through the gateway: refunds of any part of a payment, and cancellations of what is left of it (F53, F66 to
-- F69, X24, X31 to X42). A request is written down before any call of the gateway, under the account's lock, so that what
-- is requested back of a payment can never come to more than was captured.

-- What may still be given back of a payment: captured less requested back, whether that is certain or not, less disputed.
create or replace function duly.payment_left(p_request_id text) returns duly.payment_left
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    v duly.payment_left;
begin
    select * into r from duly.gateway_requests where id = p_request_id and kind = 'payment' and state = 'posted';
    if not found then return null; end if;
    v := row(r.id, duly.standing_payment(r.transaction_id), null, r.provider_id, r.currency, r.gateway_reference,
        r.amount_minor, 0, 0, 0, false, false);
    select account_id into v.account_id from duly.financial_transactions where id = v.transaction_id;
    select coalesce(sum(b.amount_minor), 0), coalesce(bool_or(
            b.state <> 'posted' or exists (select from duly.gateway_attempts a
                where a.request_id = b.id and a.outcome = 'processing')), false)
    into v.returned_minor, v.is_in_flight
    from duly.gateway_requests b where b.of_request_id = r.id and b.state not in ('rejected', 'reversed');
    -- Of what was lost the bank may have given a part back, or have still to take some; what was won may have still to come back.
    select coalesce(bool_or(d.state = 'open'), false), coalesce(sum(greatest(case d.state
        when 'lost' then coalesce(-e.amount_minor, nullif(s.held, 0), d.amount_minor) - s.released else s.lost + s.written_off end, 0)), 0)
    into v.is_disputed, v.disputed_minor
    from duly.disputes d cross join lateral duly.dispute_sums(d.provider_id, d.id) s
    left join duly.gateway_expectations e on e.provider_id = d.provider_id and e.object = d.id and e.kind = 'dispute'
    where d.request_id = r.id;
    v.left_minor := v.captured_minor - v.returned_minor - v.disputed_minor;
    v.left_minor := greatest(v.left_minor, 0);
    return v;
end $$;

-- A payment, and all that has taken its place since: what it was moved to (Q10), the rest that was kept when a part went back, and
-- what came back after that.
create or replace function duly.successors_of_payment(p_transaction_id text) returns table (id text, depth integer)
language sql stable security definer set search_path = duly, pg_temp as $$
    with recursive later (id, depth) as (
        select p_transaction_id collate "C", 0
        union all
        select n.id, l.depth + 1 from later l cross join lateral (
            select t.id from duly.financial_transactions t where t.counterpart_id = l.id and t.classification = 'payment'
            union all
            select k.id from duly.financial_transactions c
            join duly.financial_transactions k on k.classification = 'payment' and k.idempotency_key = any (array[
                c.idempotency_key || ':kept', regexp_replace(c.idempotency_key, '^cancellation:', 'cancellation_returned:')])
            where c.counterpart_id = l.id and c.classification = 'payment_cancellation'
            union all
            -- What a bank gave back of a lost dispute, in parts.
            select k.id from duly.financial_transactions c
            join duly.financial_transactions k on k.classification = 'payment'
                and k.idempotency_key >= c.idempotency_key || ':regained' and k.idempotency_key < c.idempotency_key || ':regained;'
            where c.counterpart_id = l.id and c.classification = 'payment_cancellation' and c.idempotency_key like 'dispute:%') n
    )
    select l.id, l.depth from later l
$$;

-- The payment that stands for the money now, or for most of it; of one for which nothing stands, what it was last.
create or replace function duly.standing_payment(p_transaction_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select s.id from duly.successors_of_payment(p_transaction_id) s left join duly.financial_transactions t on t.id = s.id
    order by t.state = 'posted' desc nulls last, case when t.state = 'posted' then t.total_minor end desc, s.depth desc, s.id limit 1
$$;

-- The payment after all its moves, whatever went back of it since.
create or replace function duly.moved_payment(p_transaction_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    with recursive moved (id, depth) as (
        select p_transaction_id collate "C", 0
        union all
        select t.id, m.depth + 1 from moved m join duly.financial_transactions t
            on t.counterpart_id = m.id and t.classification = 'payment'
    )
    select id from moved order by depth desc limit 1
$$;

-- Lock every account on which a payment, or what took its place, was posted, and another.
create or replace function duly.lock_accounts_of_payment(p_transaction_id text, p_account_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.lock_accounts(array_agg(t.account_id) || p_account_id)
    from duly.successors_of_payment(p_transaction_id) s join duly.financial_transactions t on t.id = s.id
$$;

-- Money of a payment has gone back: what stands for it is cancelled, most of it first, until that is as much; the rest is kept.
-- Returns the first cancellation.
create or replace function duly.return_standing(p_key text, p_transaction_id text, p_returned_minor bigint, p_gateway_reference text,
    p_issue_reason text, p_origin text, p_actor text)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v record;
    v_left bigint := p_returned_minor;
    v_place integer := 0;
    v_id text;
    v_first text;
begin
    for v in select t.id, t.total_minor from duly.successors_of_payment(p_transaction_id) s
        join duly.financial_transactions t on t.id = s.id where t.state = 'posted' order by t.total_minor desc, t.id
    loop
        exit when v_left = 0;
        v_place := v_place + 1;
        v_id := duly.return_payment(p_key || case when v_place > 1 then ':' || v_place else '' end, v.id,
            least(v_left, v.total_minor), p_gateway_reference, p_issue_reason, p_origin, p_actor);
        v_first := coalesce(v_first, v_id);
        v_left := v_left - least(v_left, v.total_minor);
    end loop;
    if v_left > 0 then
        perform duly.refuse('returned_within_paid', format('amount: %s of %s went back, and only %s stand for it',
            duly.shown_amount(p_returned_minor, t.currency), p_transaction_id, duly.shown_amount(p_returned_minor - v_left, t.currency)))
        from duly.financial_transactions t where t.id = p_transaction_id;
    end if;
    return v_first;
end $$;

-- The request that took a payment's money. A moved payment keeps its reference; what was kept or has come back has that of its cause.
create or replace function duly.payment_request_of(p_payment_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    with recursive earlier (id, depth) as (
        select p_payment_id collate "C", 0
        union all
        select n.id, e.depth + 1 from earlier e join duly.financial_transactions t on t.id = e.id cross join lateral (
            select t.counterpart_id as id where t.counterpart_id is not null
            union all
            select c.counterpart_id from duly.financial_transactions c where c.classification = 'payment_cancellation'
              and c.idempotency_key = regexp_replace(regexp_replace(t.idempotency_key, ':(kept|regained(:[0-9]+)?)$', ''),
                '^cancellation_returned:', 'cancellation:')) n
        where t.classification = 'payment'
    )
    select r.id from earlier e join duly.financial_transactions t on t.id = e.id
    join duly.gateway_requests r on r.provider_id = t.provider and r.gateway_reference = t.gateway_reference and r.kind = 'payment'
    where t.classification = 'payment' order by e.depth limit 1
$$;

create or replace function duly.refund_view(r duly.gateway_requests, a duly.gateway_attempts, p_may_send boolean default true)
returns jsonb language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    return (select jsonb_build_object('request_id', r.id, 'kind', r.kind, 'provider', r.provider_id, 'account_id', r.account_id,
        'payment_id', a.payment_id, 'transaction_id', coalesce(r.transaction_id, ''), 'amount_minor', r.amount_minor,
        'currency', r.currency, 'state', r.state, 'code', r.error_code, 'attempt', a.attempt,
        'idempotency_key', a.idempotency_key, 'outcome', a.outcome, 'gateway_reference', coalesce(a.gateway_reference, ''),
        'payment_reference', p.gateway_reference, 'refunds_application_fee', exists (select from duly.gateway_attempts x
            where x.request_id = p.id and x.outcome = 'succeeded' and x.application_fee_minor > 0 and x.refunds_application_fee
            -- What was passed on is taken back by itself, with its part of the fee.
            and x.merchant_provider = ''),
        'channel', a.channel, 'attempt_code', a.code,
        'may_be_sent', duly.may_be_sent(a, p_may_send), 'quiet_since', a.quiet_since, 'executed_at', r.executed_at,
        'was_unanswered', r.state = 'unknown',
        -- The moments are for workers of 0.1.0.
        'started_at', a.started_at, 'sent_at', a.sent_at,
        'watch_days', l.watch_days, 'collect_as', case when l.collects_reopened and r.kind = 'payment_cancellation'
            and p.period not like 'found/%' then p.period || '-again' else '' end,
        'award_id', coalesce((select d.award_id from duly.reduction_parts d where d.request_id = r.id), ''))
        || duly.attempt_identity(r)
    from duly.gateway_requests p, duly.refund_rules l where p.id = r.of_request_id);
end $$;

-- Whether so much of a payment may be given back; an amount of 0 is all that is left.
create or replace function duly.check_refundable(v duly.payment_left, p_payment_id text, p_kind text, p_amount_minor bigint) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    t duly.financial_transactions;
begin
    select * into t from duly.financial_transactions where id = p_payment_id;
    if t.id is null or t.classification <> 'payment' then
        perform duly.refuse('payment_exists', format('payment: there is no payment %s', p_payment_id));
    elsif v.request_id is null then
        perform duly.refuse('payment_through_gateway',
            format('payment: %s did not go through a gateway of ours; refund it by bank transfer', p_payment_id));
    elsif (select state from duly.financial_transactions where id = v.transaction_id) <> 'posted' then
        perform duly.refuse('payment_posted', format('payment: %s is cancelled', v.transaction_id));
    elsif v.is_disputed then
        perform duly.refuse('payment_not_disputed', format('payment: %s is disputed', v.transaction_id));
    elsif v.left_minor = 0 then
        perform duly.refuse('something_is_left', format('payment: nothing is left of %s', v.transaction_id));
    elsif p_kind = 'payment_cancellation' and v.is_in_flight then
        perform duly.refuse('no_refund_in_flight',
            format('payment: a refund of %s is under way; cancel the payment when it is certain', v.transaction_id));
    elsif p_kind = 'payment_cancellation' and exists (select from duly.gateway_requests b where b.of_request_id = v.request_id
            and b.kind = 'payment_cancellation' and b.state not in ('rejected', 'reversed')) then
        perform duly.refuse('cancelled_once', format('payment: what was left of %s was cancelled already; refund what has come back '
            'since', v.transaction_id));
    elsif p_amount_minor < 0 or p_amount_minor > v.left_minor then
        perform duly.refuse('refund_within_captured',
            format('amount: %s is not within the %s that are left of %s', duly.shown_amount(p_amount_minor, v.currency),
                duly.shown_amount(v.left_minor, v.currency), v.transaction_id));
    elsif p_amount_minor % duly.charge_step(v.currency) <> 0 then
        perform duly.refuse('amount_in_steps', format('amount: the gateway takes steps of %s, not %s',
            duly.shown_amount(duly.charge_step(v.currency), v.currency), duly.shown_amount(p_amount_minor, v.currency)));
    elsif p_kind = 'payment_cancellation' and p_amount_minor not in (0, v.left_minor) then
        perform duly.refuse('cancelled_in_full', 'amount: a payment is cancelled in full, never in part');
    end if;
end $$;

-- Write a refund or cancellation down before its call, or return it as an earlier call left it. Repeatable at any
-- point. Where nothing may be sent, null is returned instead of writing one down.
create or replace function duly.open_refund(p_request_id text, p_kind text, p_payment_id text, p_amount_minor bigint, p_attempt integer,
    p_actor text, p_reason text, p_origin text, p_is_acknowledged boolean, p_may_send boolean default true,
    p_provider_id text default null)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    a duly.gateway_attempts;
    v duly.payment_left;
begin
    select * into r from duly.gateway_requests where id = p_request_id;
    if not found then
        v := duly.payment_left(duly.payment_request_of(p_payment_id));
        perform from duly.account_balances where account_id = v.account_id for no key update;
        select * into r from duly.gateway_requests where id = p_request_id;
    else
        perform from duly.account_balances where account_id = r.account_id for no key update;
    end if;
    if coalesce(r.provider_id, v.provider_id) <> p_provider_id then
        -- The other provider would say that there is no such payment, or no such refund of it.
        perform duly.refuse('provider_of_payment', format('provider: %s went through %s, not %s', p_payment_id,
            coalesce(r.provider_id, v.provider_id), p_provider_id));
    elsif r.id is null then
        v := duly.payment_left(v.request_id);
        perform duly.check_refundable(v, p_payment_id, p_kind, p_amount_minor);
        perform duly.require_sending(v.provider_id);
        if not p_may_send then return null; end if;
        r := duly.write_refund(v, p_request_id, p_kind, coalesce(nullif(p_amount_minor, 0), v.left_minor), p_actor, p_reason,
            p_origin, p_is_acknowledged);
    elsif r.of_request_id is null or r.kind <> p_kind or r.of_request_id <> duly.payment_request_of(p_payment_id)
        or (p_amount_minor > 0 and r.amount_minor <> p_amount_minor) then
        perform duly.refuse('id_means_one_request', format('refund: %s was used for another request', p_request_id));
    end if;
    select * into a from duly.gateway_attempts where request_id = r.id and attempt = p_attempt;
    if found then
        if not duly.is_final(a.outcome) then
            perform duly.require_sending(r.provider_id);
        end if;
        if p_may_send then perform duly.mark_sent(a); end if;
        return duly.refund_view(r, a, p_may_send);
    end if;
    if p_attempt > 1 then
        perform duly.check_next_attempt(r, p_attempt);
    end if;
    if not duly.is_provider_reachable(r.provider_id) then
        -- The request is written, and nothing for the attempt: its number stays free for the day on which it is effective.
        a.attempt := p_attempt;
        select duly.standing_payment(p.transaction_id) into a.payment_id from duly.gateway_requests p where p.id = r.of_request_id;
        return duly.refund_view(r, a) || jsonb_build_object('is_waiting', true);
    end if;
    if not p_may_send then return null; end if;
    insert into duly.gateway_attempts (request_id, attempt, subject, number, idempotency_key, cause, channel, token, customer,
        payment_id, amount_minor)
    select r.id, p_attempt, duly.subject_of(r), p_attempt, duly.attempt_key(duly.subject_of(r), p_attempt),
        case p_origin when 'user' then 'manual' else 'scheduled' end, 'refund', '', coalesce(g.customer_reference, ''),
        duly.standing_payment(p.transaction_id), r.amount_minor
    from duly.gateway_requests p left join duly.gateway_customers g
        on g.provider_id = p.provider_id and g.account_id = p.account_id
    where p.id = r.of_request_id returning * into a;
    return duly.refund_view(r, a);
end $$;

-- The request, and the draft that the gateway's answer posts or rejects (Q8, F60).
create or replace function duly.write_refund(v duly.payment_left, p_request_id text, p_kind text, p_amount_minor bigint, p_actor text,
    p_reason text, p_origin text, p_is_acknowledged boolean)
returns duly.gateway_requests language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    o duly.accounts;
    v_balance bigint;
    v_method text;
    v_draft text;
begin
    select * into o from duly.accounts where id = v.account_id;
    select balance_minor into v_balance from duly.account_balances where account_id = v.account_id;
    select method into v_method from duly.financial_transactions where id = v.transaction_id;
    if o.state = 'terminated' then
        perform duly.refuse('account_not_terminated', format('account: %s is terminated', o.id));
    elsif (select provider from duly.financial_transactions where id = v.transaction_id) is distinct from v.provider_id
        and not exists (select from duly.provider_methods where payment_method_id = v_method and provider_id = v.provider_id) then
        perform duly.refuse('method_on_provider',
            format('method: %s is not among the payment methods of provider %s', v_method, v.provider_id));
    elsif p_kind = 'refund' and not p_is_acknowledged and v_balance + p_amount_minor > o.credit_limit_minor then
        perform duly.refuse('credit_limit', format('amount: the refund takes the balance of %s to %s, above its credit '
            'limit of %s; acknowledge to go on', o.id, duly.shown_amount(v_balance + p_amount_minor, o.currency),
            duly.shown_amount(o.credit_limit_minor, o.currency)));
    end if;
    -- One that is asked for again is the one that was within the limits, or approved.
    if p_origin = 'user' and not duly.is_again(v.request_id, p_kind, p_amount_minor, p_request_id) then
        perform duly.require_alone('refund', p_actor, p_request_id, '', v.account_id, p_amount_minor, v.currency);
    end if;
    if p_kind = 'refund' then
        v_draft := (duly.make_refund('refund:' || p_request_id, v.account_id, p_amount_minor, v.currency, v_method,
            v.provider_id, p_draft => true, p_issue_reason => p_reason, p_origin => p_origin, p_actor => p_actor)).transaction_id;
    end if;
    insert into duly.gateway_requests (id, kind, provider_id, account_id, transaction_id, of_request_id, amount_minor,
        currency, asked_by, asked_because)
    values (p_request_id, p_kind, v.provider_id, v.account_id, v_draft, v.request_id, p_amount_minor, v.currency, p_actor,
        p_reason)
    returning * into r;
    return r;
end $$;
