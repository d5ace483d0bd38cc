-- What is prepaid: every movement of wallets, and every step of vouchers, on its day. Amounts in minor units.

create or replace view duly.report_wallets as
  select w.id, w.number, w.posted_on, w.posted_on - (extract(day from w.posted_on)::integer - 1) as month, w.account_id,
      case when rd.account_id is null then a.region else rd.value end as region, case when sd.account_id is null then a.segment else sd.value end as segment,
      w.type_id, k.kind, w.expires_on, w.actor, w.currency,
      case k.kind when 'credited' then w.amount_minor else 0 end::bigint as credited_minor,
      case k.kind when 'given' then w.amount_minor else 0 end::bigint as given_minor,
      case k.kind when 'spent' then w.amount_minor else 0 end::bigint as spent_minor,
      case k.kind when 'expired' then w.amount_minor else 0 end::bigint as expired_minor,
      -- What was voided, and what has left with the money of a top-up: as it changes the wallet.
      case when k.kind in ('voided', 'taken_back') then x.change_minor else 0 end::bigint as corrected_minor,
      x.change_minor::bigint as change_minor, w.balance_after_minor
    from duly.wallet_transactions w
    join duly.accounts a on a.id = w.account_id
    left join duly.account_dimensions rd on rd.account_id = w.account_id and rd.dimension = 'region'
        and w.posted_at >= rd.valid_from and w.posted_at < rd.valid_until
    left join duly.account_dimensions sd on sd.account_id = w.account_id and sd.dimension = 'segment'
        and w.posted_at >= sd.valid_from and w.posted_at < sd.valid_until
    join duly.wallet_transaction_types y on y.id = w.type_id
    left join duly.financial_transactions m on m.id = w.made_invoice_id and m.classification = 'credit_note'
    cross join lateral (select case when w.voids_id is not null then 'voided' when m.id is not null then 'taken_back'
        when w.direction = 'credit' then case when w.transaction_id is null then 'given' else 'credited' end
        when y.books_expiry then 'expired' else 'spent' end) k (kind)
    cross join lateral (select case w.direction when 'credit' then w.amount_minor else -w.amount_minor end) x (change_minor);

create or replace view duly.report_vouchers as
  select x.id, x.posted_on, x.posted_on - (extract(day from x.posted_on)::integer - 1) as month, b.number as batch, b.type_id,
      case when b.account_id is null then 'given' else 'sold' end as origin, x.kind, x.account_id, b.expires_on, x.actor, x.currency,
      (x.amount_minor / b.amount_minor)::integer as vouchers,
      case when x.kind = 'issued' then x.amount_minor else 0 end::bigint as issued_minor,
      case when x.kind = 'redeemed' then x.amount_minor else 0 end::bigint as redeemed_minor,
      case when x.kind = 'cancelled' then x.amount_minor else 0 end::bigint as cancelled_minor,
      case when x.kind = 'expired' then x.amount_minor else 0 end::bigint as expired_minor,
      case when x.kind = 'issued' then x.amount_minor else -x.amount_minor end::bigint as change_minor
    from duly.voucher_transactions x
    join duly.voucher_batches b on b.id = x.batch_id;
