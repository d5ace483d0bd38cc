-- Every attempt to charge a card, with its outcome; days are UTC's.
create or replace view duly.report_attempts as
  select a.request_id, a.attempt, r.account_id, c.region, c.segment, r.currency, (a.sent_at at time zone 'UTC')::date as sent_on,
      date_trunc('month', a.sent_at at time zone 'UTC')::date as month, r.provider_id as provider, t.method, d.brand, a.card_id,
      a.channel, a.cause, r.run_id, coalesce(a.outcome, 'unknown') as outcome, a.code, a.decline_code, a.advice_code, a.amount_minor,
      (a.outcome = 'succeeded')::integer as succeeded, (a.outcome = 'declined')::integer as declined,
      (coalesce(a.outcome, 'unknown') in ('unknown', 'processing'))::integer as unknown,
      (a.outcome in ('did_not_happen', 'invalid_request'))::integer as not_made,
      case when a.outcome = 'succeeded' then a.amount_minor else 0 end as succeeded_minor,
      case when a.outcome = 'declined' then a.amount_minor else 0 end as declined_minor
    from duly.gateway_attempts a
    join duly.gateway_requests r on r.id = a.request_id and r.kind = 'payment'
    join duly.accounts c on c.id = r.account_id
    left join duly.financial_transactions t on t.id = a.payment_id
    left join duly.cards d on d.id = a.card_id;

-- Every receivable that an issuer has answered, by its first answer: whether it was paid at once, later and by what, or not. What was
-- declined and paid past the request counts as far as payments made since then settle its invoices: in amounts as much as that, as recovered
-- once nothing of them is owed any more.
create or replace view duly.report_receivables as
  select r.id as request_id, r.account_id, c.region, c.segment, r.currency, (f.sent_at at time zone 'UTC')::date as first_on,
      date_trunc('month', f.sent_at at time zone 'UTC')::date as month, r.provider_id as provider, d.brand, r.run_id, f.code,
      f.decline_code, f.advice_code, x.result, x.recovered_by, r.amount_minor, (f.outcome = 'succeeded')::integer as at_once,
      (x.result in ('at_once', 'recovered'))::integer as paid, (f.outcome = 'declined')::integer as declined,
      (x.result = 'recovered')::integer as recovered, (x.result = 'open')::integer as still_open,
      (x.result = 'given_up')::integer as given_up, case when f.outcome = 'declined' then r.amount_minor else 0 end as declined_minor,
      x.recovered_minor
    from duly.gateway_requests r
    join duly.accounts c on c.id = r.account_id
    join lateral (select a.outcome, a.sent_at, a.card_id, a.code, a.decline_code, a.advice_code from duly.gateway_attempts a
      where a.request_id = r.id and a.outcome in ('succeeded', 'declined') order by a.attempt limit 1) f on true
    left join duly.cards d on d.id = f.card_id
    left join duly.gateway_attempts s on s.request_id = r.id and s.outcome = 'succeeded' and f.outcome = 'declined'
    left join duly.cards n on n.id = s.card_id
    left join lateral (select sum(o.amount_minor) filter (where p.classification = 'payment')::bigint as amount_minor,
        (array_agg(case when p.provider is not null then 'another_request' when y.ledger_account = 'wallet_clearing' then 'wallet'
          when y.ledger_account = 'voucher_clearing' then 'voucher' when p.method in ('cash', 'voucher') then 'person' else 'bank' end order by p.posted_at desc) filter (where p.classification = 'payment'))[1] as recovered_by,
        bool_or(p.classification = 'write_off') as is_written_off
      from duly.current_allocations o join duly.financial_transactions p on p.id = o.credit_id
      left join duly.payment_methods y on y.id = p.method
      where f.outcome = 'declined' and s.request_id is null and o.debit_id = any (r.invoices) and p.classification in ('payment', 'write_off')
        and p.posted_at > f.sent_at) m on true
    cross join lateral (select
      case when f.outcome = 'succeeded' then 'at_once' when s.request_id is not null or m.amount_minor >= r.amount_minor
          or m.amount_minor > 0 and not m.is_written_off and not exists (select from duly.open_items i where i.transaction_id = any (r.invoices)
            and i.allocated_minor < i.amount_minor) then 'recovered'
        when r.state in ('rejected', 'reversed') then 'given_up' else 'open' end,
      case when s.channel = 'hosted_page' then 'link' when s.cause = 'manual' then 'person' when s.card_id = f.card_id then 'same_card'
        when n.created_at > f.sent_at then 'new_card' when s.request_id is not null then 'fallback' else m.recovered_by end,
      case when s.request_id is not null then r.amount_minor else least(r.amount_minor, coalesce(m.amount_minor, 0)) end)
      x (result, recovered_by, recovered_minor)
    where r.kind = 'payment';

-- Payments, and what went wrong with them or back: refunds and disputes, each with the day of its payment. A refund that names no payment
-- has its own day. An inquiry is no dispute: no money has moved.
create or replace view duly.report_returns as
  select x.kind, x.id, x.state, x.account_id, c.region, c.segment, x.currency, x.happened_on,
      x.happened_on - (extract(day from x.happened_on)::integer - 1) as month, x.payment_on,
      x.payment_on - (extract(day from x.payment_on)::integer - 1) as payment_month, x.provider, x.method,
      (x.kind = 'payment')::integer as payments, case when x.kind = 'payment' then x.amount_minor else 0 end as payment_minor,
      (x.kind = 'refund')::integer as refunds, case when x.kind = 'refund' then x.amount_minor else 0 end as refunded_minor,
      (x.kind = 'dispute')::integer as disputes, case when x.kind = 'dispute' then x.amount_minor else 0 end as disputed_minor,
      (x.kind = 'dispute' and x.state = 'lost')::integer as lost, (x.kind = 'dispute' and x.state = 'won')::integer as won
    from (
      select 'payment' as kind, t.id, t.state::text as state, t.account_id, t.currency, t.posted_on as happened_on, t.posted_on as payment_on,
          t.provider, t.method, t.total_minor as amount_minor
        from duly.financial_transactions t where t.classification = 'payment' and t.posted_at is not null
      union all
      select 'refund' as kind, t.id, t.state::text, t.account_id, t.currency, t.posted_on, coalesce(p.posted_on, t.posted_on), t.provider, t.method,
          t.total_minor
        from duly.financial_transactions t
        left join duly.gateway_requests r on r.transaction_id = t.id and r.kind = 'refund'
        left join duly.gateway_requests o on o.id = r.of_request_id
        left join duly.financial_transactions p on p.id = o.transaction_id
        where t.classification = 'refund' and t.posted_at is not null
      union all
      select case when d.state in ('inquiry', 'closed') then 'inquiry' else 'dispute' end, d.id, d.state, d.account_id, d.currency,
          (d.opened_at at time zone 'UTC')::date, coalesce(p.posted_on, (d.opened_at at time zone 'UTC')::date), d.provider_id, p.method,
          d.amount_minor
        from duly.disputes d
        join duly.gateway_requests r on r.id = d.request_id
        left join duly.financial_transactions p on p.id = r.transaction_id) x
    join duly.accounts c on c.id = x.account_id;
