-- What an attempt came to. Each function is one commit, and repeating it changes nothing.

-- One commit of an attempt's outcome and all that follows in the ledger. A definite outcome is never replaced.
create or replace function duly.record_outcome(p_request_id text, p_attempt integer, p_outcome text,
    p_gateway_reference text default null, p_charge_reference text default null, p_fee_minor bigint default null,
    p_code text default '', p_decline_code text default '', p_advice_code text default '',
    p_network_decline_code text default '', p_blocks_card boolean default false,
    p_actor text default '', p_reason text default '', p_movement jsonb default null, p_found_minor bigint default null,
    p_paid_by text[] default '{}')
returns jsonb language plpgsql security definer set search_path = duly, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off
as $$
declare
    v_request duly.gateway_requests;
    v_attempt duly.gateway_attempts;
begin
    select * into strict v_request from duly.gateway_requests where id = p_request_id;
    perform from duly.account_balances where account_id = v_request.account_id for no key update;
    select * into strict v_attempt from duly.gateway_attempts where request_id = p_request_id and attempt = p_attempt;
    if duly.is_final(v_attempt.outcome) then
        return duly.stored_result(v_request, v_attempt);
    end if;
    update duly.gateway_attempts set outcome = p_outcome,
        gateway_reference = coalesce(nullif(p_gateway_reference, ''), gateway_reference),
        charge_reference = coalesce(nullif(p_charge_reference, ''), charge_reference),
        code = p_code, decline_code = p_decline_code, advice_code = p_advice_code,
        network_decline_code = p_network_decline_code, resolved_by = p_actor, resolution = p_reason,
        finished_at = case when p_outcome <> 'processing' then now() end
    where request_id = p_request_id and attempt = p_attempt
    returning * into v_attempt;
    v_request := duly.move_request(v_request, v_attempt);
    if p_outcome = 'succeeded' and p_found_minor <> v_attempt.amount_minor then
        v_attempt := duly.redraft_found(v_request, v_attempt, p_found_minor);
        select * into strict v_request from duly.gateway_requests where id = p_request_id;
    end if;
    case p_outcome
        when 'succeeded' then
            if v_attempt.channel = 'hosted_page' then
                perform duly.note_method_used(v_request, v_attempt, p_paid_by);
            end if;
            perform duly.post_collected(v_request, v_attempt, p_fee_minor, p_movement);
        when 'invalid_request' then
            perform duly.reject_payment(v_request.transaction_id, p_code);
            perform duly.finish_run_item(v_request.run_id, v_request.account_id, 'parked', p_code);
        when 'declined' then
            if p_blocks_card then
                perform duly.block_card(v_attempt.card_id, coalesce(nullif(p_decline_code, ''), p_code));
            end if;
            perform duly.finish_run_item(v_request.run_id, v_request.account_id, 'in_dunning',
                coalesce(nullif(p_decline_code, ''), p_code));
        else
            perform duly.finish_run_item(v_request.run_id, v_request.account_id,
                case when v_attempt.channel = 'bank_debit' and p_outcome = 'processing' then 'pending' else 'unknown' end, p_outcome);
    end case;
    if v_attempt.channel = 'hosted_page' and p_outcome in ('declined', 'did_not_happen') then
        perform duly.note_request_failure(v_request, v_attempt);
    end if;
    return duly.stored_result(v_request, v_attempt);
end $$;

-- Keep which payment the gateway has made for an attempt, before anything that grows with the account: the attempt is
-- processing, and whoever comes next reads the payment by its id and books it.
create or replace function duly.note_charge(p_request_id text, p_attempt integer, p_gateway_reference text, p_charge_reference text)
returns void language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_attempts set outcome = 'processing', code = 'being_booked',
        gateway_reference = coalesce(nullif(p_gateway_reference, ''), gateway_reference),
        charge_reference = coalesce(nullif(p_charge_reference, ''), charge_reference)
    where request_id = p_request_id and attempt = p_attempt and not duly.is_final(outcome)
$$;

create or replace function duly.move_request(p_request duly.gateway_requests, p_attempt duly.gateway_attempts)
returns duly.gateway_requests language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_requests set
        state = case p_attempt.outcome when 'succeeded' then 'posted' when 'invalid_request' then 'rejected'
            else 'under_processing' end,
        gateway_reference = case when p_attempt.outcome = 'succeeded' then p_attempt.gateway_reference end,
        error_code = case when p_attempt.outcome = 'succeeded' then '' else p_attempt.code end,
        error_description = case when p_attempt.outcome = 'succeeded' then '' else p_attempt.decline_code end,
        executed_at = case when p_attempt.outcome in ('succeeded', 'invalid_request') then now() end
    where id = p_request.id
    returning *
$$;

-- The key had been used before, for another amount, and that is what was taken: the draft is of that from now on. What it
-- leaves owed is collected by the next request, and what it is too much is the customer's credit.
create or replace function duly.redraft_found(p_request duly.gateway_requests, p_attempt duly.gateway_attempts, p_found_minor bigint)
returns duly.gateway_attempts language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_attempt duly.gateway_attempts;
    v_payment text;
begin
    perform duly.reject_payment(p_attempt.payment_id, 'amount_changed');
    v_payment := duly.draft_moved('payment:' || p_attempt.request_id || ':' || p_attempt.attempt || ':found', 'payment',
        p_request.account_id, p_found_minor, p_request.currency,
        (select method from duly.financial_transactions where id = p_attempt.payment_id), p_request.provider_id,
        p_request.invoices);
    update duly.gateway_requests set transaction_id = v_payment, amount_minor = p_found_minor where id = p_request.id;
    update duly.gateway_attempts set payment_id = v_payment, amount_minor = p_found_minor
    where request_id = p_attempt.request_id and attempt = p_attempt.attempt returning * into v_attempt;
    return v_attempt;
end $$;

-- On a page its customer chooses how to pay, so the draft learns its method when the money is there: the gateway's own name for
-- it, else its kind, whichever is a method of the provider's. What is none of these stays what it was drafted as.
create or replace function duly.note_method_used(p_request duly.gateway_requests, p_attempt duly.gateway_attempts, p_paid_by text[])
returns void language sql security definer set search_path = duly, pg_temp as $$
    update duly.financial_transactions t set method = m.payment_method_id
    from (select payment_method_id from duly.provider_methods
        where provider_id = p_request.provider_id and payment_method_id = any (p_paid_by)
        order by array_position(p_paid_by, payment_method_id) limit 1) m
    where t.id = p_attempt.payment_id and t.state = 'draft' and p_attempt.channel = 'hosted_page'
      and t.method <> m.payment_method_id
$$;

-- Post the payment that was collected, and expect its movement, which brings the fee: with the answer or later. A worker of
-- release 0.1.0 gives a fee without its movement.
create or replace function duly.post_collected(p_request duly.gateway_requests, p_attempt duly.gateway_attempts, p_fee_minor bigint,
    p_movement jsonb)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_object text := coalesce(p_attempt.charge_reference, p_attempt.gateway_reference);
begin
    perform duly.post_gateway_payment(p_attempt.payment_id, p_attempt.gateway_reference);
    perform duly.owe_merchant(p_request, p_attempt);
    if coalesce(p_movement, 'null') = 'null' and p_fee_minor is not null then
        p_movement := jsonb_build_object('reference', 'fee:' || p_attempt.gateway_reference,
            'amount_minor', p_attempt.amount_minor, 'currency', p_request.currency, 'fee_minor', p_fee_minor);
    end if;
    if p_movement ->> 'reference' is not null then
        perform duly.book_charged(p_request.provider_id, v_object, p_request.account_id, p_attempt.payment_id,
            p_attempt.amount_minor, p_request.currency, p_movement);
    else
        perform duly.expect_movement(p_request.provider_id, v_object, 'charge', p_request.account_id, p_attempt.payment_id,
            p_attempt.amount_minor, p_request.currency);
    end if;
    perform duly.finish_run_item(p_request.run_id, p_request.account_id, 'charged', '', p_attempt.amount_minor,
        p_attempt.payment_id);
    perform duly.write_receipt(p_request.account_id, p_request.period, p_request.run_id, p_attempt.payment_id,
        p_attempt.amount_minor, p_request.currency, p_attempt.card_id);
end $$;

-- Nobody knows. When it is final, the key can only repeat the error: from then on evidence is looked for instead. The quiet
-- period, after which absence is proof, begins with what the gateway's clock shows at the first of these after a sending; a
-- stored error does not end it, for what it answered may be under way still. No time is given while clocks are too far apart.
create or replace function duly.record_unanswered(p_request_id text, p_attempt integer, p_code text, p_is_final boolean,
    p_gateway_time timestamptz default null)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_account text;
begin
    select account_id into strict v_account from duly.gateway_requests where id = p_request_id;
    perform from duly.account_balances where account_id = v_account for no key update;
    update duly.gateway_requests set state = 'unknown', error_code = p_code
    where id = p_request_id and state in ('pending', 'under_processing', 'unknown');
    update duly.gateway_attempts set outcome = case when p_is_final then 'unknown' else outcome end,
        code = case when p_is_final then p_code else code end, quiet_since = coalesce(quiet_since, p_gateway_time)
    where request_id = p_request_id and attempt = p_attempt and (outcome is null or outcome = 'unknown');
end $$;

create or replace function duly.unknown_attempt(p_account_id text, p_period text, p_attempt integer) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_request duly.gateway_requests;
    v_attempt duly.gateway_attempts;
begin
    select * into v_request from duly.gateway_requests
    where account_id = p_account_id and period = p_period and kind = 'payment';
    select * into v_attempt from duly.gateway_attempts
    where request_id = v_request.id and attempt = p_attempt and not duly.is_final(outcome);
    if v_attempt.request_id is null then
        perform duly.refuse('outcome_is_unknown',
            format('attempt %s of %s for %s has an outcome, or was never made', p_attempt, p_account_id, p_period));
    end if;
    return duly.attempt_to_send(v_request, v_attempt);
end $$;

-- Post what a customer paid by other means; the reference makes it once.
create or replace function duly.record_paid_outside(p_account_id text, p_period text, p_reference text, p_method text, p_actor text)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_key text := concat_ws(':', 'paid_outside', p_account_id, p_period, p_reference);
    v_number text;
    v_collection duly.collections;
    v_owed bigint;
    v_receipt duly.receipt;
begin
    if char_length(v_key) > 200 then
        -- A bank's reference may be longer than a key.
        v_key := left(v_key, 160) || ':' || md5(v_key);
    end if;
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select n.number into v_number from duly.financial_transactions t
    join duly.transaction_numbers n on n.transaction_id = t.id where t.idempotency_key = v_key;
    if found then return v_number; end if;
    select * into v_collection from duly.collections
    where account_id = p_account_id and period = p_period and closed_at is null;
    v_owed := duly.owed_to(p_account_id, p_period, coalesce(v_collection.invoices, '{}'));
    if v_owed = 0 then
        perform duly.refuse('something_is_owed', format('%s owes nothing more for %s', p_account_id, p_period));
    elsif exists (select from duly.provider_methods where payment_method_id = p_method) then
        perform duly.refuse('method_is_not_a_gateways', format('method: %s is handled by a gateway', p_method));
    elsif exists (
        select from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
        where r.account_id = p_account_id and r.period = p_period and r.kind = 'payment'
          and not duly.is_final(a.outcome)) then
        perform duly.refuse('no_attempt_in_flight', format('an attempt of %s has no outcome yet', p_account_id));
    end if;
    v_receipt := duly.create_payment(v_key, p_account_id, v_owed, v_collection.currency, p_method,
        p_addressed_invoice_ids => v_collection.invoices, p_payment_reference => p_reference, p_origin => 'user',
        p_actor => p_actor);
    perform duly.use_claims(p_account_id, p_period);
    perform duly.write_receipt(p_account_id, p_period, v_collection.run_id, v_receipt.transaction_id, v_owed,
        v_collection.currency, null);
    return v_receipt.number;
end $$;
