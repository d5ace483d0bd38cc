-- What reports read: each row of a posted document, line, receipt or attempt, with what it may be grouped by and its amounts in minor
-- units, signed. A document counts in the period in which it was posted, with its own sign: what takes back is below zero. The region
-- and segment of a document, and the country, are those that the account had when it was posted (duly.account_dimensions).

-- Every posted transaction: debits above zero, credits below, so that they come to the change of the accounts' balances.
create or replace view duly.report_documents as
  select t.id, n.number, t.classification::text as classification, t.type_id, t.category, t.account_id, a.kind as account_kind,
      case when rd.account_id is null then a.region else rd.value end as region, case when sd.account_id is null then a.segment else sd.value end as segment,
      t.currency, t.posted_on, t.posted_on - (extract(day from t.posted_on)::integer - 1) as month,
      t.issued_on, t.due_on, t.state::text as state, t.method, t.provider, t.origin::text as origin, t.actor,
      s.sign * coalesce(l.net_minor, t.total_minor) as net_minor, s.sign * coalesce(l.tax_minor, 0) as tax_minor,
      s.sign * coalesce(l.discount_minor, 0) as discount_minor, s.sign * t.total_minor as total_minor
    from duly.financial_transactions t
    join duly.accounts a on a.id = t.account_id
    left join duly.account_dimensions rd on rd.account_id = t.account_id and rd.dimension = 'region'
        and t.posted_at >= rd.valid_from and t.posted_at < rd.valid_until
    left join duly.account_dimensions sd on sd.account_id = t.account_id and sd.dimension = 'segment'
        and t.posted_at >= sd.valid_from and t.posted_at < sd.valid_until
    left join duly.transaction_numbers n on n.transaction_id = t.id
    left join lateral (select sum(x.net_minor)::bigint as net_minor, sum(x.tax_minor)::bigint as tax_minor,
        sum(x.discount_minor)::bigint as discount_minor from duly.transaction_lines x where x.transaction_id = t.id) l on true
    cross join lateral (select case duly.side_of(t.classification) when 'debit' then 1 else -1 end) s (sign)
    where t.posted_at is not null;

-- The lines of invoices, credit notes and invoice cancellations, and of write-offs; those of a write-off's mirror are no sale.
-- Taxes that a service computed are at no percentage of ours: such a line has none, and is no sale at 0 %.
create or replace view duly.report_lines as
  select l.transaction_id, n.number, t.classification::text as classification, t.type_id, t.account_id,
      case when rd.account_id is null then a.region else rd.value end as region, case when sd.account_id is null then a.segment else sd.value end as segment,
      t.currency, t.posted_on, t.posted_on - (extract(day from t.posted_on)::integer - 1) as month, l.product_id, p.product_line,
      l.sales_channel, l.tax_rate_id, case when l.applied_taxes is null then l.tax_percent end as tax_percent,
      case when t.classification = 'invoice' then l.transaction_id end as invoice_id,
      x.sale * l.net_minor as net_minor, x.sale * l.tax_minor as tax_minor, x.sale * l.discount_minor as discount_minor,
      x.sale * l.total_minor as total_minor,
      case when t.classification = 'invoice' then l.total_minor else 0 end as invoiced_minor,
      case when x.sale = -1 then l.total_minor else 0 end as credited_minor,
      case when t.classification = 'write_off' then l.total_minor else 0 end as written_off_minor,
      case when t.classification = 'write_off' then l.tax_minor else 0 end as relief_minor,
      case when cd.account_id is null then pa.country else cd.value end as country,
      case when l.applied_taxes is null and l.tax_percent > 0 then 'S' else nullif(tr.category, 'S') end as tax_category,
      case when t.classification = 'invoice_cancellation' then t.counterpart_id end as cancelled_invoice_id,
      -- What is paid in advance is no sale yet: it is one when the wallet or the voucher is spent.
      case when p.ledger_account in ('wallet_clearing', 'wallet_top_ups') then 'wallet' when p.ledger_account = 'voucher_clearing' then 'voucher' end
        as prepaid_into
    from duly.transaction_lines l
    join duly.financial_transactions t on t.id = l.transaction_id
    join duly.accounts a on a.id = t.account_id
    left join duly.account_dimensions rd on rd.account_id = t.account_id and rd.dimension = 'region'
        and t.posted_at >= rd.valid_from and t.posted_at < rd.valid_until
    left join duly.account_dimensions sd on sd.account_id = t.account_id and sd.dimension = 'segment'
        and t.posted_at >= sd.valid_from and t.posted_at < sd.valid_until
    left join duly.account_dimensions cd on cd.account_id = t.account_id and cd.dimension = 'country'
        and t.posted_at >= cd.valid_from and t.posted_at < cd.valid_until
    left join duly.postal_addresses pa on pa.account_id = t.account_id
    left join duly.tax_rates tr on tr.id = l.tax_rate_id
    left join duly.products p on p.id = l.product_id
    left join duly.transaction_numbers n on n.transaction_id = t.id
    cross join lateral (select case t.classification when 'invoice' then 1 when 'write_off' then 0 else -1 end) x (sale)
    where t.posted_at is not null and not (t.classification = 'invoice' and t.counterpart_id is not null);

-- Base and tax of each rate of a document in the currency in which the house owes VAT, at the rate that was frozen when it was posted;
-- in its own where it has none in that. Each is rounded by itself: the taxes of a document come to what stands on it.
create or replace view duly.report_taxes as
  select t.id as transaction_id, n.number, t.classification::text as classification, t.account_id, t.posted_on,
      t.posted_on - (extract(day from t.posted_on)::integer - 1) as month, l.tax_rate_id, l.tax_percent,
      case when l.is_of_rate and l.tax_percent > 0 then 'S' else nullif(tr.category, 'S') end as tax_category,
      case when cd.account_id is null then pa.country else cd.value end as country, t.currency as document_currency,
      coalesce(c.currency, t.currency) as currency, c.rate_on as exchange_rate_on, x.sale * m.net_minor as net_minor,
      x.sale * m.tax_minor as tax_minor, case when t.classification = 'write_off' then m.tax_minor else 0 end as relief_minor,
      x.sale * l.tax_minor as document_tax_minor
    from duly.financial_transactions t
    cross join lateral (select y.tax_rate_id, case when y.applied_taxes is null then y.tax_percent end as tax_percent,
        bool_and(y.applied_taxes is null) as is_of_rate, sum(y.net_minor)::bigint as net_minor, sum(y.tax_minor)::bigint as tax_minor
      from duly.transaction_lines y where y.transaction_id = t.id group by 1, 2) l
    left join duly.tax_conversions c on c.transaction_id = t.id and c.currency = duly.tax_currency_of(null)
    cross join lateral (select
        case when c.currency is null then l.net_minor
          else duly.in_other_currency(l.net_minor, t.currency, c.currency, c.document_per_euro, c.tax_per_euro) end as net_minor,
        case when c.currency is null then l.tax_minor
          else duly.in_other_currency(l.tax_minor, t.currency, c.currency, c.document_per_euro, c.tax_per_euro) end as tax_minor) m
    left join duly.account_dimensions cd on cd.account_id = t.account_id and cd.dimension = 'country'
        and t.posted_at >= cd.valid_from and t.posted_at < cd.valid_until
    left join duly.postal_addresses pa on pa.account_id = t.account_id
    left join duly.tax_rates tr on tr.id = l.tax_rate_id
    left join duly.transaction_numbers n on n.transaction_id = t.id
    cross join lateral (select case t.classification when 'invoice' then 1 when 'write_off' then 0 else -1 end) x (sale)
    where t.posted_at is not null and not (t.classification = 'invoice' and t.counterpart_id is not null);

-- Payments, their cancellations by the payment's own type and method, and refunds; and whether it was money that came or went, or what
-- had been paid in advance: the money of that came when the wallet or the voucher was paid for, and comes once.
create or replace view duly.report_receipts as
  select t.id, n.number, t.classification::text as kind, coalesce(o.type_id, t.type_id) as payment_type,
      coalesce(t.method, o.method) as method, coalesce(t.provider, o.provider) as provider, t.account_id,
      case when rd.account_id is null then a.region else rd.value end as region, case when sd.account_id is null then a.segment else sd.value end as segment,
      t.currency, t.posted_on, t.posted_on - (extract(day from t.posted_on)::integer - 1) as month, t.state::text as state,
      case when t.classification = 'payment' then 1 else -1 end * t.total_minor as amount_minor,
      case when t.classification = 'payment' then t.total_minor else 0 end as paid_minor,
      case when t.classification = 'payment_cancellation' then t.total_minor else 0 end as cancelled_minor,
      case when t.classification = 'refund' then t.total_minor else 0 end as refunded_minor,
      (t.classification = 'payment' and t.state = 'posted')::integer as standing,
      case when t.classification = 'payment' and t.state = 'posted' then t.total_minor else 0 end as standing_minor,
      case m.ledger_account when 'wallet_clearing' then 'wallet' when 'voucher_clearing' then 'voucher' else 'money' end as paid_from
    from duly.financial_transactions t
    join duly.accounts a on a.id = t.account_id
    left join duly.account_dimensions rd on rd.account_id = t.account_id and rd.dimension = 'region'
        and t.posted_at >= rd.valid_from and t.posted_at < rd.valid_until
    left join duly.account_dimensions sd on sd.account_id = t.account_id and sd.dimension = 'segment'
        and t.posted_at >= sd.valid_from and t.posted_at < sd.valid_until
    left join duly.financial_transactions o on o.id = t.counterpart_id and t.classification = 'payment_cancellation'
    left join duly.payment_methods m on m.id = coalesce(t.method, o.method)
    left join duly.transaction_numbers n on n.transaction_id = t.id
    where t.posted_at is not null and t.classification in ('payment', 'payment_cancellation', 'refund');

-- Both sides of every transfer, with the document or the gateway's booking that owns it.
create or replace view duly.report_entries as
  select e.transfer_id, e.source_id, n.number, coalesce(t.classification::text, b.kind, case when w.id is not null then 'wallet' when v.id is not null then 'voucher' end) as classification,
      coalesce(t.account_id, w.account_id, v.account_id) as account_id,
      e.ledger_account, e.control_account, split_part(e.control_account, ':', 1) as kind, e.currency, e.posted_on,
      e.posted_on - (extract(day from e.posted_on)::integer - 1) as month, e.debit_minor, e.credit_minor
    from duly.ledger_entries e
    left join duly.financial_transactions t on t.id = e.source_id
    left join duly.gateway_bookings b on b.id = e.source_id
    left join duly.wallet_transactions w on w.id = e.source_id
    left join duly.voucher_transactions v on v.id = e.source_id
    left join duly.transaction_numbers n on n.transaction_id = e.source_id;

-- What accounts owe now, and what is owed to them.
create or replace view duly.report_balances as
  select b.account_id, a.kind as account_kind, a.state, a.region, a.segment, a.currency, b.balance_minor,
      greatest(b.balance_minor, 0) as owed_minor, greatest(-b.balance_minor, 0) as due_back_minor
    from duly.account_balances b join duly.accounts a on a.id = b.account_id;

-- The newest version of each closed month: per account and currency, what it began with, what changed, and what it came to.
create or replace view duly.report_mrr as
  select a.account_id, c.region, c.segment, a.currency, a.month, (a.month + interval '1 month' - interval '1 day')::date as ends_on,
      a.version, case when a.version > 1 then 'corrected' else 'frozen' end as state, s.computed_at, a.change, a.start_minor, a.mrr_minor,
      case when a.change = 'new' then a.mrr_minor else 0 end as new_minor,
      case when a.change = 'reactivation' then a.mrr_minor else 0 end as reactivation_minor,
      case when a.change = 'expansion' then a.mrr_minor - a.start_minor else 0 end as expansion_minor,
      case when a.change = 'contraction' then a.start_minor - a.mrr_minor else 0 end as contraction_minor,
      case when a.change = 'churn' then a.start_minor else 0 end as churn_minor,
      (a.start_minor > 0)::integer as began, (a.mrr_minor > 0)::integer as accounts, (a.change = 'churn')::integer as lost
    from duly.mrr_amounts a
    join duly.mrr_snapshots s on s.month = a.month and s.version = a.version
    join duly.accounts c on c.id = a.account_id
    where a.version = (select max(n.version) from duly.mrr_snapshots n where n.month = a.month);

-- Every transfer as it was written, and the seals over them: whoever has both can work the seals out (duly.seal_of).
create or replace view duly.report_transfers as
  select f.id as transfer_id, f.source_id, f.position, f.debit_account::text as debit_account, f.credit_account::text as credit_account,
      f.currency, f.amount_minor::bigint as amount_minor, f.posted_on, n.number,
      coalesce(t.classification::text, b.kind, case when w.id is not null then 'wallet' when v.id is not null then 'voucher' end) as classification
    from duly.transfers f
    left join duly.financial_transactions t on t.id = f.source_id
    left join duly.gateway_bookings b on b.id = f.source_id
    left join duly.wallet_transactions w on w.id = f.source_id
    left join duly.voucher_transactions v on v.id = f.source_id
    left join duly.transaction_numbers n on n.transaction_id = f.source_id;

create or replace view duly.report_seals as
  select r.id as roll_up_id, r.after_transfer_id, r.upto_transfer_id, encode(r.previous_seal, 'hex') as previous_seal,
      encode(r.seal, 'hex') as seal, r.marked_at::text as marked_at
    from duly.ledger_roll_ups r where r.seal is not null;
