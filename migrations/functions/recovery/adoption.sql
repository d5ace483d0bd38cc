-- What the gateway did for us and the database has forgotten is written down again, as it would have been before the call.

-- Which of some idempotency keys no attempt has, or one whose outcome is not certain.
create or replace function duly.keys_to_adopt(p_keys text[]) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(k.key), '{}') from unnest(p_keys) k (key)
    where not exists (select from duly.gateway_attempts a where a.idempotency_key = k.key and duly.is_final(a.outcome))
$$;

-- Which of some idempotency keys no attempt has at all.
create or replace function duly.keys_without_row(p_keys text[]) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(k.key), '{}') from unnest(p_keys) k (key)
    where not exists (select from duly.gateway_attempts a where a.idempotency_key = k.key)
$$;

create or replace function duly.left_for_person(p_why text) returns jsonb
language sql immutable as $$
    select jsonb_build_object('left', p_why)
$$;

-- Write a payment's attempt down that only the gateway knows. It claims the invoices whose numbers the gateway keeps with it; where it
-- names none that is known here, those that its receivable would claim now. `left`: why a person has to see to it.
create or replace function duly.recover_attempt(p_provider_id text, p_account_id text, p_period text, p_key text, p_number integer,
    p_customer text, p_token text, p_amount_minor bigint, p_currency text, p_invoice_numbers text[], p_application_fee_minor bigint default null, p_destination text default '')
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.gateway_attempts;
    r duly.gateway_requests;
    o duly.accounts;
    v_card text;
    v_attempt integer;
    v_invoices text[];
    v_merchant constant text := coalesce((select id from duly.providers where gateway_account = p_destination), '');
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    if not found then return duly.left_for_person('account_unknown'); end if;
    select * into o from duly.accounts where id = p_account_id;
    if o.currency <> p_currency then return duly.left_for_person('currency_differs'); end if;
    select * into a from duly.gateway_attempts where idempotency_key = p_key;
    if found then
        select * into r from duly.gateway_requests where id = a.request_id;
        return duly.attempt_to_send(r, a);
    end if;
    select * into r from duly.gateway_requests where account_id = p_account_id and period = p_period and kind = 'payment';
    if r.state in ('posted', 'reversed') then
        return duly.left_for_person('receivable_is_paid');
    elsif exists (select from duly.gateway_attempts x where x.request_id = r.id and not duly.is_final(x.outcome)) then
        return duly.left_for_person('another_attempt_in_flight');
    end if;
    select coalesce(max(attempt), 0) + 1 into v_attempt from duly.gateway_attempts where request_id = r.id;
    select id into v_card from duly.cards where token = p_token and account_id = p_account_id;
    if r.id is null then
        r.kind := 'payment';
        r.account_id := p_account_id;
        r.period := p_period;
        r.id := duly.subject_of(r);
        select i.run_id into r.run_id from duly.run_items i join duly.process_runs u on u.id = i.run_id
        where i.account_id = p_account_id and coalesce(nullif(i.receivable, ''), duly.month_of_period(u.period)) = p_period and u.kind = 'payment'
          and i.outcome is null limit 1;
    end if;
    v_invoices := duly.invoices_numbered(p_account_id, p_invoice_numbers);
    if v_invoices = '{}' or r.state is not null then
        v_invoices := (duly.part_to_collect(p_account_id, p_period, coalesce(r.run_id, ''), '{}')).invoices;
    end if;
    if duly.is_claimed_by_others(p_account_id, p_period, v_invoices) then
        return duly.left_for_person('invoices_are_collected');
    elsif r.state in ('pending', 'under_processing', 'unknown') and r.transaction_id is not null then
        perform duly.reject_payment(r.transaction_id, 'amount_changed');
    end if;
    r.transaction_id := duly.draft_moved('payment:' || r.id || ':' || v_attempt, 'payment', p_account_id, p_amount_minor,
        p_currency, duly.method_of(p_provider_id, (select c from duly.cards c where c.id = v_card)), p_provider_id, v_invoices);
    insert into duly.gateway_requests as q (id, kind, provider_id, account_id, period, run_id, transaction_id, card_id, invoices,
        amount_minor, currency)
    values (r.id, 'payment', p_provider_id, p_account_id, p_period, r.run_id, r.transaction_id, v_card, v_invoices,
        p_amount_minor, p_currency)
    on conflict (id) do update set transaction_id = excluded.transaction_id, amount_minor = excluded.amount_minor,
        state = 'under_processing', executed_at = null
    returning * into r;
    insert into duly.gateway_attempts (request_id, attempt, subject, number, idempotency_key, cause, channel, card_id, token,
        customer, payment_id, amount_minor, application_fee_minor, refunds_application_fee, merchant_provider)
    values (r.id, v_attempt, duly.subject_of(r), p_number, p_key, 'scheduled',
        case when v_card is null then 'hosted_page' else 'off_session' end, v_card, p_token, p_customer, r.transaction_id,
        p_amount_minor, coalesce(p_application_fee_minor, duly.application_fee_at(p_provider_id, p_amount_minor, p_currency)),
        duly.refunds_application_fee(coalesce(nullif(v_merchant, ''), p_provider_id)), v_merchant)
    returning * into a;
    return duly.attempt_to_send(r, a);
end $$;

-- Write a refund down that only the gateway knows.
create or replace function duly.recover_refund(p_provider_id text, p_refund_id text, p_kind text, p_payment_reference text,
    p_amount_minor bigint, p_key text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    p duly.gateway_requests;
    a duly.gateway_attempts;
    r duly.gateway_requests;
    v_row jsonb;
begin
    select * into a from duly.gateway_attempts where idempotency_key = p_key;
    if found then
        select * into r from duly.gateway_requests where id = a.request_id;
        return jsonb_build_object('refund', duly.refund_view(r, a));
    end if;
    select * into p from duly.gateway_requests
    where provider_id = p_provider_id and gateway_reference = p_payment_reference and kind = 'payment';
    if not found then return duly.left_for_person('payment_unknown'); end if;
    if exists (select from duly.gateway_requests where id = p_refund_id) then
        return duly.left_for_person('refund_has_other_attempt');
    end if;
    perform set_config('duly.is_adopting', 'on', true);
    v_row := duly.open_refund(p_refund_id, p_kind, duly.standing_payment(p.transaction_id),
        case p_kind when 'refund' then p_amount_minor else 0 end, 1, 'recovery', 'recovered', 'system', true);
    perform set_config('duly.is_adopting', 'off', true);
    return jsonb_build_object('refund', v_row);
end $$;

-- What an adopted payment or refund has to say to its customer was said before the restore, or is for a person to send.
create or replace function duly.withhold_recovered(p_account_id text, p_since timestamptz) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.messages set state = 'withheld', reason = 'recovered'
    where account_id = p_account_id and audience = 'customer' and state = 'pending' and created_at >= p_since
      and kind in ('receipt', 'refunded')
$$;

-- The day from which on the next reconciliation of a provider reads, after a restore: what a recovery writes down is payments and refunds
-- of ours, and disputes, payouts, fees and what people did at the gateway in the gap are the reconciliation's. Null: all was read since the
-- release, or there is nothing that could be read.
create or replace function duly.reconciled_again_from(p_provider_id text) returns date
language sql stable security definer set search_path = duly, pg_temp as $$
    select x.since from duly.sending s join duly.providers p on p.id = s.provider_id and p.gateway <> 'sepa_debit'
    cross join lateral (select ((s.forgot_since - interval '2 days') at time zone 'UTC')::date as since) x
    where s.provider_id = p_provider_id and s.state = 'open' and s.declared_at is not null
      and not exists (select from duly.reconciliation_windows w join duly.reconciliations r on r.id = w.reconciliation_id
          where r.provider_id = p_provider_id and w.list = 'payouts' and w.done_at > s.changed_at
            and w.read_from <= x.since::timestamp at time zone 'UTC')
$$;
