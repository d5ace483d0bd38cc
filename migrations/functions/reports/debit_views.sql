-- Bank debits: asked for and refused on days in UTC, brought and taken back on the day on which the statement's line was booked, with
-- what the bank charged for it. Amounts in minor units.

create or replace view duly.report_debits as
  select e.happened_on, e.happened_on - (extract(day from e.happened_on)::integer - 1) as month, e.kind, d.id, d.account_id,
      a.region, a.segment, d.provider_id as provider, d.mandate_id as mandate, d.batch_id as batch, d.sequence_type, d.state,
      case when e.kind in ('refused', 'returned') then d.code else '' end as code, d.collect_on, d.currency,
      (e.kind = 'asked')::integer as asked, (e.kind = 'refused')::integer as refused, (e.kind = 'collected')::integer as collected,
      (e.kind = 'returned')::integer as returned,
      case when e.kind = 'asked' then e.amount_minor else 0 end as asked_minor,
      case when e.kind = 'refused' then e.amount_minor else 0 end as refused_minor,
      case when e.kind = 'collected' then e.amount_minor else 0 end as collected_minor,
      case when e.kind = 'returned' then e.amount_minor else 0 end as returned_minor,
      case when e.kind = 'charged' then e.amount_minor else 0 end as charges_minor
    from duly.debits d
    join duly.accounts a on a.id = d.account_id
    cross join lateral (
      select 'asked' as kind, (d.created_at at time zone 'UTC')::date as happened_on, d.amount_minor
      union all
      select 'refused' as kind, (d.answered_at at time zone 'UTC')::date, d.amount_minor where d.state = 'rejected'
      union all
      select 'collected' as kind, b.posted_on, d.amount_minor from duly.gateway_bookings b
        where d.state in ('collected', 'returned') and b.idempotency_key = 'debits:' || md5(d.brought_by)
      union all
      select 'returned' as kind, b.posted_on, d.amount_minor from duly.gateway_bookings b
        where d.state = 'returned' and b.idempotency_key = 'debits:' || md5(d.taken_back_by)
      union all
      select 'charged' as kind, b.posted_on, b.amount_minor from duly.gateway_bookings b
        where b.idempotency_key = 'debit:' || d.id || ':charges') e;
