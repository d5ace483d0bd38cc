-- What the ledger has posted of a gateway's money, by the gateway's references and with its signs: what must move there.
-- `is_booked`: its movement is known, and its fee and conversion are booked. An older release left the fee to its booking. Of a dispute
-- it is what has moved so far, in any number of movements.

create or replace view duly.expected_movements as
    select e.provider_id, e.object, e.kind, e.account_id, e.payment_id as transaction_id,
        case when e.settled_currency <> e.currency or e.kind in ('dispute', 'dispute_reversal') and e.settled_minor is not null
            then e.settled_minor else e.amount_minor end as amount_minor,
        coalesce(e.fee_minor, f.amount_minor, 0) as fee_minor, coalesce(e.settled_currency, e.currency) as currency,
        e.expected_at as booked_at, e.movement is not null or e.settled_minor is not null as is_booked
    from duly.gateway_expectations e
    left join duly.gateway_bookings f on f.idempotency_key = e.movement
    union all
    select b.provider, b.gateway_reference, case when b.kind in ('payout_failed', 'payout_pull_failed') then 'payout_back' else 'payout_out' end, '', null,
        case when b.kind in ('payout', 'payout_pull_failed') then -b.amount_minor else b.amount_minor end,
        coalesce(case f.kind when 'fee' then f.amount_minor else -f.amount_minor end, 0), b.currency,
        b.posted_at, true
    from duly.gateway_bookings b
    left join duly.gateway_bookings f on f.idempotency_key = b.idempotency_key || ':fee'
    where b.kind in ('payout', 'payout_failed', 'payout_pulled', 'payout_pull_failed');
