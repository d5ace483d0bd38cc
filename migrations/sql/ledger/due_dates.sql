-- Due dates (F110 to F116). models/due_date.py states the same rules; the tests compare the two.

create view duly.account_terms as
  select a.id as account_id, a.credit_period_days, r.kind, r.number_of_days, r.day_of_month, r.after_months,
      r.proximity_operator, r.proximity_days
    from duly.accounts a
    cross join duly.definitions d
    join duly.due_date_rules r on r.id = coalesce(a.due_date_rule_id, d.due_date_rule_id);

create function duly.day_in_month(p_month date, p_day integer) returns date language sql immutable parallel safe as $$
  select least(p_month + p_day - 1, (p_month + interval '1 month' - interval '1 day')::date)
$$;

-- The window a due date must lie in, and the date that is set when none is given.
create function duly.due_dates(p_account_id text, p_posted_on date)
returns table (earliest date, latest date, default_on date) language sql stable as $$
  select w.earliest, w.latest,
      case when t.proximity_operator is null or t.credit_period_days is null then w.earliest
        else b.base + t.credit_period_days end
    from duly.account_terms t
    cross join lateral (select case t.kind
        when 'days_after' then p_posted_on + t.number_of_days
        else duly.day_in_month((date_trunc('month', p_posted_on) + make_interval(months => t.after_months))::date,
          t.day_of_month) end) b (base)
    cross join lateral (select
        case when t.proximity_operator in ('minus', 'plus_minus') then b.base - t.proximity_days else b.base end,
        case when t.proximity_operator in ('plus', 'plus_minus') then b.base + t.proximity_days else b.base end
      ) w (earliest, latest)
    where t.account_id = p_account_id
$$;
