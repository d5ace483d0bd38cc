-- Due dates (F110 to F116). models/due_date.py states the same rules; the tests compare the two.

create function duly.day_in_month(p_month date, p_day integer) returns date language sql immutable parallel safe as $$
  select least(p_month + p_day - 1, (p_month + interval '1 month' - interval '1 day')::date)
$$;

-- The window a due date must lie in by a rule, and the date that is set when none is given.
create function duly.due_window(r duly.due_date_rules, p_credit_period_days integer, p_posted_on date)
returns table (earliest date, latest date, default_on date) language sql stable as $$
  select w.earliest, w.latest,
      case when r.proximity_operator is null or p_credit_period_days is null then w.earliest
        else b.base + p_credit_period_days end
    from (select case r.kind
        when 'days_after' then p_posted_on + r.number_of_days
        else duly.day_in_month((date_trunc('month', p_posted_on) + make_interval(months => r.after_months))::date,
          r.day_of_month) end) b (base)
    cross join lateral (select
        case when r.proximity_operator in ('minus', 'plus_minus') then b.base - r.proximity_days else b.base end,
        case when r.proximity_operator in ('plus', 'plus_minus') then b.base + r.proximity_days else b.base end
      ) w (earliest, latest)
$$;

-- The same for an account: by its own rule, or else the one that all accounts work by.
create function duly.due_dates(p_account_id text, p_posted_on date)
returns table (earliest date, latest date, default_on date) language sql stable as $$
  select w.earliest, w.latest, w.default_on
    from duly.accounts a
    cross join duly.definitions d
    join duly.due_date_rules r on r.id = coalesce(a.due_date_rule_id, d.due_date_rule_id)
    cross join lateral duly.due_window(r, a.credit_period_days, p_posted_on) w
    where a.id = p_account_id
$$;
