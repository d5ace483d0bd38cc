-- Who bears what the banks hold of a payment when they have decided. Of what the customer has paid and not got back the payment is
-- cancelled, so that it is owed again; what the customer has twice, or never paid, is written off. What comes back undoes both.

-- Let what is cancelled and written off of each dispute of a payment be what stands withdrawn of those that are lost, and no more of the
-- payment than was paid and not refunded. What is given back comes first, so that another dispute may take it. Again: nothing changes.
create or replace function duly.settle_disputes(r duly.gateway_requests) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.disputes;
    v_may_take boolean;
begin
    foreach v_may_take in array array[false, true] loop
        for d in select * from duly.disputes where request_id = r.id and provider_id = r.provider_id order by opened_at, id loop
            perform duly.settle_dispute(d, r, v_may_take);
        end loop;
    end loop;
    perform duly.settle_merchant(r.id);
end $$;

create or replace function duly.settle_dispute(d duly.disputes, r duly.gateway_requests, p_may_take boolean) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s record;
    v_standing bigint;
    v_lost bigint;
    v_written_off bigint;
begin
    select * into s from duly.dispute_sums(r.provider_id, d.id);
    v_standing := s.held - s.released;
    -- Until a bank has decided its money is held; what comes back after a decision undoes that, whatever is decided next.
    if d.state <> 'lost' then v_standing := least(v_standing, s.lost + s.written_off); end if;
    v_lost := greatest(least(v_standing, duly.paid_before_dispute(d.id, s.lost, r)), 0);
    v_written_off := v_standing - v_lost;
    if not p_may_take then
        v_lost := least(v_lost, s.lost);
        v_written_off := least(v_standing, s.lost + s.written_off) - v_lost;
    end if;
    if v_written_off < s.written_off then
        perform duly.book_settled(d, r, 'dispute_written_back', s.written_off - v_written_off);
    end if;
    if v_lost < s.lost then perform duly.regain_dispute(d, r, s.lost - v_lost); end if;
    if v_lost > s.lost then perform duly.lose_dispute(d, r, v_lost - s.lost); end if;
    if v_written_off > s.written_off then
        perform duly.book_settled(d, r, 'dispute_written_off', v_written_off - s.written_off);
    end if;
    if v_standing > s.lost + s.written_off and p_may_take then
        -- Who has taken the money back from a card is not charged on it again by itself.
        update duly.cards set state = 'blocked', state_reason = 'charged_back' where state = 'active' and id = (
            select a.card_id from duly.gateway_attempts a where a.request_id = r.id and a.outcome = 'succeeded');
    end if;
end $$;

-- What of a payment through the gateway the customer has not got back yet, by a refund or by another dispute that was lost.
create or replace function duly.paid_before_dispute(p_id text, p_lost_minor bigint, r duly.gateway_requests) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select greatest(least(r.amount_minor - coalesce((select sum(b.amount_minor) from duly.gateway_requests b
            where b.of_request_id = r.id and b.state not in ('rejected', 'reversed')), 0)
        - coalesce((select sum(s.lost) from duly.disputes d cross join lateral duly.dispute_sums(d.provider_id, d.id) s
            where d.request_id = r.id and d.id <> p_id), 0),
        p_lost_minor + coalesce((select sum(t.total_minor) from duly.successors_of_payment(r.transaction_id) s
            join duly.financial_transactions t on t.id = s.id where t.state = 'posted'), 0)), 0)::bigint
$$;

-- The name that the next booking of what a dispute came to has: it is given once, under the accounts' lock.
create or replace function duly.next_of_dispute(p_provider_id text, p_id text) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select count(*) + 1 from duly.gateway_bookings where gateway_reference = p_id and provider = p_provider_id
$$;

create or replace function duly.book_settled(d duly.disputes, r duly.gateway_requests, p_kind text, p_amount_minor bigint,
    p_payment_id text default null)
returns void language sql security definer set search_path = duly, pg_temp as $$
    select duly.book_gateway_movement(concat_ws(':', 'dispute', d.id, p_kind, duly.next_of_dispute(r.provider_id, d.id)), p_kind,
        r.provider_id, r.currency, p_amount_minor, d.id, p_payment_id => p_payment_id)
$$;

-- The bank has decided for the cardholder: so much of the payment is cancelled by the system, and what was held back pays for it.
create or replace function duly.lose_dispute(d duly.disputes, r duly.gateway_requests, p_amount_minor bigint) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_payment text := duly.standing_payment(r.transaction_id);
    v_name text := d.id || case when exists (select from duly.cancellations_of_dispute(d.id))
        then '/' || duly.next_of_dispute(r.provider_id, d.id) else '' end;
begin
    perform duly.return_standing('dispute:' || d.id || ':lost' || substr(v_name, length(d.id) + 1), r.transaction_id, p_amount_minor,
        v_name, 'Dispute lost', 'system', 'system');
    perform duly.book_settled(d, r, 'dispute_lost', p_amount_minor, v_payment);
end $$;

-- What a dispute has cancelled of its payment, the latest first, with as much of each as has not come back.
create or replace function duly.cancellations_of_dispute(p_id text) returns table (key text, payment_id text, left_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select c.idempotency_key, c.counterpart_id, (c.total_minor
        - coalesce((select k.total_minor from duly.financial_transactions k where k.idempotency_key = c.idempotency_key || ':kept'), 0)
        - coalesce((select sum(b.total_minor) from duly.financial_transactions b
            where b.idempotency_key >= c.idempotency_key || ':regained' and b.idempotency_key < c.idempotency_key || ':regained;'), 0))::bigint
    from duly.financial_transactions c
    where c.idempotency_key >= 'dispute:' || p_id || ':lost' and c.idempotency_key < 'dispute:' || p_id || ':lost;'
      and c.classification = 'payment_cancellation'
    order by c.posted_at desc, c.account_version desc
$$;

-- So much of a lost dispute has come back: the customer has paid again, of the same invoices as far as they stand. The card stays
-- blocked, until a person unblocks it.
create or replace function duly.regain_dispute(d duly.disputes, r duly.gateway_requests, p_amount_minor bigint) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c record;
    v_left bigint := p_amount_minor;
    v_payment text;
    v_name bigint;
begin
    for c in select * from duly.cancellations_of_dispute(d.id) where left_minor > 0 loop
        exit when v_left = 0;
        v_name := duly.next_of_dispute(r.provider_id, d.id);
        v_payment := duly.restore_payment(c.key || ':regained:' || v_name, c.payment_id, least(v_left, c.left_minor), d.id || '/' || v_name);
        perform duly.book_settled(d, r, 'dispute_regained', least(v_left, c.left_minor), v_payment);
        v_left := v_left - least(v_left, c.left_minor);
    end loop;
    assert v_left = 0, 'what comes back of a dispute was cancelled for it';
end $$;
