-- What the ledger has posted of a gateway's money, by the gateway's references and with its signs: what must move there.
-- `is_booked`: its movement is known, and its fee and conversion are booked. An older release left the fee to its booking.

create or replace view duly.expected_movements as
    select e.provider_id, e.object, e.kind, e.account_id, e.payment_id as transaction_id,
        case when e.settled_currency <> e.currency then e.settled_minor else e.amount_minor end as amount_minor,
        coalesce(e.fee_minor, f.amount_minor, 0) as fee_minor, coalesce(e.settled_currency, e.currency) as currency,
        e.expected_at as booked_at, e.movement is not null as is_booked
    from duly.gateway_expectations e
    left join duly.gateway_bookings f on f.idempotency_key = e.movement
    union all
    select b.provider, b.gateway_reference, case b.kind when 'payout_failed' then 'payout_back' else 'payout_out' end, '', null,
        case b.kind when 'payout' then -b.amount_minor else b.amount_minor end, coalesce(f.amount_minor, 0), b.currency,
        b.posted_at, true
    from duly.gateway_bookings b
    left join duly.gateway_bookings f on b.kind <> 'payout_failed'
        and f.idempotency_key = 'payout:' || b.gateway_reference || ':fee'
    where b.kind in ('payout', 'payout_failed', 'payout_pulled');
