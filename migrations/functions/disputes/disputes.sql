-- Disputes: a cardholder's bank takes money back. It is held in an account of its own until the bank decides (S23).

create or replace function duly.dispute_view(p_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('dispute_id', d.id, 'provider', d.provider_id, 'account_id', d.account_id,
        'payment_id', duly.standing_payment(r.transaction_id), 'amount_minor', d.amount_minor, 'currency', d.currency,
        'reason', d.reason, 'state', d.state, 'status', d.status, 'evidence_due_at', d.evidence_due_at,
        'has_evidence', d.has_evidence)
    from duly.disputes d join duly.gateway_requests r on r.id = d.request_id where d.id = p_id
$$;

-- One commit of how a dispute stands at the gateway and of what it means for the money. What is closed stays closed, but for
-- money that moves after the decision. `p_movements`: {movements: [{reference, amount_minor, fee_minor, currency}]}; a worker of release
-- 0.1.0 gives sums instead.
create or replace function duly.record_dispute(p_id text, p_provider_id text, p_payment_reference text, p_status text, p_state text,
    p_amount_minor bigint, p_currency text, p_reason text, p_evidence_due_at timestamptz, p_has_evidence boolean,
    p_withdrawn_minor bigint, p_reinstated_minor bigint, p_fee_minor bigint, p_movements jsonb default null)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    d duly.disputes;
    v_payment text;
begin
    select * into r from duly.gateway_requests
    where provider_id = p_provider_id and gateway_reference = p_payment_reference and kind = 'payment';
    if not found then
        perform duly.refuse('payment_known', format('dispute: %s is of no payment of ours', p_id));
    elsif not exists (select from duly.currencies where code = p_currency) then
        perform duly.refuse('currency_is_kept', format('dispute: %s is about an amount in %s, which the ledger does not have; '
            'reconcile lists what it moves', p_id, upper(p_currency)));
    end if;
    v_payment := duly.standing_payment(r.transaction_id);
    perform duly.lock_accounts(array[r.account_id, (select account_id from duly.financial_transactions where id = v_payment)]);
    select * into d from duly.disputes where id = p_id for update;
    if d.closed_at is null then
        insert into duly.disputes as t (id, provider_id, request_id, account_id, amount_minor, currency, reason, state, status,
            evidence_due_at, has_evidence, closed_at)
        select p_id, p_provider_id, r.id, f.account_id, p_amount_minor, p_currency, p_reason, p_state, p_status, p_evidence_due_at,
            p_has_evidence, case when p_state in ('won', 'lost', 'closed') then now() end
        from duly.financial_transactions f where f.id = v_payment
        on conflict (id) do update set state = excluded.state, status = excluded.status, reason = excluded.reason,
            evidence_due_at = excluded.evidence_due_at, has_evidence = excluded.has_evidence, closed_at = excluded.closed_at,
            amount_minor = excluded.amount_minor;
    end if;
    if p_movements is null then
        perform duly.book_dispute(p_id, p_provider_id, p_currency, v_payment, p_withdrawn_minor, p_reinstated_minor, p_fee_minor);
    else
        perform duly.move_disputed(p_id, r, v_payment, p_state, p_withdrawn_minor, p_reinstated_minor, p_movements);
    end if;
    if p_state = 'lost' then
        perform duly.lose_dispute(p_id, r, v_payment, p_withdrawn_minor);
    end if;
    perform duly.notify_of_dispute(p_id, case when d.closed_at is not null then null when d.id is null then 'dispute_opened'
        when p_state in ('won', 'lost') then 'dispute_decided' end);
    return duly.dispute_view(p_id);
end $$;

-- What the bank takes is expected while the dispute is open, and what it gives back when it is won; each movement is booked
-- once, whenever it comes. A converted dispute may have several movements of a direction: the later ones are fees and differences.
create or replace function duly.move_disputed(p_id text, r duly.gateway_requests, p_payment_id text, p_state text,
    p_withdrawn_minor bigint, p_reinstated_minor bigint, p_movements jsonb)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m record;
begin
    -- What release 0.1.0 had booked of this dispute stays as it is.
    if exists (select from duly.gateway_bookings where idempotency_key = 'dispute:' || p_id || ':held') and not exists (
            select from duly.gateway_expectations where provider_id = r.provider_id and object = p_id) then
        perform duly.book_dispute(p_id, r.provider_id, r.currency, p_payment_id, 0, p_reinstated_minor, 0);
        return;
    end if;
    if p_withdrawn_minor > 0 or p_state in ('open', 'lost') then
        perform duly.expect_movement(r.provider_id, p_id, 'dispute', r.account_id, p_payment_id,
            -coalesce(nullif(p_withdrawn_minor, 0), (select amount_minor from duly.disputes where id = p_id)), r.currency);
    end if;
    if p_reinstated_minor > 0 or (p_state = 'won' and p_withdrawn_minor > 0) then
        perform duly.expect_movement(r.provider_id, p_id, 'dispute_reversal', r.account_id, p_payment_id,
            coalesce(nullif(p_reinstated_minor, 0), p_withdrawn_minor), r.currency);
    end if;
    for m in
        select x.movement, case when (x.movement ->> 'amount_minor')::bigint <= 0 then 'dispute' else 'dispute_reversal' end as kind
        from jsonb_array_elements(p_movements -> 'movements') with ordinality x (movement, place) order by x.place
    loop
        if not duly.book_movement(r.provider_id, p_id, m.kind, m.movement) and not exists (
                select from duly.gateway_expectations where provider_id = r.provider_id and movement = m.movement ->> 'reference') then
            -- Nothing more of the customer's currency moves, only the balance's own.
            perform duly.book_converted(m.movement ->> 'reference', r.provider_id, m.movement ->> 'currency',
                (m.movement ->> 'amount_minor')::bigint, p_id);
            perform duly.book_fee(m.movement ->> 'reference', r.provider_id, m.movement ->> 'currency',
                (m.movement ->> 'fee_minor')::bigint, p_id);
        end if;
    end loop;
end $$;

-- What a worker of release 0.1.0 says of a dispute's money: sums, in the currency of the payment.
create or replace function duly.book_dispute(p_id text, p_provider_id text, p_currency text, p_payment_id text, p_withdrawn_minor bigint,
    p_reinstated_minor bigint, p_fee_minor bigint)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if p_withdrawn_minor > 0 then
        perform duly.book_gateway_movement('dispute:' || p_id || ':held', 'dispute_held', p_provider_id, p_currency,
            p_withdrawn_minor, p_id, p_payment_id => p_payment_id);
    end if;
    if p_reinstated_minor > 0 then
        perform duly.book_gateway_movement('dispute:' || p_id || ':released', 'dispute_released', p_provider_id, p_currency,
            p_reinstated_minor, p_id, p_payment_id => p_payment_id);
    end if;
    if p_fee_minor > 0 then
        perform duly.book_gateway_fee('dispute:' || p_id || ':fee', p_provider_id, p_currency, p_fee_minor, p_id);
    end if;
end $$;

-- Disputed money that the bank has taken, or given back. One that was lost before its money was taken is paid for by it now.
create or replace function duly.book_held(e duly.gateway_expectations) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
begin
    perform duly.book_gateway_movement('dispute:' || e.object || case e.kind when 'dispute' then ':held' else ':released' end,
        case e.kind when 'dispute' then 'dispute_held' else 'dispute_released' end,
        e.provider_id, e.currency, abs(e.amount_minor), e.object, p_payment_id => e.payment_id);
    if e.kind = 'dispute' then
        select q.* into r from duly.disputes d join duly.gateway_requests q on q.id = d.request_id
        where d.id = e.object and d.state = 'lost';
        if found then
            perform duly.lose_dispute(e.object, r, duly.standing_payment(r.transaction_id), abs(e.amount_minor));
        end if;
    end if;
end $$;

-- The accounts that a dispute's money concerns, locked in the order in which all lock.
create or replace function duly.lock_disputed(p_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.lock_accounts(array_agg(x.account_id)) from (
        select r.account_id from duly.disputes d join duly.gateway_requests r on r.id = d.request_id where d.id = p_id
        union
        select t.account_id from duly.disputes d join duly.gateway_requests r on r.id = d.request_id
            join duly.financial_transactions t on t.id = duly.standing_payment(r.transaction_id) where d.id = p_id) x
$$;

-- The bank has decided for the cardholder: the payment is cancelled by the system, and what was held back pays for
-- it.
create or replace function duly.lose_dispute(p_id text, r duly.gateway_requests, p_payment_id text, p_lost_minor bigint)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_paid bigint;
begin
    if p_lost_minor = 0 or exists (select from duly.gateway_bookings where idempotency_key = 'dispute:' || p_id || ':lost') then
        return;
    end if;
    -- Of a payment that was cancelled already nothing is left to cancel, and a bank may take more than was paid: fees of its own,
    -- another day's rate. The customer has that twice, or never paid it, and owes nothing for it in the ledger.
    select total_minor into v_paid from duly.financial_transactions where id = p_payment_id and state = 'posted';
    v_paid := least(coalesce(v_paid, 0), p_lost_minor);
    if v_paid > 0 then
        perform duly.return_payment('dispute:' || p_id || ':lost', p_payment_id, v_paid, p_id, 'Dispute lost', 'system', 'system');
        perform duly.book_gateway_movement('dispute:' || p_id || ':lost', 'dispute_lost', r.provider_id, r.currency,
            v_paid, p_id, p_payment_id => p_payment_id);
    end if;
    if v_paid < p_lost_minor then
        perform duly.book_gateway_movement('dispute:' || p_id || case when v_paid > 0 then ':beyond' else ':lost' end,
            'dispute_written_off', r.provider_id, r.currency, p_lost_minor - v_paid, p_id, p_payment_id => p_payment_id);
    end if;
    -- Who has taken the money back from a card is not charged on it again by itself.
    update duly.cards set state = 'blocked', state_reason = 'charged_back' where state = 'active' and id = (
        select a.card_id from duly.gateway_attempts a where a.request_id = r.id and a.outcome = 'succeeded');
end $$;

-- Alert the operators of a dispute (S23): once when it opens, before its evidence is due, when it is decided.
create or replace function duly.notify_of_dispute(p_id text, p_kind text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.disputes;
begin
    if p_kind is null then return; end if;
    select * into strict d from duly.disputes where id = p_id;
    perform duly.write_message(p_kind, d.account_id, '', '', jsonb_build_object('amount_minor', d.amount_minor, 'currency', d.currency,
        'code', case p_kind when 'dispute_decided' then d.state else d.reason end, 'at', d.evidence_due_at,
        'workflow', 'dispute/' || d.id), d.id);
end $$;

create or replace function duly.note_on_dispute(p_id text, p_decision text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.disputes set decisions = decisions || concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z ', p_decision)
    where id = p_id
$$;

-- The dispute that an event is about, if it is of a payment of ours.
create or replace function duly.dispute_of_event(e duly.gateway_events) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array[e.object_id, e.provider_id] from duly.gateway_requests r
    where r.provider_id = e.provider_id and r.kind = 'payment' and r.gateway_reference = any (e.mentions) limit 1
$$;
