-- A candidate that was read at the gateway once more: under the account's lock it is matched after all, booked on the normal
-- path's own functions, or written down as a discrepancy. One commit each.

-- The attempt that the gateway's object belongs to: by the payment it is of, else by our key in its metadata.
create or replace function duly.attempt_of_found(p_provider_id text, f jsonb) returns duly.gateway_attempts
language plpgsql stable as $$
declare
    a duly.gateway_attempts;
begin
    select x.* into a from duly.gateway_requests r join duly.gateway_attempts x on x.request_id = r.id
    where r.provider_id = p_provider_id and r.gateway_reference = f ->> 'payment_reference' and r.kind = 'payment'
      and x.outcome = 'succeeded';
    if not found then
        select x.* into a from duly.gateway_attempts x join duly.gateway_requests r on r.id = x.request_id
        where x.idempotency_key = f ->> 'attempt_key' and r.provider_id = p_provider_id and r.kind = 'payment';
    end if;
    return a;
end $$;

-- The refund that the gateway's object is, by its own id, else by our key in its metadata.
create or replace function duly.refund_of_found(p_provider_id text, p_refund_reference text, f jsonb) returns duly.gateway_requests
language plpgsql stable as $$
declare
    r duly.gateway_requests;
begin
    select * into r from duly.gateway_requests
    where provider_id = p_provider_id and gateway_reference = p_refund_reference and of_request_id is not null;
    if not found then
        select x.* into r from duly.gateway_attempts a join duly.gateway_requests x on x.id = a.request_id
        where a.idempotency_key = any (array[f ->> 'attempt_key', 'found:' || p_refund_reference])
          and x.provider_id = p_provider_id and x.of_request_id is not null
        order by a.idempotency_key like 'found:%' desc limit 1;
    end if;
    -- A refund that was given up (by a person's word that no money had left, say) is not what the gateway has paid.
    if r.state = 'rejected' and r.gateway_reference is null and f ->> 'status' not in ('failed', 'canceled') then return null; end if;
    return r;
end $$;

create or replace function duly.match_source(p_provider_id text, p_source text, p_kind text) returns boolean
language plpgsql as $$
begin
    perform duly.lock_movements_of(p_provider_id, p_source);
    perform duly.book_movement(p_provider_id, p_source, p_kind, duly.movement_document(m))
    from duly.gateway_movements m
    where m.source = p_source and m.kind = p_kind and m.provider_id = p_provider_id and m.state = 'open';
    update duly.gateway_movements m set state = 'matched'
    where m.provider_id = p_provider_id and m.source = p_source and m.kind = p_kind and m.state = 'open'
      and (duly.is_booked_of_dispute(m) or exists (
        select from duly.expected_movements e
        join lateral (select sum(x.amount_minor) as amount_minor, sum(x.fee_minor) as fee_minor
            from duly.gateway_movements x
            where x.provider_id = p_provider_id and x.source = p_source and x.kind = p_kind and x.currency = e.currency) s
            on s.amount_minor = e.amount_minor and s.fee_minor = e.fee_minor
        where e.provider_id = p_provider_id and e.object = p_source and e.kind = p_kind and e.currency = m.currency
          and e.is_booked));
    return found;
end $$;

-- How a discrepancy about a movement is written: what the gateway says, and what the ledger has.
create or replace function duly.list_movement(m duly.gateway_movements, f jsonb, p_kind text, p_state text, p_id text,
    p_account_id text default '', p_transaction_id text default '', p_evidence jsonb default '{}')
returns jsonb language plpgsql as $$
declare
    e duly.expected_movements;
    v_object text := case when m.source = '' then m.id else m.source end;
    v_id text;
begin
    select * into e from duly.expected_movements
    where provider_id = m.provider_id and object = m.source and kind = m.kind limit 1;
    v_id := duly.note_discrepancy(m.provider_id, p_kind, v_object, p_state,
        coalesce(nullif(p_account_id, ''), e.account_id, ''), coalesce(nullif(p_transaction_id, ''), e.transaction_id, ''),
        abs(m.amount_minor), m.currency, jsonb_strip_nulls(jsonb_build_object('movement', m.id, 'type', m.type,
            'category', m.category, 'kind', m.kind, 'amount_minor', m.amount_minor, 'fee_minor', m.fee_minor,
            'payment_reference', nullif(f ->> 'payment_reference', ''), 'status', nullif(f ->> 'status', ''),
            'method', nullif(f ->> 'method', ''), 'method_type', nullif(f ->> 'method_type', ''),
            'booked_minor', e.amount_minor, 'booked_fee_minor', e.fee_minor)) || p_evidence, p_id);
    -- A person may have explained it before its day was read.
    update duly.gateway_movements set state = 'explained', explanation = v_id
    where provider_id = m.provider_id and id = m.id and state = 'open'
      and exists (select from duly.discrepancies where id = v_id and state = 'resolved' and resolution = 'explained');
    if found then return jsonb_build_object('outcome', 'matched'); end if;
    return jsonb_build_object('outcome', case p_state when 'open' then 'listed' else 'mended' end, 'kind', p_kind,
        'discrepancy', v_id);
end $$;

-- The workflow that looks after a receivable: of one that is asked for by a link, its payment request.
create or replace function duly.owner_of_receivable(p_account_id text, p_period text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce('payment-request/' || (duly.payment_request_of_receivable(p_account_id, p_period)).id,
        'collection/' || p_account_id || '/' || p_period)
$$;

create or replace function duly.confirm_charge(m duly.gateway_movements, f jsonb, p_id text) returns jsonb
language plpgsql as $$
declare
    a duly.gateway_attempts := duly.attempt_of_found(m.provider_id, f);
    r duly.gateway_requests;
    v_found duly.gateway_requests;
    v_late text;
begin
    select * into r from duly.gateway_requests where id = a.request_id;
    perform from duly.account_balances where account_id = r.account_id for no key update;
    select * into a from duly.gateway_attempts where request_id = a.request_id and attempt = a.attempt;
    if a.request_id is not null and not duly.is_final(a.outcome) then
        -- Whoever has just sent it records it in a moment.
        if a.outcome is null and a.sent_at > clock_timestamp() - interval '15 minutes' then
            return jsonb_build_object('outcome', 'waiting');
        end if;
        if f ->> 'currency' <> r.currency then
            return duly.list_movement(m, f, 'differs', 'open', p_id, r.account_id, a.payment_id);
        end if;
        perform duly.record_outcome(a.request_id, a.attempt, 'succeeded', f ->> 'payment_reference', m.source,
            p_found_minor => (f ->> 'amount_minor')::bigint,
            p_paid_by => case when f ->> 'method_type' <> '' then array[f ->> 'method_type', f ->> 'method'] else '{}' end);
        perform duly.match_source(m.provider_id, m.source, 'charge');
        return duly.list_movement(m, f, 'unbooked_charge', 'mended', p_id, r.account_id, a.payment_id)
            || jsonb_build_object('wake', duly.owner_of_receivable(r.account_id, r.period));
    elsif a.outcome = 'succeeded' and a.gateway_reference = f ->> 'payment_reference' then
        return duly.confirm_booked_charge(m, f, a, r, p_id);
    elsif a.request_id is null and not exists (select from duly.gateway_customers
            where provider_id = m.provider_id and customer_reference = f ->> 'customer') then
        return duly.list_movement(m, f, 'foreign_charge', 'open', p_id);
    elsif not exists (select from duly.currencies where code = f ->> 'currency') then
        return duly.list_movement(m, f, 'unknown_currency', 'open', p_id);
    end if;
    v_found := duly.adopt_payment(m.provider_id, coalesce(nullif(f ->> 'customer', ''), a.customer), r.account_id,
        f ->> 'payment_reference', m.source, (f ->> 'amount_minor')::bigint, f ->> 'currency', p_found => f);
    perform duly.match_source(m.provider_id, m.source, 'charge');
    v_late := duly.refund_late_payment(r, v_found);
    if v_late is not null then
        return duly.list_movement(m, f, 'unbooked_charge', 'mended', p_id, v_found.account_id, v_found.transaction_id,
            jsonb_build_object('refund', v_late)) || jsonb_build_object('wake', 'refund/' || v_late);
    end if;
    -- The receivable that it names was paid by another charge: what came in twice goes back, by a person's command.
    if r.state = 'posted' then
        return duly.list_movement(m, f, 'double_charge', 'open', p_id, v_found.account_id, v_found.transaction_id);
    end if;
    return duly.list_movement(m, f, 'unbooked_charge', 'mended', p_id, v_found.account_id, v_found.transaction_id)
        || jsonb_build_object('wake', case when r.id is not null then duly.owner_of_receivable(r.account_id, r.period)
            else duly.settled_by_found(v_found.account_id) end);
end $$;

-- The payment is booked, perhaps without the charge's id; its fee came late, or something differs.
create or replace function duly.confirm_booked_charge(m duly.gateway_movements, f jsonb, a duly.gateway_attempts,
    r duly.gateway_requests, p_id text)
returns jsonb language plpgsql as $$
begin
    if a.charge_reference is null then
        update duly.gateway_attempts set charge_reference = m.source
        where request_id = a.request_id and attempt = a.attempt;
        update duly.gateway_expectations set object = m.source
        where provider_id = m.provider_id and object = a.gateway_reference and kind = 'charge';
    end if;
    if duly.match_source(m.provider_id, m.source, 'charge') then return jsonb_build_object('outcome', 'matched'); end if;
    return duly.list_movement(m, f, 'differs', 'open', p_id);
end $$;

-- What a refund is that nobody has requested: made outside, or one of ours a second time, which bears the key of another that
-- was paid. Of one that was given up here nothing had been paid before.
create or replace function duly.kind_of_found_refund(m duly.gateway_movements, f jsonb) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case when exists (select from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id
            where a.idempotency_key = nullif(f ->> 'attempt_key', '') and r.provider_id = m.provider_id
              and r.kind in ('refund', 'payment_cancellation') and r.state not in ('rejected', 'reversed')
              and r.gateway_reference <> m.source)
        then 'double_refund' else 'unbooked_refund' end
$$;

create or replace function duly.confirm_refund(m duly.gateway_movements, f jsonb, p_id text) returns jsonb
language plpgsql as $$
declare
    r duly.gateway_requests := duly.refund_of_found(m.provider_id, m.source, f);
    a duly.gateway_attempts;
    v_is_new boolean := false;
    v_kind text;
begin
    if r.id is null or r.gateway_reference is not null and r.gateway_reference <> m.source then
        r := duly.adopt_refund(m.provider_id, f ->> 'payment_reference', m.source, (f ->> 'amount_minor')::bigint,
            f ->> 'currency');
        if r.id is null then
            return duly.list_movement(m, f, case when exists (select from duly.gateway_requests
                where provider_id = m.provider_id and gateway_reference = f ->> 'payment_reference' and kind = 'payment')
                then duly.kind_of_found_refund(m, f) else 'foreign_refund' end, 'open', p_id);
        end if;
        v_is_new := true;
    end if;
    select * into a from duly.gateway_attempts where request_id = r.id order by attempt desc limit 1;
    if a.outcome is null and not v_is_new and a.sent_at > clock_timestamp() - interval '15 minutes' then
        return jsonb_build_object('outcome', 'waiting');
    end if;
    if r.state not in ('posted', 'reversed', 'rejected') then
        perform duly.record_refund(r.id, a.attempt, 'succeeded', true, m.source, '');
    end if;
    if f ->> 'status' in ('failed', 'canceled') and m.kind = 'refund_failure' then
        perform duly.record_refund(r.id, a.attempt, 'declined', true, m.source, f ->> 'status');
    end if;
    if duly.match_source(m.provider_id, m.source, m.kind) then
        v_kind := case m.kind when 'refund' then duly.kind_of_found_refund(m, f) else 'unbooked_refund_back' end;
        return duly.list_movement(m, f, v_kind, case v_kind when 'double_refund' then 'open' else 'mended' end, p_id, r.account_id, r.transaction_id) || jsonb_build_object('wake', 'refund/' || r.id);
    elsif (select sum(amount_minor) from duly.gateway_movements
            where provider_id = m.provider_id and source = m.source and kind in ('refund', 'refund_failure')) = 0 then
        update duly.gateway_movements set state = 'explained', explanation = 'went and came back'
        where provider_id = m.provider_id and source = m.source and state = 'open';
        return jsonb_build_object('outcome', 'matched');
    end if;
    return duly.list_movement(m, f, 'differs', 'open', p_id, r.account_id, r.transaction_id);
end $$;

-- Settle one candidate by what the gateway says of its source now.
create or replace function duly.confirm_movement(p_provider_id text, p_movement_id text, p_found jsonb, p_reconciliation_id text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.gateway_movements;
begin
    m := duly.lock_movement(p_provider_id, p_movement_id);
    if m.state <> 'open' or (m.source <> '' and m.kind <> '' and duly.match_source(p_provider_id, m.source, m.kind)) then
        return jsonb_build_object('outcome', 'matched');
    elsif not exists (select from duly.currencies where code = m.currency) then
        return duly.list_movement(m, p_found, 'unknown_currency', 'open', p_reconciliation_id);
    elsif duly.waits_for_transfers(m) then
        return jsonb_build_object('outcome', 'waiting');
    end if;
    return case
        when m.kind = 'charge' then duly.confirm_charge(m, p_found, p_reconciliation_id)
        when m.kind in ('refund', 'refund_failure') then duly.confirm_refund(m, p_found, p_reconciliation_id)
        when m.kind in ('payout_out', 'payout_back') and p_found ? 'arrives' then
            duly.confirm_payout(m, p_found, p_reconciliation_id)
        when m.kind in ('dispute', 'dispute_reversal') then duly.confirm_dispute(m, p_found, p_reconciliation_id)
        when m.kind = 'application_fee_refund' and duly.platform_of(p_provider_id) is not null then
            duly.confirm_fee_refund(m, p_found, p_reconciliation_id)
        else duly.confirm_other(m, p_found, p_reconciliation_id) end;
end $$;

-- A dispute of a payment of ours has a workflow of its own, which books it: it is woken.
create or replace function duly.confirm_dispute(m duly.gateway_movements, f jsonb, p_id text) returns jsonb
language plpgsql as $$
declare
    r duly.gateway_requests;
begin
    select * into r from duly.gateway_requests
    where provider_id = m.provider_id and gateway_reference = f ->> 'payment_reference' and kind = 'payment';
    if r.id is null then
        return duly.list_movement(m, f, 'foreign_dispute', 'open', p_id);
    elsif exists (select from duly.expected_movements e
            where e.provider_id = m.provider_id and e.object = m.source and e.kind = m.kind)
        and exists (select from duly.disputes where id = m.source and closed_at is not null) then
        return duly.list_movement(m, f, 'differs', 'open', p_id, r.account_id, r.transaction_id)
            || jsonb_build_object('wake', 'dispute/' || m.source);
    end if;
    return duly.list_movement(m, f, 'unbooked_dispute', 'open', p_id, r.account_id, r.transaction_id)
        || jsonb_build_object('wake', 'dispute/' || m.source);
end $$;

-- What is of no object: the gateway's own fees are booked, everything else is for a person.
create or replace function duly.confirm_other(m duly.gateway_movements, f jsonb, p_id text) returns jsonb
language plpgsql as $$
begin
    if m.kind = 'fee' and m.net_minor <> 0 then
        perform duly.book_gateway_movement('movement:' || m.id, case when m.net_minor < 0 then 'fee' else 'fee_refund' end,
            m.provider_id, m.currency, abs(m.net_minor), m.id, (m.created_at at time zone 'UTC')::date);
        update duly.gateway_movements set state = 'matched' where provider_id = m.provider_id and id = m.id;
        return jsonb_build_object('outcome', 'matched');
    elsif m.kind in ('topup', 'topup_back') and m.net_minor <> 0 then
        perform duly.book_gateway_movement('movement:' || m.id, case when m.net_minor > 0 then 'topup' else 'topup_back' end,
            m.provider_id, m.currency, abs(m.net_minor), m.id, (m.created_at at time zone 'UTC')::date);
        update duly.gateway_movements set state = 'matched' where provider_id = m.provider_id and id = m.id;
        return jsonb_build_object('outcome', 'matched');
    elsif m.net_minor = 0 then
        update duly.gateway_movements set state = 'explained', explanation = 'moves nothing'
        where provider_id = m.provider_id and id = m.id;
        return jsonb_build_object('outcome', 'matched');
    end if;
    return duly.list_movement(m, f, case when m.kind in ('application_fee', 'application_fee_refund') then 'unexpected_' || m.kind
        when m.kind in ('transfer', 'transfer_reversal') then 'unexpected_transfer'
        else 'unknown_movement' end, 'open', p_id);
end $$;

-- The ledger has booked what the gateway does not show, though it was looked for once more.
create or replace function duly.note_missing(p_provider_id text, p_object text, p_kind text, p_status text, p_reconciliation_id text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    e duly.expected_movements;
begin
    if duly.match_source(p_provider_id, p_object, p_kind) then return jsonb_build_object('outcome', 'matched'); end if;
    select * into e from duly.expected_movements
    where provider_id = p_provider_id and object = p_object and kind = p_kind limit 1;
    if not found or exists (select from duly.gateway_movements
            where provider_id = p_provider_id and source = p_object and kind = p_kind) then
        return jsonb_build_object('outcome', 'matched');
    end if;
    return jsonb_build_object('outcome', 'listed', 'kind', 'missing_' || p_kind,
        'discrepancy', duly.note_discrepancy(p_provider_id, 'missing_' || p_kind, p_object, 'open', e.account_id,
            e.transaction_id, abs(e.amount_minor), e.currency, jsonb_build_object('booked_minor', e.amount_minor,
                'booked_fee_minor', e.fee_minor, 'status', p_status), p_reconciliation_id));
end $$;
