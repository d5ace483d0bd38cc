-- What a refund or cancellation came to. Each function is one commit, and repeating it changes nothing.

-- One commit of what the gateway said and of all that follows in the ledger. `booked`: the money has left its
-- balance.
create or replace function duly.record_refund(p_request_id text, p_attempt integer, p_outcome text, p_is_booked boolean,
    p_gateway_reference text, p_code text, p_actor text default '', p_reason text default '', p_movement jsonb default null,
    p_return_movement jsonb default null)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    a duly.gateway_attempts;
begin
    perform duly.lock_refund(p_request_id);
    select * into strict r from duly.gateway_requests where id = p_request_id;
    select * into strict a from duly.gateway_attempts where request_id = p_request_id and attempt = p_attempt;
    if r.state in ('rejected', 'reversed') then
        if p_return_movement ->> 'reference' is not null then
            perform duly.book_movement(r.provider_id, r.gateway_reference, 'refund_failure', p_return_movement);
        end if;
        return duly.refund_view(r, a);
    end if;
    if not duly.is_final(a.outcome) then
        update duly.gateway_attempts set outcome = p_outcome, code = p_code,
            gateway_reference = coalesce(nullif(p_gateway_reference, ''), gateway_reference),
            resolved_by = p_actor, resolution = p_reason,
            finished_at = case when duly.is_final(p_outcome) then clock_timestamp() end
        where request_id = p_request_id and attempt = p_attempt returning * into a;
    end if;
    if r.state = 'posted' then
        -- It had gone out, and may come back long after it had succeeded.
        if p_outcome = 'declined' then r := duly.reverse_refund(r, p_code); end if;
    elsif p_is_booked and p_outcome in ('succeeded', 'processing') then
        r := duly.post_refund(r, a);
    elsif p_outcome in ('declined', 'invalid_request') then
        if r.transaction_id is not null then
            perform duly.reject_refund(r.transaction_id, p_code);
        end if;
        update duly.gateway_requests set state = 'rejected', error_code = p_code, executed_at = clock_timestamp()
        where id = r.id returning * into r;
    else
        update duly.gateway_requests set error_code = p_code,
            state = case p_outcome when 'unknown' then 'unknown' else 'under_processing' end
        where id = r.id returning * into r;
    end if;
    -- What a lost dispute took of money that had gone back is owed again when the refund fails.
    perform duly.settle_disputes(p) from duly.gateway_requests p where p.id = r.of_request_id;
    perform duly.book_movement(r.provider_id, r.gateway_reference, x.kind, x.movement)
    from (values ('refund', p_movement), ('refund_failure', p_return_movement)) x (kind, movement)
    where x.movement ->> 'reference' is not null;
    return duly.refund_view(r, a);
end $$;

-- Lock every account that an outcome may post on, in the order in which all lock.
create or replace function duly.lock_refund(p_request_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.lock_accounts(array_agg(x.account_id)) from (
        select r.account_id from duly.gateway_requests r where r.id = p_request_id
        union
        select t.account_id from duly.gateway_requests r join duly.gateway_requests p on p.id = r.of_request_id
            cross join lateral duly.successors_of_payment(p.transaction_id) s
            join duly.financial_transactions t on t.id = s.id
        where r.id = p_request_id
        union
        select m.account_id from duly.reduction_parts p join duly.reductions d on d.award_id = p.award_id
            join duly.merchants m on m.id = d.merchant_id
        where p.request_id = p_request_id and m.account_id is not null) x;
end $$;

-- The money has gone back: the refund is posted, or the payment cancelled (F67, Q4).
create or replace function duly.post_refund(r duly.gateway_requests, a duly.gateway_attempts) returns duly.gateway_requests
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_payment text;
    v_transaction text := r.transaction_id;
begin
    if r.kind = 'refund' then
        perform duly.post_gateway_refund(v_transaction, a.gateway_reference);
        perform duly.book_part(p, v_transaction) from duly.reduction_parts p where p.request_id = r.id;
    else
        select transaction_id into v_payment from duly.gateway_requests where id = r.of_request_id;
        v_transaction := duly.return_standing('cancellation:' || r.id, v_payment, r.amount_minor, a.gateway_reference,
            nullif(r.asked_because, ''), 'user', coalesce(nullif(r.asked_by, ''), 'system'));
    end if;
    update duly.gateway_requests set state = 'posted', transaction_id = v_transaction, executed_at = clock_timestamp(),
        gateway_reference = a.gateway_reference, error_code = ''
    where id = r.id returning * into r;
    perform duly.expect_movement(r.provider_id, r.gateway_reference, 'refund', r.account_id, v_transaction, -r.amount_minor, r.currency);
    perform duly.write_message('refunded', r.account_id, '', '', jsonb_build_object('amount_minor', r.amount_minor,
        'currency', r.currency, 'payment_id', r.transaction_id), r.id);
    -- Last: the numbers of credit notes have no gaps, and their lock is held to the commit.
    if r.kind = 'refund' then perform duly.post_refund_credit(r.id); end if;
    return r;
end $$;

-- Money that had gone back has come again: new transactions undo what it had done.
create or replace function duly.reverse_refund(r duly.gateway_requests, p_code text) returns duly.gateway_requests
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_payment text;
    v_returned text;
begin
    if r.kind = 'refund' then
        v_returned := duly.return_refund('refund_returned:' || r.id, r.transaction_id, 'system');
        perform duly.unbook_part(p, v_returned, p_code) from duly.reduction_parts p where p.request_id = r.id;
    else
        select counterpart_id into v_payment from duly.financial_transactions where id = r.transaction_id;
        perform duly.restore_payment('cancellation_returned:' || r.id, v_payment, r.amount_minor, r.gateway_reference);
    end if;
    update duly.gateway_requests set state = 'reversed', error_code = p_code where id = r.id returning * into r;
    perform duly.expect_movement(r.provider_id, r.gateway_reference, 'refund_failure', r.account_id, r.transaction_id, r.amount_minor,
        r.currency);
    perform duly.write_message('refund_failed', r.account_id, '', '', jsonb_build_object('amount_minor', r.amount_minor,
        'currency', r.currency, 'code', p_code, 'workflow', 'refund/' || r.id), r.id);
    perform duly.write_refund_returned(r);
    return r;
end $$;

-- Who was told that money was sent is told that it came back. Who was not told yet is told neither.
create or replace function duly.write_refund_returned(r duly.gateway_requests) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_sent text := concat_ws('/', 'refunded', r.account_id, r.id);
begin
    update duly.messages set state = 'withheld', reason = 'overtaken' where id = v_sent and state = 'pending';
    if exists (select from duly.messages where id = v_sent and state in ('sending', 'sent')) then
        perform duly.write_message('refund_returned', r.account_id, '', '', jsonb_build_object(
            'amount_minor', r.amount_minor, 'currency', r.currency, 'payment_id', r.transaction_id), r.id);
    end if;
end $$;

-- The refund that an event is about: its request, by our id or the gateway's.
create or replace function duly.refund_of_event(e duly.gateway_events) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array[r.id, r.provider_id] from duly.gateway_requests r
    -- Whoever has an account of their own writes there what they want: its ids are worth something on that account alone.
    where r.of_request_id is not null and r.provider_id = e.provider_id and (r.id = e.request_id
        or r.gateway_reference = any (e.mentions)
        -- The event of the charge itself names the payment: its newest refund is the one that may not know yet.
        or (e.type = 'charge.refunded' and r.of_request_id = (select p.id from duly.gateway_requests p
            where p.kind = 'payment' and p.provider_id = e.provider_id
              and (p.id = e.request_id or p.gateway_reference = any (e.mentions)) limit 1)))
    order by r.created_at desc limit 1
$$;

-- An account's payments of which something can be given back, in the order given.
create or replace function duly.refundable_payments(p_account_id text, p_newest_first boolean, p_max_age_days integer)
returns table (payment_id text, left_minor bigint, currency text, provider_id text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select v.transaction_id, v.left_minor, v.currency, v.provider_id
    from duly.financial_transactions t
    join lateral duly.payment_left(duly.payment_request_of(t.id)) v on v.left_minor > 0 and not v.is_disputed
        and v.transaction_id = t.id
    where t.account_id = p_account_id and t.classification = 'payment' and t.state = 'posted' and t.provider is not null
      and (p_max_age_days is null or t.posted_at > now() - make_interval(days => p_max_age_days))
    order by case when p_newest_first then t.account_version end desc, t.account_version
$$;
