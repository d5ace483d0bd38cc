-- Which accounts and invoices a run definition is about (X16, X26), and the days of a period.

-- The days of a run's period: a month such as 2026-11, a week such as 2026-W48 from Monday on, a day such as 2026-11-27, or that of a
-- time such as 2026-11-27T14:30Z.
create or replace function duly.days_of_period(p_period text, out starts_on date, out ends_on date)
language sql stable parallel safe as $$
    select d.starts_on, (d.starts_on + case when p_period like '%W%' then interval '7 days' when length(p_period) = 7 then interval '1 month'
        else interval '1 day' end)::date
    from (select case when p_period like '%W%' then to_date(p_period, 'IYYY-"W"IW') when length(p_period) = 7
        then (p_period || '-01')::date else left(p_period, 10)::date end as starts_on) d
$$;

-- The month that a run's period begins in: what it collects has its name.
create or replace function duly.month_of_period(p_period text) returns text language sql stable parallel safe as $$
    select case when p_period like '%W%' then to_char((duly.days_of_period(p_period)).starts_on, 'YYYY-MM') else left(p_period, 7) end
$$;

-- A definition as it is in a period: an invoice is due by the day of the run, on the definition's clock and within the period, and
-- so many days after it.
create or replace function duly.criteria_in_period(p_definition duly.run_definitions, p_period text) returns duly.run_definitions
language plpgsql stable set search_path = duly, pg_temp as $$
declare
    v_days record := duly.days_of_period(p_period);
    v_today date := (now() at time zone coalesce(p_definition.schedule ->> 'time_zone', 'UTC'))::date;
begin
    if p_definition.criteria ? 'due_within_days' then
        p_definition.criteria := p_definition.criteria || jsonb_build_object('due_by',
            least(greatest(v_today, v_days.starts_on), v_days.ends_on - 1) + (p_definition.criteria ->> 'due_within_days')::int);
    end if;
    return p_definition;
end $$;

-- Why criteria leave an account out, or null. Amounts are what the run would ask for; a currency that has no bound is not bounded.
-- An account that pays by nothing yet is not left out for it: its run says what it lacks.
create or replace function duly.left_out_because(p_criteria jsonb, p_account duly.accounts, p_method text, p_free bigint,
    p_is_later boolean) returns text language sql stable as $$
    select case
        when p_criteria = '{}' then null
        when not coalesce(p_criteria -> 'segments' ? coalesce(p_account.segment, ''), true)
            and not exists (select from jsonb_array_elements_text(p_criteria -> 'segments') s (id) where duly.is_of_segment(s.id, p_account))
            then 'segment_not_in_criteria'
        when not coalesce(p_criteria -> 'classifications' ? coalesce(p_account.classification, ''), true)
            then 'classification_not_in_criteria'
        when not coalesce(p_criteria -> 'payment_methods' ? p_method, true) then 'method_not_in_criteria'
        when p_free = 0 and p_is_later then 'due_later'
        when p_free > 0 and p_free < (p_criteria -> 'minimum_minor' ->> p_account.currency)::bigint then 'amount_below_criteria'
        when p_free > (p_criteria -> 'maximum_minor' ->> p_account.currency)::bigint then 'amount_above_criteria'
    end
$$;
