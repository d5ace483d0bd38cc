-- Cards: registered under the provider's rules, validated by the gateway, looked after for years (G7 to G13, X1 to X15).

create or replace function duly.card_view(c duly.cards) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object(
        'card_id', c.id, 'account_id', c.account_id, 'provider', c.provider_id, 'state', c.state,
        'state_reason', c.state_reason, 'label', btrim(c.brand || ' ' || c.last4), 'exp_year', coalesce(c.exp_year, 0),
        'exp_month', coalesce(c.exp_month, 0), 'is_recurring', c.is_recurring, 'fallback_order', c.fallback_order,
        'is_hosted', c.token is null,
        'attempt', coalesce((select max(a.attempt) from duly.gateway_requests r join duly.gateway_attempts a
            on a.request_id = r.id where r.card_id = c.id and r.kind = 'card_validation'), 0),
        'checked_at', greatest(c.checked_at, (select max(a.finished_at) from duly.gateway_attempts a
            join duly.gateway_requests r on r.id = a.request_id
            where r.account_id = c.account_id and a.card_id = c.id and a.outcome = 'succeeded')),
        'rules', (select to_jsonb(r) - 'is_only' from duly.card_rules r))
$$;

-- What must be configured before a card can be saved (G5, G10, X9 to X15).
create or replace function duly.check_card_rules(p_account duly.accounts, p_provider text, p_method text) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_provider duly.providers;
begin
    select * into v_provider from duly.providers where id = p_provider;
    if not found then
        perform duly.refuse('provider_exists', format('provider: %s is not configured; apply definitions', p_provider));
    elsif v_provider.state <> 'effective' then
        perform duly.refuse('provider_effective', format('provider: %s is not effective', p_provider));
    elsif not duly.is_own_mode(v_provider.mode) then
        perform duly.refuse('provider_effective', format('provider: %s is in %s mode, and the gateway worker''s key is not',
            p_provider, v_provider.mode));
    elsif not duly.is_provider_effective(p_provider) then
        perform duly.refuse('provider_effective', format('provider: %s', duly.why_not_effective(p_provider)));
    elsif not exists (select from duly.payment_methods where id = p_method and is_active) then
        perform duly.refuse('method_exists', format('method: %s is not configured, or not active', p_method));
    elsif not exists (select from duly.provider_methods where payment_method_id = p_method and provider_id = p_provider) then
        perform duly.refuse('method_on_provider',
            format('method: %s is not among the payment methods of provider %s', p_method, p_provider));
    elsif not exists (select from duly.provider_currencies
                      where provider_id = p_provider and currency = p_account.currency) then
        perform duly.refuse('currency_taken',
            format('currency: provider %s does not take %s', p_provider, p_account.currency));
    elsif p_account.state = 'terminated' then
        perform duly.refuse('account_not_terminated', format('account: %s is terminated', p_account.id));
    end if;
    perform duly.refuse_blocked(p_account.id);
end $$;

-- Write a card down before any call of the gateway. Refused, naming what to configure; a repeat returns the same
-- card.
create or replace function duly.register_card(p_card_id text, p_account_id text, p_provider_id text, p_method text, p_token text,
    p_is_recurring boolean, p_fallback_order integer, p_is_preferred boolean, p_replaces text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_account duly.accounts;
    v_card duly.cards;
    v_preference text;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account: %s does not exist', p_account_id));
    end if;
    select * into v_card from duly.cards where id = p_card_id;
    if found then
        if v_card.account_id <> p_account_id then
            perform duly.refuse('card_id_is_free', format('card_id: %s is another account''s', p_card_id));
        end if;
        return duly.registered_card(v_card);
    end if;
    select * into v_account from duly.accounts where id = p_account_id;
    perform duly.check_card_rules(v_account, p_provider_id, p_method);
    perform duly.require_sending(p_provider_id);
    if exists (select from duly.providers where id = p_provider_id and gateway = 'sepa_debit') then
        perform duly.refuse('provider_of_cards', format('provider: %s collects by mandates, and saves no cards', p_provider_id));
    elsif exists (select from duly.cards where token = p_token) then
        perform duly.refuse('token_is_new', 'token: this card is stored already');
    elsif p_replaces <> '' and not exists (
        select from duly.cards where id = p_replaces and account_id = p_account_id and state not in ('replaced', 'removed')) then
        perform duly.refuse('replaced_card_exists', format('replaces: %s is no card in use of this account', p_replaces));
    end if;
    insert into duly.payment_preferences (account_id, payment_method_id, is_default) values (p_account_id, p_method, false)
    on conflict (account_id, payment_method_id) do nothing;
    select id into strict v_preference from duly.payment_preferences
    where account_id = p_account_id and payment_method_id = p_method;
    if p_is_preferred or not exists (
        select from duly.payment_preferences where account_id = p_account_id and is_default) then
        perform duly.set_preferred_method(p_account_id, p_method, 'system', 'card ' || p_card_id || ' was registered');
    end if;
    insert into duly.cards (id, account_id, preference_id, provider_id, token, is_recurring, fallback_order, replaces_id, state)
    values (p_card_id, p_account_id, v_preference, p_provider_id, nullif(p_token, ''), p_is_recurring, p_fallback_order,
        nullif(p_replaces, ''), 'registered')
    returning * into v_card;
    return duly.registered_card(v_card);
end $$;

create or replace function duly.registered_card(c duly.cards) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('card', duly.card_view(c), 'installation', (select id from duly.installation),
        'is_effective', duly.is_provider_effective(c.provider_id),
        'customer', coalesce((select g.customer_reference from duly.gateway_customers g
            where g.account_id = c.account_id and g.provider_id = c.provider_id), ''))
$$;

-- Keep the gateway's customer of an account; the first one stays (G7), unless it was deleted at the gateway.
create or replace function duly.note_customer(p_provider_id text, p_account_id text, p_customer text, p_deleted text default '')
returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    insert into duly.gateway_customers (provider_id, account_id, customer_reference)
    values (p_provider_id, p_account_id, p_customer) on conflict (provider_id, account_id) do update
        set customer_reference = excluded.customer_reference where gateway_customers.customer_reference = p_deleted;
    return (select customer_reference from duly.gateway_customers
            where provider_id = p_provider_id and account_id = p_account_id);
end $$;

create or replace function duly.validation_attempt(p_request duly.gateway_requests, p_attempt duly.gateway_attempts,
    p_may_send boolean default true)
returns jsonb language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('request_id', p_request.id, 'card_id', p_request.card_id, 'account_id', p_request.account_id,
        'attempt', p_attempt.attempt, 'idempotency_key', p_attempt.idempotency_key, 'customer', p_attempt.customer,
        'token', p_attempt.token, 'channel', p_attempt.channel, 'outcome', p_attempt.outcome, 'code', p_attempt.code,
        'decline_code', p_attempt.decline_code, 'gateway_reference', coalesce(p_attempt.gateway_reference, ''),
        -- The moments are for workers of 0.1.0.
        'started_at', p_attempt.started_at, 'sent_at', p_attempt.sent_at,
        'may_be_sent', duly.may_be_sent(p_attempt, p_may_send), 'quiet_since', p_attempt.quiet_since,
        'was_unanswered', p_request.state = 'unknown')
        || duly.attempt_identity(p_request)
$$;

-- Write the attempt to validate a card down before its call, or return it as an earlier call left it. Repeatable at any
-- point. `is_sent`: the caller is about to send it, where its key may still be sent. Where nothing may be sent, null is
-- returned instead of writing one down.
create or replace function duly.open_validation(p_card_id text, p_attempt integer, p_is_sent boolean default true,
    p_may_send boolean default true)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.cards;
    r duly.gateway_requests;
    a duly.gateway_attempts;
    v_customer text;
begin
    select * into c from duly.cards where id = p_card_id;
    if not found then
        perform duly.refuse('card_exists', format('card: %s does not exist', p_card_id));
    end if;
    perform from duly.account_balances where account_id = c.account_id for no key update;
    select * into c from duly.cards where id = p_card_id for no key update;
    select * into r from duly.gateway_requests where card_id = p_card_id and kind = 'card_validation';
    select * into a from duly.gateway_attempts where request_id = r.id and attempt = p_attempt;
    if found then
        if p_is_sent and not duly.is_final(a.outcome) then
            perform duly.require_sending(r.provider_id);
        end if;
        if p_is_sent and p_may_send then
            perform duly.mark_sent(a);
        end if;
        return duly.validation_attempt(r, a, p_may_send);
    end if;
    if c.state in ('rejected', 'replaced', 'removed') then
        perform duly.refuse('card_in_use', format('card: %s is %s', p_card_id, c.state));
    end if;
    perform duly.require_sending(c.provider_id);
    if r.id is not null then
        perform duly.check_next_attempt(r, p_attempt);
    end if;
    if not duly.is_provider_effective(c.provider_id) or duly.why_blocked(c.account_id) <> '' or duly.is_card_blocked(c.fingerprint) then
        -- Nothing is written for the attempt: its number stays free for the day on which the provider is effective.
        return jsonb_build_object('is_waiting', true, 'code', case when not duly.is_provider_effective(c.provider_id) then ''
            else coalesce(nullif(duly.why_blocked(c.account_id), ''), 'card_blocked') end);
    end if;
    if not p_may_send then
        return null;
    end if;
    select customer_reference into strict v_customer from duly.gateway_customers
    where provider_id = c.provider_id and account_id = c.account_id;
    insert into duly.gateway_requests as q (id, kind, provider_id, account_id, card_id, amount_minor, currency)
    select 'card/' || c.id, 'card_validation', c.provider_id, c.account_id, c.id, 0, o.currency from duly.accounts o where o.id = c.account_id
    on conflict (card_id) where kind = 'card_validation' do update set state = 'under_processing', executed_at = null,
        error_code = '', error_description = ''
    returning q.* into r;
    insert into duly.gateway_attempts (request_id, attempt, subject, number, idempotency_key, cause, channel, card_id, token,
        customer, payment_id, amount_minor)
    values (r.id, p_attempt, duly.subject_of(r), p_attempt, duly.attempt_key(duly.subject_of(r), p_attempt), 'scheduled',
        case when c.token is null then 'hosted_page' else 'off_session' end, case when c.token is not null then c.id end,
        coalesce(c.token, ''), v_customer, '', 0)
    returning * into a;
    if c.state = 'registered' then
        update duly.cards set state = 'validating' where id = c.id;
    end if;
    return duly.validation_attempt(r, a);
end $$;

-- One commit of what an attempt came to and of the card's state. A definite outcome is never replaced.
create or replace function duly.record_validation(p_request_id text, p_attempt integer, p_outcome text, p_gateway_reference text,
    p_code text, p_decline_code text, p_card jsonb, p_actor text default '', p_reason text default '')
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    a duly.gateway_attempts;
    c duly.cards;
begin
    select * into strict r from duly.gateway_requests where id = p_request_id;
    perform from duly.account_balances where account_id = r.account_id for no key update;
    select * into strict a from duly.gateway_attempts where request_id = p_request_id and attempt = p_attempt;
    if duly.is_final(a.outcome) then
        return duly.validation_attempt(r, a);
    end if;
    update duly.gateway_attempts set outcome = p_outcome,
        gateway_reference = coalesce(nullif(p_gateway_reference, ''), gateway_reference), code = p_code,
        decline_code = p_decline_code, resolved_by = p_actor, resolution = p_reason,
        finished_at = case when duly.is_final(p_outcome) then now() end
    where request_id = p_request_id and attempt = p_attempt returning * into a;
    update duly.gateway_requests set
        state = case p_outcome when 'succeeded' then 'posted' when 'declined' then 'rejected' when 'invalid_request' then 'rejected'
            when 'unknown' then 'unknown' else 'under_processing' end,
        executed_at = case when p_outcome in ('succeeded', 'declined', 'invalid_request') then now() end,
        gateway_reference = coalesce(nullif(p_gateway_reference, ''), gateway_reference),
        error_code = coalesce(nullif(p_decline_code, ''), p_code)
    where id = p_request_id returning * into r;
    select * into strict c from duly.cards where id = r.card_id for no key update;
    if p_outcome = 'succeeded' and c.state not in ('replaced', 'removed') then
        perform duly.accept_card(c, p_card);
    elsif p_outcome = 'succeeded' then
        -- It was taken away while its holder was about to save it: the token is needed to detach it there as well.
        update duly.cards set token = coalesce(token, p_card ->> 'token') where id = c.id and not exists (
            select from duly.cards k where k.id <> c.id and k.token = p_card ->> 'token');
    elsif p_outcome in ('declined', 'invalid_request') and c.state not in ('replaced', 'removed') then
        update duly.cards set state = case when c.state in ('registered', 'validating') then 'rejected' else 'blocked' end,
            state_reason = coalesce(nullif(p_decline_code, ''), nullif(p_code, ''), p_outcome), checked_at = now()
        where id = c.id;
    elsif p_outcome = 'processing' and p_card ? 'last4' and c.token is not null and c.last4 = '' then
        -- Its holder is asked to confirm this card, so the message must be able to say which it is.
        update duly.cards set brand = p_card ->> 'brand', last4 = p_card ->> 'last4' where id = c.id;
    elsif p_outcome = 'did_not_happen' then
        update duly.cards set checked_at = now() where id = c.id;
    end if;
    return duly.validation_attempt(r, a);
end $$;

-- The gateway has accepted the card: it may be charged, and the one it replaces no more. A token that another card of ours has by
-- now (a service registered what its holder had just saved on a page) stays that card's, and this one is not needed.
create or replace function duly.accept_card(c duly.cards, p_card jsonb) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    k duly.cards;
begin
    select * into k from duly.cards where id <> c.id and token = p_card ->> 'token';
    if k.id is not null then
        update duly.cards set state = 'rejected', state_reason = 'stored_already', checked_at = now() where id = c.id;
        -- What was taken away, or declined, takes no other card's place.
        if k.state in ('rejected', 'replaced', 'removed') then return; end if;
    else
        k := c;
        update duly.cards set token = coalesce(p_card ->> 'token', c.token), brand = p_card ->> 'brand', last4 = p_card ->> 'last4',
            exp_month = (p_card ->> 'exp_month')::smallint, exp_year = (p_card ->> 'exp_year')::smallint,
            fingerprint = p_card ->> 'fingerprint',
            mandate_reference = coalesce(nullif(p_card ->> 'mandate_reference', ''), mandate_reference),
            state = 'active', state_reason = '', checked_at = now()
        where id = c.id;
    end if;
    update duly.cards set state = 'replaced', state_reason = k.id
    where id = c.replaces_id and id <> k.id and state not in ('replaced', 'removed');
end $$;
