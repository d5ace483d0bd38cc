-- What is passed on to a merchant of the payments that were taken for it, and taken back of that. The ledger says how much it should be:
-- what was captured, less what went back and what a bank has taken for good. The gateway says what has moved. The difference is moved, one
-- call at a time, each written down before it is sent; what anybody else moved counts as well.

-- A payment was taken for a merchant: from this commit on the platform owes it.
create or replace function duly.owe_merchant(r duly.gateway_requests, a duly.gateway_attempts) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if a.merchant_provider = '' then return; end if;
    insert into duly.merchant_transfers (request_id, provider_id, merchant_provider_id, currency, refunds_application_fee)
    values (r.id, r.provider_id, a.merchant_provider, r.currency, a.refunds_application_fee) on conflict (request_id) do nothing;
    perform duly.settle_merchant(r.id);
end $$;

-- Let what is owed to a merchant of a payment be what was captured, less what went back and what was lost. Again: nothing changes. The
-- account's lock is the caller's.
create or replace function duly.settle_merchant(p_request_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    t duly.merchant_transfers;
    r duly.gateway_requests;
    v_refunded bigint;
    v_lost bigint;
    v_more bigint;
begin
    select * into t from duly.merchant_transfers where request_id = p_request_id for no key update;
    if not found then return; end if;
    select * into strict r from duly.gateway_requests where id = p_request_id;
    select coalesce(sum(b.amount_minor), 0) into v_refunded from duly.gateway_requests b where b.of_request_id = r.id and b.state = 'posted';
    select coalesce(sum(s.lost), 0) into v_lost from duly.disputes d cross join lateral duly.dispute_sums(d.provider_id, d.id) s
    where d.request_id = r.id;
    if (r.amount_minor, v_refunded, v_lost) = (t.captured_minor, t.refunded_minor, t.lost_minor) then return; end if;
    v_more := r.amount_minor - v_refunded - v_lost - (t.captured_minor - t.refunded_minor - t.lost_minor);
    if v_more <> 0 then
        perform duly.book_gateway_movement('merchant:' || t.id || ':' || t.changes + 1,
            case when v_more > 0 then 'merchant_owed' else 'merchant_owed_less' end, t.merchant_provider_id, t.currency, abs(v_more),
            r.gateway_reference);
    end if;
    update duly.merchant_transfers set captured_minor = r.amount_minor, refunded_minor = v_refunded, lost_minor = v_lost,
        changes = changes + 1, state = 'pending', code = '', next_try_at = clock_timestamp() where id = t.id;
end $$;

-- The payments of a provider whose transfers have not followed, and that are due, the oldest first.
create or replace function duly.transfers_to_settle(p_provider_id text, p_limit integer) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'payment_reference', t.gateway_reference, 'destination', t.gateway_account,
        'group', t.gateway_reference) order by t.next_try_at), '[]')
    from (select x.*, r.gateway_reference, p.gateway_account from duly.merchant_transfers x
        join duly.gateway_requests r on r.id = x.request_id join duly.providers p on p.id = x.merchant_provider_id
        where x.provider_id = p_provider_id and x.state <> 'settled' and x.next_try_at <= clock_timestamp()
        order by x.next_try_at limit p_limit) t
$$;

-- Keep what the gateway shows of a payment's transfers [{reference, connected_reference, amount_minor, currency, key, moved_on,
-- is_of_payment, reversals: [...]}], book what is new of it, and return the next call to make, which is written down: null where all is
-- done, or has to wait.
create or replace function duly.record_transfers(p_id bigint, p_found jsonb) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    t duly.merchant_transfers;
    f jsonb;
    b jsonb;
begin
    select * into strict t from duly.merchant_transfers where id = p_id for no key update;
    if exists (select from jsonb_array_elements(p_found -> 'transfers') x where x ->> 'currency' <> t.currency) then
        -- The platform's balance is kept in another currency. What of it is whose cannot be computed here, and nothing is taken back of it.
        return duly.wait_for_transfer(t, 'needs_review', 'other_currency', interval '6 hours');
    end if;
    for f in select x from jsonb_array_elements(p_found -> 'transfers') x loop
        perform duly.record_move(t, 'transfer', f, '');
        for b in select x from jsonb_array_elements(f -> 'reversals') x loop
            perform duly.record_move(t, 'reversal', b, f ->> 'reference');
        end loop;
    end loop;
    return duly.next_move(t);
end $$;

-- Keep one of them, once by its reference: what was sent under its key, or what somebody else has made.
create or replace function duly.record_move(t duly.merchant_transfers, p_kind text, f jsonb, p_of text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v duly.merchant_transfer_moves;
    v_amount constant bigint := (f ->> 'amount_minor')::bigint;
    v_sign constant integer := case p_kind when 'transfer' then 1 else -1 end;
begin
    if exists (select from duly.merchant_transfer_moves where gateway_reference = f ->> 'reference') then return; end if;
    update duly.merchant_transfer_moves set state = 'moved', gateway_reference = f ->> 'reference', amount_minor = v_amount,
        connected_reference = f ->> 'connected_reference', of_reference = p_of, code = '', finished_at = clock_timestamp()
    where transfer_id = t.id and idempotency_key = f ->> 'key' and f ->> 'key' <> '' and kind = p_kind and state <> 'moved' returning * into v;
    if not found then
        insert into duly.merchant_transfer_moves (transfer_id, place, kind, cause, amount_minor, state, of_reference, gateway_reference,
            connected_reference, finished_at)
        select t.id, coalesce(max(m.place), 0) + 1, p_kind, case
                when (f ->> 'is_of_payment')::boolean then 'payment'
                when v_sign * duly.left_to_move(t, 'refund') >= v_amount then 'refund'
                when v_sign * duly.left_to_move(t, 'dispute') >= v_amount then 'dispute'
                else 'outside' end,
            v_amount, 'moved', p_of, f ->> 'reference', f ->> 'connected_reference', clock_timestamp()
        from duly.merchant_transfer_moves m where m.transfer_id = t.id;
    end if;
    perform duly.book_move(t, p_kind, f, p_of);
end $$;

-- Book a transfer or a reversal in both books, on its day, and expect what each account moves for it.
create or replace function duly.book_move(t duly.merchant_transfers, p_kind text, f jsonb, p_of text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    v_amount constant bigint := (f ->> 'amount_minor')::bigint;
    v_reference constant text := f ->> 'reference';
    v_is_out constant boolean := p_kind = 'transfer';
begin
    select * into strict r from duly.gateway_requests where id = t.request_id;
    perform duly.book_gateway_movement('move:' || v_reference, case when v_is_out then 'transfer' else 'transfer_reversed' end,
        t.merchant_provider_id, f ->> 'currency', v_amount, v_reference, (f ->> 'moved_on')::date);
    perform duly.book_gateway_movement('move:' || v_reference || ':received', case when v_is_out then 'transfer_received' else 'transfer_returned' end,
        t.merchant_provider_id, f ->> 'currency', v_amount, f ->> 'connected_reference', (f ->> 'moved_on')::date);
    perform duly.expect_movement(t.provider_id, case when v_is_out then v_reference else p_of || '/' || v_reference end,
        case when v_is_out then 'transfer' else 'transfer_reversal' end, r.account_id, r.transaction_id,
        case when v_is_out then -v_amount else v_amount end, f ->> 'currency');
    perform duly.expect_movement(t.merchant_provider_id, f ->> 'connected_reference', case when v_is_out then 'charge' else 'refund' end,
        r.account_id, r.transaction_id, case when v_is_out then v_amount else -v_amount end, f ->> 'currency');
end $$;

-- The next call for a payment's transfers, written down before it is sent; null where nothing is to be done now. One that nobody has
-- answered is sent again under its key, for as long as the gateway keeps that; a key that is used up, or too old, is followed by another
-- once the gateway does not show what it was for.
create or replace function duly.next_move(t duly.merchant_transfers) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v duly.merchant_transfer_moves;
    v_cause text;
    v_left bigint;
    v_place integer;
begin
    if not exists (select from duly.merchant_transfer_moves where transfer_id = t.id and cause = 'payment') then
        return duly.wait_for_transfer(t, case when t.created_at < clock_timestamp() - interval '1 day' then 'needs_review' else 'pending' end,
            'no_transfer', interval '5 minutes');
    end if;
    if not duly.is_sending_open(t.provider_id) then
        -- What a restored database knows of refunds may be older than what was moved for them: nothing is sent before it is recovered.
        update duly.merchant_transfers set next_try_at = clock_timestamp() + interval '5 minutes' where id = t.id;
        return null;
    end if;
    select * into v from duly.merchant_transfer_moves where transfer_id = t.id and state = 'sent';
    if found then
        if v.code = '' and v.sent_at > clock_timestamp() - interval '23 hours' and v.sent_at < clock_timestamp() + interval '1 minute' then
            return duly.move_to_send(t, v);
        end if;
        -- What a used key has begun may still be under way: its absence counts some minutes after it was sent.
        if v.sent_at > clock_timestamp() - interval '5 minutes' then
            return duly.wait_for_transfer(t, 'pending', v.code, interval '5 minutes');
        end if;
        update duly.merchant_transfer_moves set state = 'refused', code = 'did_not_happen', finished_at = clock_timestamp()
        where transfer_id = t.id and place = v.place;
    end if;
    select c.cause, duly.move_due(t, c.cause) into v_cause, v_left
    from unnest(array['refund', 'dispute']) c (cause) where duly.move_due(t, c.cause) <> 0 limit 1;
    if not found then
        update duly.merchant_transfers set next_try_at = clock_timestamp(), code = case when duly.excess_of_merchant(t) = 0 then ''
                when duly.moved_for(t.id, 'outside') <> 0 then 'moved_outside' else 'transfer_differs' end,
            state = case when duly.excess_of_merchant(t) = 0 then 'settled' else 'needs_review' end
        where id = t.id returning * into t;
        if t.state <> 'settled' then return duly.wait_for_transfer(t, t.state, t.code, interval '6 hours'); end if;
        update duly.discrepancies d set state = 'gone', closed_at = clock_timestamp() from duly.gateway_requests r
        where r.id = t.request_id and d.provider_id = t.provider_id and d.kind = 'transfer_not_made' and d.object = r.gateway_reference
          and d.state = 'open';
        return null;
    end if;
    select coalesce(max(place), 0) + 1 into v_place from duly.merchant_transfer_moves where transfer_id = t.id;
    v := row(t.id, v_place, case when v_left < 0 then 'reversal' else 'transfer' end, v_cause, abs(v_left), '', 'sent', '', null, null, '',
        clock_timestamp(), null);
    if v_left < 0 then
        -- What there is to take back of one transfer, the largest first.
        select m.gateway_reference, least(v.amount_minor, m.left_minor) into v.of_reference, v.amount_minor from (
            select x.gateway_reference, x.amount_minor - coalesce((select sum(y.amount_minor) from duly.merchant_transfer_moves y
                where y.transfer_id = t.id and y.of_reference = x.gateway_reference and y.state = 'moved'), 0) as left_minor
            from duly.merchant_transfer_moves x where x.transfer_id = t.id and x.kind = 'transfer' and x.state = 'moved') m
        where m.left_minor > 0 order by m.left_minor desc limit 1;
        if v.of_reference is null or v.of_reference = '' then
            return duly.wait_for_transfer(t, 'needs_review', 'nothing_to_reverse', interval '6 hours');
        end if;
    end if;
    v.idempotency_key := duly.attempt_key('transfer/' || t.request_id, v_place);
    insert into duly.merchant_transfer_moves select (v).*;
    return duly.move_to_send(t, v);
end $$;

create or replace function duly.move_to_send(t duly.merchant_transfers, v duly.merchant_transfer_moves) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('place', v.place, 'kind', v.kind, 'amount_minor', v.amount_minor, 'currency', t.currency,
        'idempotency_key', v.idempotency_key, 'transfer', v.of_reference, 'destination', p.gateway_account, 'group', r.gateway_reference,
        'refunds_application_fee', t.refunds_application_fee and v.cause = 'refund', 'installation', (select id from duly.installation))
    from duly.providers p, duly.gateway_requests r where p.id = t.merchant_provider_id and r.id = t.request_id
$$;

create or replace function duly.wait_for_transfer(t duly.merchant_transfers, p_state text, p_code text, p_for interval) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.merchant_transfers set state = p_state, code = p_code, next_try_at = clock_timestamp() + p_for where id = t.id;
    if p_state <> 'pending' then perform duly.note_transfer_not_made(t, p_code); end if;
    return null;
end $$;

-- A person has to know that what a merchant has is not what it should have: listed and alerted once, gone when it has followed.
create or replace function duly.note_transfer_not_made(t duly.merchant_transfers, p_code text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    v_id text;
begin
    select * into strict r from duly.gateway_requests where id = t.request_id;
    v_id := duly.note_discrepancy(t.provider_id, 'transfer_not_made', r.gateway_reference, 'open', r.account_id, r.transaction_id,
        abs(duly.excess_of_merchant(t)), t.currency,
        jsonb_build_object('code', p_code, 'merchant', t.merchant_provider_id, 'excess_minor', duly.excess_of_merchant(t)));
    perform duly.alert_of_discrepancies('transfers/' || t.id, p_id => v_id);
end $$;

-- The gateway refuses a call: nothing has moved, and it is made again later, under another key. What lacks money waits for it; the rest is
-- for a person to see.
create or replace function duly.note_move_refused(p_id bigint, p_place integer, p_code text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    t duly.merchant_transfers;
begin
    select * into strict t from duly.merchant_transfers where id = p_id for no key update;
    update duly.merchant_transfer_moves set state = 'refused', code = p_code, finished_at = clock_timestamp()
    where transfer_id = p_id and place = p_place and state = 'sent';
    perform duly.wait_for_transfer(t, case p_code when 'balance_insufficient' then 'lacks_balance' else 'needs_review' end, p_code,
        interval '6 hours');
end $$;

-- Nobody knows whether a call was carried out: it is sent again under its key, unless that is used up.
create or replace function duly.note_move_unanswered(p_id bigint, p_place integer, p_code text, p_is_final boolean) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.merchant_transfer_moves set code = p_code where transfer_id = p_id and place = p_place and state = 'sent' and p_is_final;
    update duly.merchant_transfers set code = p_code, next_try_at = clock_timestamp() + interval '2 minutes' where id = p_id;
end $$;

-- A payment's transfers could not be read: they are read again soon, or, where that does not pass by itself, once a person has seen it.
create or replace function duly.put_off_transfers(p_id bigint, p_code text, p_passes boolean) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    t duly.merchant_transfers;
begin
    select * into strict t from duly.merchant_transfers where id = p_id for no key update;
    perform duly.wait_for_transfer(t, case when p_passes then t.state else 'needs_review' end, p_code,
        case when p_passes then interval '2 minutes' else interval '6 hours' end);
end $$;

-- A movement of transfers that is not explained yet: its payment's are read again. Null: nothing here knows of it.
create or replace function duly.transfer_of_movement(m duly.gateway_movements) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select t.id from duly.merchant_transfers t
    where case m.kind
        when 'transfer_reversal' then t.id = (select transfer_id from duly.merchant_transfer_moves where gateway_reference = split_part(m.source, '/', 1))
        when 'transfer' then t.provider_id = m.provider_id and not exists (
            select from duly.merchant_transfer_moves v where v.transfer_id = t.id and v.cause = 'payment')
        else t.merchant_provider_id = m.provider_id and t.state <> 'settled' end
    limit 1
$$;

-- Whether a movement waits until the platform has read its transfers again.
create or replace function duly.waits_for_transfers(m duly.gateway_movements) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_id bigint;
begin
    if m.kind not in ('transfer', 'transfer_reversal', 'charge', 'refund') or m.created_at < clock_timestamp() - interval '3 days' then
        return false;
    end if;
    v_id := duly.transfer_of_movement(m);
    update duly.merchant_transfers set state = 'pending', next_try_at = clock_timestamp() where id = v_id and state = 'settled';
    return v_id is not null;
end $$;
