-- What each customer is worth: the money so far (what was paid in advance once, when it came) without the tax of what was sold, and the recurring revenue of the newest month for as long as accounts of
-- the segment stay: one by the share of account-months that were lost in twelve months, five years at most; of a segment with less than
-- 30 account-months, as long as all accounts stay. Rounded half up, each part once.
create or replace view duly.report_lifetime as
  with newest as (select max(month) as month from duly.mrr_snapshots),
  lost as (select grouping(coalesce(m.segment, '')) = 1 as is_all, coalesce(m.segment, '') as segment, sum(m.lost) as lost,
        sum(m.began) as at_risk
      from duly.report_mrr m cross join newest n where m.month > n.month - interval '12 months'
      group by grouping sets ((coalesce(m.segment, '')), ())),
  receipts as (select r.account_id, sum(r.amount_minor) as amount_minor from duly.report_receipts r
      where r.paid_from = 'money' group by r.account_id),
  sold as (select l.account_id, sum(l.net_minor) as net_minor, sum(l.total_minor) as total_minor from duly.report_lines l
      where l.prepaid_into is null group by l.account_id)
  select x.account_id, x.region, x.segment, x.currency, x.receipts_minor, x.mrr_minor, round(x.months, 1) as months,
      x.receipts_minor + round(x.mrr_minor * x.months)::bigint as value_minor
    from (select a.id as account_id, a.region, a.segment, a.currency,
          case when s.total_minor > 0 then round(coalesce(r.amount_minor, 0) * s.net_minor / s.total_minor) else coalesce(r.amount_minor, 0) end::bigint
            as receipts_minor,
          coalesce(m.mrr_minor, 0) as mrr_minor,
          case when p.lost > 0 then least(60, p.at_risk::numeric / p.lost) else 60 end as months
        from duly.accounts a
        cross join newest n
        left join receipts r on r.account_id = a.id
        left join sold s on s.account_id = a.id
        left join duly.report_mrr m on m.account_id = a.id and m.currency = a.currency and m.month = n.month
        left join lost own on not own.is_all and own.segment = coalesce(a.segment, '') and own.at_risk >= 30
        left join lost every on every.is_all
        cross join lateral (select coalesce(own.lost, every.lost), coalesce(own.at_risk, every.at_risk)) p (lost, at_risk)
        where a.kind = 'customer') x;
