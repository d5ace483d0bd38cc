-- What reports are held against: the ledger's own movement, read from the transfers and from nothing that a report reads.

-- What each kind of ledger account was debited less credited from a day to another one, both included, by what moved it: a
-- classification of documents, or the kind of a gateway's booking.
create or replace function duly.ledger_movement(p_from date, p_until date)
returns table (kind text, moved_by text, currency text, amount_minor bigint) language sql stable as $$
  with moved as (
    select split_part(f.debit_account, ':', 1) as debit_kind, split_part(f.credit_account, ':', 1) as credit_kind, t.classification,
        coalesce(b.kind, case when w.id is not null then 'wallet' when v.id is not null then 'voucher' end) as booking, f.currency, sum(f.amount_minor) as amount_minor
      from duly.transfers f
      left join duly.financial_transactions t on t.id = f.source_id
      left join duly.gateway_bookings b on b.id = f.source_id
      left join duly.wallet_transactions w on w.id = f.source_id
      left join duly.voucher_transactions v on v.id = f.source_id
      where f.posted_on between p_from and p_until group by 1, 2, 3, 4, 5)
  select x.kind, coalesce(m.classification::text, m.booking), m.currency, sum(x.amount_minor)::bigint
    from moved m
    cross join lateral (values (m.debit_kind, m.amount_minor), (m.credit_kind, -m.amount_minor)) x (kind, amount_minor)
    group by 1, 2, 3
$$;

-- What every open document was at the end of a day: its amount still unsettled, and how many days it was due. What was allocated is as
-- the account's last posting before the first one of a later day had left it; a document that was posted later to this day or before
-- stands with its whole amount. So no document is settled twice, and the sum is the account's balance on the day.
create or replace function duly.report_ageing(p_on date)
returns table (account_id text, account_kind text, region text, segment text, currency text, transaction_id text, number text,
  classification text, posted_on date, due_on date, days integer, bucket text, unsettled_minor bigint, not_due_minor bigint,
  days_30_minor bigint, days_60_minor bigint, days_90_minor bigint, older_minor bigint, credit_minor bigint, outstanding_minor bigint)
language sql stable as $$
  with items as (
    select t.id, t.account_id, t.classification::text as classification, t.currency, t.posted_on,
        case i.side when 'debit' then coalesce(t.due_on, t.posted_on) end as due_on, i.side, i.amount_minor
      from duly.open_items i join duly.financial_transactions t on t.id = i.transaction_id where t.posted_on <= p_on),
  cuts as (
    select n.account_id, n.posted_at as ends_at, b.posted_at as began_at, b.addressed_invoice_ids,
        case when n.classification in ('invoice_cancellation', 'payment_cancellation') then n.counterpart_id end as cancelled_id
      from (select t.account_id, min(t.account_version) as version from duly.financial_transactions t
          where t.posted_on > p_on and t.account_version is not null group by t.account_id) x
      join duly.financial_transactions n on n.account_id = x.account_id and n.account_version = x.version
      left join duly.financial_transactions b on b.account_id = x.account_id and b.account_version = x.version - 1),
  allocated as (
    select a.credit_id, a.debit_id, a.amount_minor from duly.allocations a
      join items c on c.id = a.credit_id
      join items d on d.id = a.debit_id
      left join cuts k on k.account_id = a.account_id
      left join duly.deallocations u on u.allocation_id = a.id
      where (k.account_id is null or a.created_at < k.ends_at)
        and (u.allocation_id is null or u.created_at >= k.ends_at
          -- A cancellation undoes what its document had before it is posted itself; who addresses an invoice does so afterwards.
          or (k.cancelled_id in (a.credit_id, a.debit_id) and u.created_at > k.began_at
            and a.debit_id <> all (k.addressed_invoice_ids)))),
  settled as (
    select x.id, sum(x.amount_minor)::bigint as amount_minor
      from (select credit_id as id, amount_minor from allocated union all select debit_id, amount_minor from allocated) x group by x.id),
  open as (
    select i.*, i.amount_minor - coalesce(s.amount_minor, 0) as left_minor, p_on - i.due_on as days
      from items i left join settled s on s.id = i.id where i.amount_minor > coalesce(s.amount_minor, 0))
  select o.account_id, a.kind, a.region, a.segment, o.currency, o.id, n.number, o.classification, o.posted_on, o.due_on, o.days,
      case when o.side = 'credit' then 'credit' when o.days <= 0 then 'not_due' when o.days <= 30 then '1-30' when o.days <= 60
        then '31-60' when o.days <= 90 then '61-90' else 'over 90' end,
      case o.side when 'debit' then o.left_minor else -o.left_minor end,
      case when o.days <= 0 then o.left_minor else 0 end, case when o.days between 1 and 30 then o.left_minor else 0 end,
      case when o.days between 31 and 60 then o.left_minor else 0 end, case when o.days between 61 and 90 then o.left_minor else 0 end,
      case when o.days > 90 then o.left_minor else 0 end, case o.side when 'credit' then -o.left_minor else 0 end,
      case when o.days > 0 then o.left_minor else 0 end
    from open o join duly.accounts a on a.id = o.account_id
    left join duly.transaction_numbers n on n.transaction_id = o.id
$$;

-- What each ledger account had been debited and credited by the end of a day.
create or replace function duly.report_trial_balance(p_on date)
returns table (ledger_account text, kind text, nature text, currency text, debit_minor bigint, credit_minor bigint)
language sql stable as $$
  select b.ledger_account, split_part(b.ledger_account, ':', 1), k.nature, b.currency, b.debit_minor, b.credit_minor
    from duly.trial_balance(p_on) b
    left join duly.ledger_account_kinds k on k.kind = split_part(b.ledger_account, ':', 1)
$$;

-- What was invoiced in each month and not cancelled (no month of payment), and what money has settled of it in which month; with tax. What
-- wallets and vouchers settle brings none: it came when they were paid for.
create or replace function duly.billed_and_collected(p_until date)
returns table (currency text, billed_month date, paid_month date, amount_minor bigint) language sql stable as $$
  select t.currency, date_trunc('month', t.posted_on)::date, null::date, sum(t.total_minor)::bigint
    from duly.financial_transactions t
    where t.classification = 'invoice' and t.counterpart_id is null and t.posted_on <= p_until and t.state <> 'cancelled'
    group by 1, 2
  union all
  select d.currency, date_trunc('month', d.posted_on)::date, date_trunc('month', greatest(c.posted_on, d.posted_on))::date,
      sum(a.amount_minor)::bigint
    from duly.current_allocations a
    join duly.financial_transactions c on c.id = a.credit_id and c.classification = 'payment'
    join duly.payment_methods m on m.id = c.method and m.ledger_account not in ('wallet_clearing', 'voucher_clearing')
    join duly.financial_transactions d on d.id = a.debit_id and d.classification = 'invoice' and d.counterpart_id is null
    where greatest(c.posted_on, d.posted_on) <= p_until and d.state <> 'cancelled'
    group by 1, 2, 3
$$;
