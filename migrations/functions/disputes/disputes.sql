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
-- money that moves after the decision, a bank that changes its mind, and an inquiry that becomes a dispute after it had ended.
-- `p_movements`: {movements: [{reference, amount_minor, fee_minor, currency}]}; a worker of release 0.1.0 gives sums instead.
create or replace function duly.record_dispute(p_id text, p_provider_id text, p_payment_reference text, p_status text, p_state text,
    p_amount_minor bigint, p_currency text, p_reason text, p_evidence_due_at timestamptz, p_has_evidence boolean,
    p_withdrawn_minor bigint, p_reinstated_minor bigint, p_fee_minor bigint, p_movements jsonb default null)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    d duly.disputes;
    v_payment text;
    v_has_turned boolean;
begin
    select * into r from duly.gateway_requests
    where provider_id = p_provider_id and gateway_reference = p_payment_reference and kind = 'payment';
    if not found then
        perform duly.refuse('payment_known', format('dispute: %s is of no payment of ours', p_id));
    elsif not exists (select from duly.currencies where code = p_currency) then
        perform duly.refuse('currency_is_kept', format('dispute: %s is about an amount in %s, which the ledger does not have; '
            'reconcile lists what it moves', p_id, upper(p_currency)));
    end if;
    perform duly.lock_accounts_of_payment(r.transaction_id, r.account_id);
    v_payment := duly.standing_payment(r.transaction_id);
    select * into d from duly.disputes where id = p_id for update;
    v_has_turned := d.closed_at is not null and duly.has_turned(d, p_state, p_withdrawn_minor, p_reinstated_minor, p_movements);
    if d.closed_at is null then
        insert into duly.disputes as t (id, provider_id, request_id, account_id, amount_minor, currency, reason, state, status,
            evidence_due_at, has_evidence, closed_at)
        select p_id, p_provider_id, r.id, f.account_id, p_amount_minor, p_currency, p_reason, p_state, p_status, p_evidence_due_at,
            p_has_evidence, case when p_state in ('won', 'lost', 'closed') then now() end
        from duly.financial_transactions f where f.id = v_payment
        on conflict (id) do update set state = excluded.state, status = excluded.status, reason = excluded.reason,
            evidence_due_at = excluded.evidence_due_at, has_evidence = excluded.has_evidence, closed_at = excluded.closed_at,
            amount_minor = excluded.amount_minor;
    elsif v_has_turned then
        update duly.disputes set state = p_state, status = p_status,
            closed_at = case when p_state in ('won', 'lost', 'closed') then now() end where id = p_id;
    end if;
    if p_movements is null then
        perform duly.book_dispute(p_id, p_provider_id, p_currency, v_payment, p_withdrawn_minor, p_reinstated_minor, p_fee_minor);
    else
        perform duly.move_disputed(p_id, r, v_payment, v_has_turned, p_withdrawn_minor, p_reinstated_minor, p_movements);
    end if;
    perform duly.settle_disputes(r);
    if v_has_turned then
        perform duly.notify_of_dispute(p_id, case when p_state in ('won', 'lost') then 'dispute_decided' else 'dispute_opened' end,
            concat_ws('/', p_id, p_state, to_char(now() at time zone 'UTC', 'YYYYMMDD"T"HH24MISS')));
    else
        perform duly.notify_of_dispute(p_id, case when d.closed_at is not null then null when d.id is null then 'dispute_opened'
            when p_state in ('won', 'lost') then 'dispute_decided' end);
    end if;
    return duly.dispute_view(p_id);
end $$;

-- Whether a dispute that was over is decided in another way now. Who has read it before its money moved is late, and decides nothing.
create or replace function duly.has_turned(d duly.disputes, p_state text, p_withdrawn_minor bigint, p_reinstated_minor bigint,
    p_movements jsonb)
returns boolean language sql stable security definer set search_path = duly, pg_temp as $$
    select ((d.state, p_state) in (('lost', 'won'), ('won', 'lost')) or d.state = 'closed' and p_state in ('open', 'won', 'lost'))
        and case when p_movements is null or duly.is_booked_by_sums(d.provider_id, d.id)
            then p_withdrawn_minor >= s.held and p_reinstated_minor >= s.released
            else not exists (select from duly.gateway_bookings b
                where b.gateway_reference = d.id and b.provider = d.provider_id and b.kind in ('dispute_held', 'dispute_released')
                  and split_part(b.idempotency_key, ':', 4) not in (
                      select x.movement ->> 'reference' from jsonb_array_elements(p_movements -> 'movements') x (movement))) end
    from duly.dispute_sums(d.provider_id, d.id) s
$$;

-- Alert the operators of a dispute (S23): once when it opens, before its evidence is due, when it is decided.
create or replace function duly.notify_of_dispute(p_id text, p_kind text, p_occasion text default null) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.disputes;
begin
    if p_kind is null then return; end if;
    select * into strict d from duly.disputes where id = p_id;
    perform duly.write_message(p_kind, d.account_id, '', '', jsonb_build_object('amount_minor', d.amount_minor, 'currency', d.currency,
        'code', case p_kind when 'dispute_decided' then d.state else d.reason end, 'at', d.evidence_due_at,
        'workflow', 'dispute/' || d.id), coalesce(p_occasion, d.id));
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
