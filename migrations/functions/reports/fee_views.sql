-- What a platform takes of its merchants' payments, and what went back: each booking of both books, on its day. The merchant's book says
-- what was taken and given back, the platform's what that brought. A row of the platform's that no payment here explains has no merchant.
create or replace view duly.report_application_fees as
  select b.id, b.posted_on as booked_on, b.posted_on - (extract(day from b.posted_on)::integer - 1) as month,
      case when b.kind like 'platform_fee%' then 'merchant' else 'platform' end as book, b.provider,
      coalesce(p.merchant_id, o.merchant_id, v.merchant_id) as merchant_id, b.kind, b.gateway_reference as reference,
      coalesce(b.payment_id, e.payment_id) as payment_id, b.currency, (b.kind = 'platform_fee')::integer as charges,
      case when b.kind = 'platform_fee' then b.amount_minor else 0 end as taken_minor,
      case when b.kind = 'platform_fee_refund' then b.amount_minor else 0 end as given_back_minor,
      case b.kind when 'application_fee' then b.amount_minor when 'application_fee_refund' then -b.amount_minor else 0 end as income_minor
    from duly.gateway_bookings b
    left join duly.providers p on p.id = b.provider
    left join duly.gateway_expectations e on e.provider_id = b.provider and e.object = b.gateway_reference and e.kind = b.kind
      and b.kind in ('application_fee', 'application_fee_refund')
    left join duly.financial_transactions t on t.id = e.payment_id
    left join duly.providers o on o.id = t.provider
    -- Of what the platform passes on the fee is of the payment that came to the merchant's account.
    left join duly.merchant_transfer_moves w on w.connected_reference = split_part(e.object, '/', 1)
    left join duly.merchant_transfers x on x.id = w.transfer_id
    left join duly.providers v on v.id = x.merchant_provider_id
    where b.kind in ('platform_fee', 'platform_fee_refund', 'application_fee', 'application_fee_refund');
