-- The rows of an attempt at a receivable: which comes next, and what is written down before its call.

create or replace function duly.check_next_attempt(p_request duly.gateway_requests, p_attempt integer) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_last duly.gateway_attempts;
begin
    select * into v_last from duly.gateway_attempts where request_id = p_request.id order by attempt desc limit 1;
    if not duly.is_final(v_last.outcome) then
        perform duly.refuse('no_attempt_in_flight',
            format('attempt %s of %s has no definite outcome', v_last.attempt, p_request.id));
    elsif p_attempt <> v_last.attempt + 1 then
        perform duly.refuse('attempts_in_order', format('after attempt %s of %s comes %s, not %s',
            v_last.attempt, p_request.id, v_last.attempt + 1, p_attempt));
    end if;
end $$;

create or replace function duly.write_attempt(p_request duly.gateway_requests, p_account duly.accounts, p_card duly.cards,
    p_period text, p_provider_id text, p_run_id text, p_attempt integer, p_cause text, p_invoices text[], p_owed bigint,
    p_channel text default 'off_session')
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_request duly.gateway_requests := p_request;
    v_attempt duly.gateway_attempts;
    v_payment text := p_request.transaction_id;
    v_customer text;
    -- A receivable has one request (one_request_a_receivable): without it there is no attempt to count.
    v_number integer := case when p_request.id is null then 1 else duly.next_number(p_account.id, p_period) end;
    -- A mandate is no stored card: the attempt names it by its reference.
    v_is_debit constant boolean := coalesce(p_card.brand = 'mandate', false);
    v_card text := case when not v_is_debit then p_card.id end;
    -- Where its money goes on to, and whose rule says what the platform keeps of it.
    v_destination constant text := duly.destination_of(p_account.id, p_provider_id);
    v_payee constant text := coalesce(nullif(v_destination, ''), p_provider_id);
begin
    select customer_reference into v_customer from duly.gateway_customers
    where provider_id = p_provider_id and account_id = p_account.id;
    if v_customer is null then
        perform duly.refuse('gateway_customer_exists', format('account %s has no customer at %s', p_account.id, p_provider_id));
    end if;
    if v_request.id is null then
        v_request.kind := 'payment';
        v_request.account_id := p_account.id;
        v_request.period := p_period;
        v_request.id := duly.subject_of(v_request) || coalesce('/' || nullif(v_number, 1), '');
    end if;
    -- A draft is for one amount. When something was paid elsewhere since, the old one is rejected and another is made.
    if v_payment is null or p_owed <> v_request.amount_minor then
        if v_payment is not null then
            perform duly.reject_payment(v_payment, 'amount_changed');
        end if;
        v_payment := duly.draft_payment('payment:' || v_request.id || ':' || p_attempt, p_account.id, p_owed,
            p_account.currency, duly.method_of(p_provider_id, p_card), p_provider_id, p_invoices, 'system',
            duly.preference_number(p_card.preference_id));
    end if;
    insert into duly.gateway_requests as r (id, kind, provider_id, account_id, period, run_id, transaction_id, card_id,
        invoices, amount_minor, currency)
    values (v_request.id, 'payment', p_provider_id, p_account.id, p_period, nullif(p_run_id, ''), v_payment, v_card,
        p_invoices, p_owed, p_account.currency)
    on conflict (id) do update set transaction_id = excluded.transaction_id,
        card_id = coalesce(excluded.card_id, r.card_id),
        amount_minor = excluded.amount_minor, state = 'under_processing'
    returning * into v_request;
    insert into duly.gateway_attempts
        (request_id, attempt, subject, number, idempotency_key, cause, channel, card_id, token, customer, payment_id,
        amount_minor, application_fee_minor, refunds_application_fee, merchant_provider, page)
    values (v_request.id, p_attempt, duly.subject_of(v_request), v_number,
        duly.attempt_key(duly.subject_of(v_request), v_number), p_cause,
        case when v_is_debit then 'bank_debit' else p_channel end, v_card,
        coalesce(p_card.token, ''), v_customer, v_payment, p_owed, duly.application_fee_at(v_payee, p_owed, p_account.currency),
        duly.refunds_application_fee(v_payee), v_destination,
        case when p_channel = 'hosted_page' then duly.page_shown(p_account.id, p_period, p_provider_id) end)
    returning * into v_attempt;
    return duly.attempt_to_send(v_request, v_attempt);
end $$;
