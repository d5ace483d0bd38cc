-- Customers that may be about to leave (S39), by what the books, the cards and the subscriptions say: one row an account that any rule
-- is true of at the end of a day. Cards and subscriptions are as they are now; of some accounts that are named so is what is overdue, so
-- that nobody reads the whole ledger for one of them.
create or replace function duly.at_risk(p_on date, p_among text[])
returns table (account_id text, region text, segment text, state text, currency text, reasons text, reason_count integer, declined integer,
  card_expires integer, overdue integer, mrr_fell integer, leaving integer, overdue_days integer, overdue_minor bigint, mrr_lost_minor bigint,
  card_expires_on date, ends_on date)
language sql stable as $$
  with answered as (
    select r.account_id, f.outcome, row_number() over (partition by r.account_id order by f.sent_at desc, r.id desc) as place
      from duly.gateway_requests r
      join lateral (select a.outcome, a.sent_at from duly.gateway_attempts a
        where a.request_id = r.id and a.outcome in ('succeeded', 'declined') order by a.attempt limit 1) f on true
      where r.kind = 'payment' and (p_among is null or r.account_id = any (p_among)) and (f.sent_at at time zone 'UTC')::date <= p_on),
  -- The first answer to each of the last two receivables.
  declined as (
    select a.account_id from answered a where a.place <= 2 group by a.account_id having count(*) = 2 and bool_and(a.outcome = 'declined')),
  cards as (
    select c.account_id, min((make_date(c.exp_year, c.exp_month, 1) + interval '1 month' - interval '1 day')::date) as expires_on
      from duly.cards c where c.state = 'active' and c.is_recurring and (p_among is null or c.account_id = any (p_among)) group by c.account_id having count(*) = 1),
  overdue as (
    select g.account_id, max(g.days) as days, sum(g.outstanding_minor)::bigint as amount_minor
      from duly.report_ageing(p_on) g where p_among is null and g.outstanding_minor > 0 and g.days > 30 group by g.account_id
    union all
    select o.account_id, max(p_on - coalesce(t.due_on, t.posted_on)), sum(o.amount_minor - o.allocated_minor)::bigint
      from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
      where o.account_id = any (p_among) and o.side = 'debit' and o.allocated_minor < o.amount_minor and t.posted_on <= p_on
        and p_on - coalesce(t.due_on, t.posted_on) > 30 group by o.account_id),
  -- What it was before the first month that ended in these days, less what it is in the last.
  revenue as (
    select m.account_id, (array_agg(m.start_minor order by m.month))[1] - (array_agg(m.mrr_minor order by m.month desc))[1] as lost_minor
      from duly.report_mrr m where m.ends_on between p_on - 90 and p_on and (p_among is null or m.account_id = any (p_among)) group by m.account_id, m.currency),
  fell as (select v.account_id, sum(v.lost_minor)::bigint as lost_minor from revenue v where v.lost_minor > 0 group by v.account_id),
  leaving as (
    select s.account_id, min(s.ends_on) as ends_on from duly.subscriptions s where s.ends_on >= p_on and (p_among is null or s.account_id = any (p_among)) group by s.account_id),
  known as (
    select a.id, a.region, a.segment, a.state::text as state, a.currency, (d.account_id is not null)::integer as declined,
        coalesce(c.expires_on <= p_on + 30, false)::integer as card_expires, (o.account_id is not null)::integer as overdue,
        (f.account_id is not null)::integer as mrr_fell, (l.account_id is not null)::integer as leaving, o.days, o.amount_minor,
        f.lost_minor, c.expires_on, l.ends_on
      from duly.accounts a
      left join declined d on d.account_id = a.id
      left join cards c on c.account_id = a.id
      left join overdue o on o.account_id = a.id
      left join fell f on f.account_id = a.id
      left join leaving l on l.account_id = a.id
      where a.kind = 'customer' and a.state <> 'terminated' and (p_among is null or a.id = any (p_among)))
  select k.id, k.region, k.segment, k.state, k.currency,
      concat_ws(', ', case k.declined when 1 then 'declined twice' end, case k.card_expires when 1 then 'only card expires' end,
        case k.overdue when 1 then 'overdue' end, case k.mrr_fell when 1 then 'buys less' end, case k.leaving when 1 then 'leaves' end),
      k.declined + k.card_expires + k.overdue + k.mrr_fell + k.leaving, k.declined, k.card_expires, k.overdue, k.mrr_fell, k.leaving,
      coalesce(k.days, 0), coalesce(k.amount_minor, 0), coalesce(k.lost_minor, 0), k.expires_on, k.ends_on
    from known k where k.declined + k.card_expires + k.overdue + k.mrr_fell + k.leaving > 0
$$;

create or replace function duly.report_at_risk(p_on date)
returns table (account_id text, region text, segment text, state text, currency text, reasons text, reason_count integer, declined integer,
  card_expires integer, overdue integer, mrr_fell integer, leaving integer, overdue_days integer, overdue_minor bigint, mrr_lost_minor bigint,
  card_expires_on date, ends_on date)
language sql stable as $$ select * from duly.at_risk(p_on, null) $$;

-- How many of the rules are true of one account today. Planned for this account each time: no plan for any account uses its indexes.
create or replace function duly.risks_of(p_account_id text) returns integer
language plpgsql stable set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan as $$
begin
    return coalesce((select r.reason_count from duly.at_risk(current_date, array[p_account_id]) r), 0);
end $$;
