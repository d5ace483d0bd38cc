-- One attempt at the gateway: its row, with the idempotency key, is written before the call; its outcome and the ledger's
-- postings are one commit after it (outcomes.sql). What happens when the gateway does not answer:
-- activities/gateway/attempts.py.

-- Whether an outcome is certain and never changes again (FINAL_OUTCOMES in models/gateway/gateway_request.py).
create or replace function duly.is_final(p_outcome text) returns boolean
language sql immutable as $$
    select coalesce(p_outcome in ('succeeded', 'declined', 'did_not_happen', 'invalid_request'), false)
$$;

-- Whether an attempt may be sent: it has no outcome, and its key is younger than 23 hours, by the one clock that measured
-- both ends. The gateway keeps a key for a day at least: an hour is left for clocks that are put right meanwhile, for a
-- repeat must never arrive as a new request. From then on evidence is looked for. So it is, too, of one that the clock says is
-- not yet: the clock was ahead when it was written down, and nobody knows how old its key is.
create or replace function duly.may_be_sent(p_attempt duly.gateway_attempts, p_may_send boolean) returns boolean
language sql stable as $$
    select p_may_send and p_attempt.outcome is null
        and p_attempt.started_at > now() - interval '23 hours' and p_attempt.started_at < now() + interval '1 minute'
$$;

-- An attempt is about to be sent again, where it may: the quiet period begins anew when that has got no answer.
create or replace function duly.mark_sent(p_attempt duly.gateway_attempts) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_attempts set sent_at = clock_timestamp(), quiet_since = null
    where request_id = p_attempt.request_id and attempt = p_attempt.attempt and duly.may_be_sent(p_attempt, true)
$$;

create or replace function duly.collect_result(p_outcome text, p_request duly.gateway_requests, p_attempt duly.gateway_attempts,
    p_code text default '', p_other_card_ids text[] default '{}')
returns jsonb language sql stable as $$
    select jsonb_build_object(
        'outcome', p_outcome,
        'request_id', coalesce(p_request.id, ''),
        'attempt', coalesce(p_attempt.attempt, 0),
        'amount_minor', coalesce(p_attempt.amount_minor, p_request.amount_minor, 0),
        'currency', coalesce(p_request.currency, ''),
        'gateway_reference', coalesce(p_attempt.gateway_reference, ''),
        'card_id', coalesce(p_attempt.card_id, ''),
        'card_label', coalesce((select c.brand || ' ' || c.last4 from duly.cards c where c.id = p_attempt.card_id), ''),
        'other_card_ids', to_jsonb(p_other_card_ids),
        'code', coalesce(nullif(p_attempt.code, ''), p_code),
        'decline_code', coalesce(p_attempt.decline_code, ''),
        'advice_code', coalesce(p_attempt.advice_code, ''))
$$;

create or replace function duly.stored_result(p_request duly.gateway_requests, p_attempt duly.gateway_attempts) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.collect_result(
        case p_attempt.outcome when 'succeeded' then 'settled' else p_attempt.outcome end, p_request, p_attempt, '',
        case p_attempt.outcome when 'declined'
            then duly.other_cards(p_request.account_id, p_request.provider_id, p_attempt.card_id) else '{}' end)
$$;

-- The numbers of some invoices, in their order: what a page names to whoever pays on it.
create or replace function duly.invoice_numbers(p_invoices text[]) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(n.number order by i.place), '[]')
    from unnest(p_invoices) with ordinality i (id, place) join duly.transaction_numbers n on n.transaction_id = i.id
$$;

create or replace function duly.attempt_to_send(p_request duly.gateway_requests, p_attempt duly.gateway_attempts,
    p_may_send boolean default true)
returns jsonb language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('result', null, 'attempt', jsonb_build_object(
        'request_id', p_request.id, 'account_id', p_request.account_id, 'currency', p_request.currency,
        'attempt', p_attempt.attempt, 'idempotency_key', p_attempt.idempotency_key, 'payment_id', p_attempt.payment_id,
        'amount_minor', p_attempt.amount_minor, 'application_fee_minor', p_attempt.application_fee_minor,
        'destination', case when p_attempt.merchant_provider <> ''
            then (select gateway_account from duly.providers where id = p_attempt.merchant_provider) else '' end, 'customer', p_attempt.customer, 'token', p_attempt.token,
        'channel', p_attempt.channel, 'outcome', p_attempt.outcome, 'gateway_reference', p_attempt.gateway_reference,
        'invoices', duly.invoice_numbers(p_request.invoices), 'code', p_attempt.code,
        'known_references', duly.known_references(p_request, p_attempt),
        -- Its outcome is committed before it is booked.
        'is_large', cardinality(p_request.invoices) > 500,
        -- The moments are for workers of 0.1.0.
        'started_at', p_attempt.started_at, 'sent_at', p_attempt.sent_at,
        'may_be_sent', duly.may_be_sent(p_attempt, p_may_send), 'quiet_since', p_attempt.quiet_since,
        'was_unanswered', p_request.state = 'unknown',
        -- Whether a page that is open has to be closed.
        'is_stopped', case when p_attempt.channel = 'hosted_page' then duly.is_stopped(p_request.provider_id)
            or duly.why_blocked(p_request.account_id) <> ''
            or p_attempt.merchant_provider <> '' and duly.why_not_connected(p_attempt.merchant_provider) <> ''
            -- Whose payments are taken for another by now pay on another page.
            or p_attempt.merchant_provider <> duly.destination_of(p_request.account_id, p_request.provider_id) else false end)
        -- An attempt of a release before 0085 has nothing frozen.
        || case when p_attempt.channel <> 'hosted_page' then '{}'
            else coalesce(p_attempt.page, duly.page_shown(p_request.account_id, p_request.period, p_request.provider_id)) end
        || duly.attempt_identity(p_request))
$$;

-- A member's outcome is written once; what happens later is the collection's.
create or replace function duly.finish_run_item(p_run_id text, p_member_id text, p_outcome text, p_reason text,
    p_settled_minor bigint default 0, p_transaction_id text default null)
returns void language sql security definer set search_path = duly, pg_temp as $$
    update duly.run_items
    set outcome = p_outcome, reason = p_reason, settled_minor = p_settled_minor, transaction_id = p_transaction_id,
        finished_at = now()
    where run_id = p_run_id and member_id = p_member_id and outcome is null
$$;

create or replace function duly.without_attempt(p_outcome text, p_run_id text, p_account_id text, p_request duly.gateway_requests,
    p_reason text, p_item_outcome text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.finish_run_item(p_run_id, p_account_id, p_item_outcome, p_reason);
    return jsonb_build_object('result', duly.collect_result(p_outcome, p_request, null, p_reason));
end $$;

-- Whether whoever calls may ask something new of a provider: it is in use, of their key's mode, and its merchant is connected.
create or replace function duly.is_provider_effective(p_provider_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.providers where id = p_provider_id and case when merchant_id is not null
        then duly.why_not_effective(id) = '' else state = 'effective' and duly.is_own_mode(mode) end)
$$;

-- A worker says the mode of its key with its connections: a provider may be configured, or get another mode, after it started.
create or replace function duly.is_own_mode(p_mode text) returns boolean language sql stable as
$$ select coalesce(nullif(current_setting('duly.gateway_mode', true), ''), p_mode) = p_mode $$;

-- Write an attempt down before its call, or return it as an earlier call left it. Repeatable at any point. Where nothing
-- may be sent, null is returned instead of writing one down. `receivable` is the name of what is collected: for a run's member
-- it may be another than the run's month. `has_rest`: what is left when it is paid is the next receivable's.
create or replace function duly.open_attempt(p_account_id text, p_period text, p_provider_id text, p_run_id text,
    p_attempt integer, p_cause text, p_card_id text, p_channel text default 'off_session', p_may_send boolean default true)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off
as $$
declare
    v_member duly.run_items;
    v_name text;
begin
    -- The account's row is the lock of all its money; it is taken first, here as everywhere.
    perform from duly.account_balances where account_id = p_account_id for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account %s does not exist', p_account_id));
    end if;
    if p_run_id <> '' then
        v_member := duly.named_member(p_account_id, p_period, p_run_id);
    end if;
    v_name := coalesce(v_member.receivable, p_period);
    return duly.attempt_of_receivable(p_account_id, v_name, p_provider_id, p_run_id, p_attempt, p_cause, p_card_id, p_channel,
            p_may_send)
        || jsonb_build_object('receivable', v_name, 'has_rest', v_member.rest_until is not null
            or coalesce(cardinality(v_member.invoices) > duly.invoices_at_most(), false));
end $$;

create or replace function duly.attempt_of_receivable(p_account_id text, p_period text, p_provider_id text, p_run_id text,
    p_attempt integer, p_cause text, p_card_id text, p_channel text, p_may_send boolean)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_request duly.gateway_requests;
    v_attempt duly.gateway_attempts;
    v_account duly.accounts;
    v_card duly.cards;
    v_part record;
    v_owed bigint;
    v_asked bigint;
    v_uncharged text;
    v_blocked text;
    v_held jsonb;
    v_has record;
    v_link duly.payment_requests := duly.payment_request_of_receivable(p_account_id, p_period);
begin
    select * into v_request from duly.gateway_requests
    where account_id = p_account_id and period = p_period and kind = 'payment';
    if found then
        if p_run_id <> '' and v_request.run_id is distinct from p_run_id then
            return duly.without_attempt('closed', p_run_id, p_account_id, v_request, 'asked_in_period', 'skipped');
        elsif v_request.provider_id <> p_provider_id then
            perform duly.refuse('provider_of_receivable', format('provider: %s of %s is collected through %s, not %s',
                p_period, p_account_id, v_request.provider_id, p_provider_id));
        end if;
        select * into v_attempt from duly.gateway_attempts where request_id = v_request.id and attempt = p_attempt;
        if found then
            if duly.is_final(v_attempt.outcome) then
                return jsonb_build_object('result', duly.stored_result(v_request, v_attempt));
            end if;
            perform duly.require_sending(v_request.provider_id);
            -- Whoever charges a saved card only looks at a page.
            if p_may_send and v_attempt.channel = p_channel then
                perform duly.mark_sent(v_attempt);
            end if;
            return duly.attempt_to_send(v_request, v_attempt, p_may_send);
        end if;
        perform duly.check_next_attempt(v_request, p_attempt);
    end if;
    if v_request.state in ('posted', 'rejected') then
        return duly.without_attempt('closed', p_run_id, p_account_id, v_request, 'request_closed', 'skipped');
    end if;
    if p_run_id <> '' and v_request.id is null and duly.is_run_stopped(p_run_id, p_account_id, p_period) then
        -- It was queued when somebody paused or aborted the run. The member stays to be asked, or is released.
        return jsonb_build_object('result', duly.collect_result('not_asked', v_request, null, 'run_is_steered'));
    end if;
    if duly.is_let_go(p_account_id, p_period) then
        -- An execution that was reset while the one before it wrote down the end: what was let go is charged by nobody.
        return duly.without_attempt('closed', p_run_id, p_account_id, v_request, (select c.reason from duly.collections c
            where c.account_id = p_account_id and c.period = p_period), 'skipped');
    end if;
    if v_link.id is not null and (p_channel <> 'hosted_page' and p_cause <> 'manual' or v_link.closed_at is not null) then
        -- What is asked for by a link is paid on its page, by whoever has the link, and charged to no card unless a person says so.
        return duly.without_attempt('closed', p_run_id, p_account_id, v_request, 'asked_by_link', 'skipped');
    end if;
    select * into v_account from duly.accounts where id = p_account_id;
    select * into v_part from duly.part_to_collect(p_account_id, p_period, p_run_id, '{}');
    if v_part.rest_until is not null and v_request.id is null then
        -- A run that release 0.1.0 has frozen knows of no rest.
        update duly.run_items set rest_until = v_part.rest_until
        where run_id = p_run_id and member_id = p_account_id and rest_until is null;
    end if;
    select c.asked_minor into v_asked from duly.collections c where c.account_id = p_account_id and c.period = p_period;
    v_owed := least(duly.owed_to(p_account_id, p_period, v_part.invoices), v_asked);
    if v_asked is not null then
        v_owed := coalesce(duly.prepaid_amount(p_account_id, p_period), v_owed);
    end if;
    if v_link.id is not null and cardinality(v_link.invoices) = 0 then
        v_owed := v_link.amount_minor;
    end if;
    v_uncharged := duly.uncharged_because(v_owed, v_account.currency, (select minimum_minor from duly.provider_currencies
        where provider_id = p_provider_id and currency = v_account.currency));
    if v_owed = 0 then
        if v_request.id is null and duly.is_claimed_by_others(p_account_id, p_period, (
            select i.invoices from duly.run_items i where i.run_id = p_run_id and i.member_id = p_account_id)) then
            -- Two runs that were frozen at the same moment may both have the invoices: who asks second leaves them alone.
            return duly.without_attempt('closed', p_run_id, p_account_id, v_request, 'in_collection', 'skipped');
        end if;
        return duly.without_attempt('nothing_owed', p_run_id, p_account_id, v_request, 'nothing_owed', 'skipped');
    elsif v_account.state = 'terminated' then
        return duly.without_attempt('closed', p_run_id, p_account_id, v_request, 'account_terminated', 'skipped');
    elsif p_run_id <> '' and p_cause not in ('manual', 'customer') and duly.pays_otherwise(p_account_id, p_provider_id) <> '' then
        -- A preference that changed since the run began, or while its collection waits. What a person asks for is charged.
        return duly.without_attempt('closed', p_run_id, p_account_id, v_request,
            'pays_by_' || duly.pays_otherwise(p_account_id, p_provider_id), 'skipped');
    elsif v_uncharged is not null then
        return duly.without_attempt('below_minimum', p_run_id, p_account_id, v_request, v_uncharged, 'skipped');
    end if;
    v_owed := duly.chargeable_part(v_owed, v_account.currency);
    perform duly.require_sending(p_provider_id);
    if duly.has_recovery_left(p_account_id) then
        -- Money of it was taken that nobody could write down after a restore: its collection waits until that is settled.
        return duly.without_attempt('provider_not_effective', p_run_id, p_account_id, v_request, 'recovery_is_left', 'in_dunning');
    end if;
    if not duly.is_provider_effective(p_provider_id) then
        -- Nothing is written for the attempt: its number stays free for the day on which the provider is effective.
        return duly.without_attempt('provider_not_effective', p_run_id, p_account_id, v_request, 'provider_not_effective',
            'in_dunning');
    elsif duly.why_no_destination(p_account_id, p_provider_id) <> '' then
        -- It would be taken for a merchant who cannot be paid.
        return duly.without_attempt('provider_not_effective', p_run_id, p_account_id, v_request, 'merchant_not_effective', 'in_dunning');
    end if;
    if not p_may_send then
        return null;
    end if;
    -- Who has no list and no rule pays for three looks into indices that have nothing in them.
    select exists (select from duly.charge_blocks where lifted_at is null) as blocks, not duly.holds_nothing() as holds into v_has;
    if v_has.blocks then
        v_blocked := duly.why_blocked(p_account_id);
        if v_blocked <> '' then
            return duly.blocked_attempt(v_blocked, v_request, p_account_id, p_period, p_run_id, v_owed, v_account.currency);
        end if;
    end if;
    if p_channel = 'hosted_page' then
        if v_has.holds then
            v_held := duly.held_attempt(v_request, v_account, null, p_period, p_provider_id, p_run_id, v_owed);
            if v_held is not null then
                return v_held;
            end if;
        end if;
        return duly.write_attempt(v_request, v_account, null, p_period, p_provider_id, p_run_id, p_attempt, p_cause,
            v_part.invoices, v_owed, p_channel);
    end if;
    -- Of what a person has ordered, the card is the order's.
    v_card := duly.chargeable_card(p_account_id, p_provider_id, coalesce(nullif(p_card_id, ''), (select o.card_id
        from duly.payment_orders o where o.account_id = p_account_id and o.period = p_period), ''));
    if v_card.id is null then
        return duly.without_attempt('no_card', p_run_id, p_account_id, v_request, duly.why_no_card(p_account_id, p_provider_id),
            'in_dunning');
    end if;
    if p_attempt > 1 and not duly.is_within_budget(v_card) then
        if p_cause = 'manual' and p_card_id <> '' then
            -- Who names a card has said which one may be charged, and why.
            return duly.without_attempt('no_card', p_run_id, p_account_id, v_request, 'retry_budget_used_up', 'in_dunning');
        end if;
        v_card := duly.chargeable_card(p_account_id, p_provider_id, '', v_card.id);
        if v_card.id is null or not duly.is_within_budget(v_card) then
            return duly.without_attempt('no_card', p_run_id, p_account_id, v_request, 'retry_budget_used_up', 'in_dunning');
        end if;
    end if;
    if v_has.holds then
        v_held := duly.held_attempt(v_request, v_account, v_card, p_period, p_provider_id, p_run_id, v_owed);
        if v_held is not null then
            return v_held;
        end if;
    end if;
    return duly.write_attempt(v_request, v_account, v_card, p_period, p_provider_id, p_run_id, p_attempt, p_cause,
        v_part.invoices, v_owed);
end $$;
