-- Reference rates of exchange: taken in by files, and found by day.

-- Keep published rates: an array of {currency, rate_on, per_euro}. What is there already with the same value changes nothing; another value
-- is kept only where that is asked for, and is returned else. Documents posted before keep the rates that they were posted with.
create or replace function duly.import_exchange_rates(p_rates jsonb, p_replaces boolean, p_actor text)
returns table (currency text, rate_on date, per_euro numeric, outcome text)
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    return query
    with given as (
        select g.currency, g.rate_on, g.per_euro
        from jsonb_to_recordset(p_rates) g (currency text, rate_on date, per_euro numeric)),
    written as (
        insert into duly.exchange_rates as x (currency, rate_on, per_euro, imported_by)
        select g.currency, g.rate_on, g.per_euro, p_actor from given g
        on conflict on constraint exchange_rates_pkey do update set per_euro = excluded.per_euro, imported_by = excluded.imported_by,
            imported_at = clock_timestamp()
        where p_replaces and x.per_euro <> excluded.per_euro
        returning x.currency, x.rate_on, xmax = 0 as is_new)
    select g.currency, g.rate_on, x.per_euro,
        case when w.is_new then 'new' when w.currency is not null then 'replaced' when x.per_euro = g.per_euro then 'known' else 'differs' end
    from given g
    left join written w on w.currency = g.currency and w.rate_on = g.rate_on
    left join duly.exchange_rates x on x.currency = g.currency and x.rate_on = g.rate_on;
end $$;

-- Easter Sunday (the anonymous Gregorian computus, Meeus 1991).
create or replace function duly.easter(p_year integer) returns date language plpgsql immutable parallel safe as $$
declare
    a integer := p_year % 19;
    b integer := p_year / 100;
    c integer := p_year % 100;
    h integer := (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    l integer := (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    m integer := (a + 11 * h + 22 * l) / 451;
begin
    return make_date(p_year, (h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
end $$;

-- Whether the European Central Bank publishes rates on a day: when TARGET is open.
create or replace function duly.is_target_day(p_on date) returns boolean language sql immutable parallel safe as $$
    select extract(isodow from p_on) < 6 and to_char(p_on, 'MM-DD') not in ('01-01', '05-01', '12-25', '12-26')
        and p_on - duly.easter(extract(year from p_on)::integer) not in (-2, 1)
$$;

-- The rate between two currencies that was the latest published at a day: of the day itself, else of the days before it back to the
-- last one before it on which rates are published (at 16:00, so that on a morning its own is not there yet). Both sides are of one
-- day, over the euro (2006/112/EC art. 91 (2)). No row: such a rate is not known.
create or replace function duly.exchange_quote(p_document text, p_tax text, p_on date, out rate_on date, out document_per_euro numeric,
    out tax_per_euro numeric) returns setof record language sql stable as $$
    with published as (
        select x.rate_on, max(x.per_euro) filter (where x.currency = p_document) as document_per_euro,
            max(x.per_euro) filter (where x.currency = p_tax) as tax_per_euro
        from duly.exchange_rates x
        -- TARGET never rests for longer than this.
        where x.currency in (p_document, p_tax) and x.rate_on between p_on - 7 and p_on group by x.rate_on)
    select p.rate_on, coalesce(p.document_per_euro, 1), coalesce(p.tax_per_euro, 1) from published p
    where (p_document = 'EUR' or p.document_per_euro is not null) and (p_tax = 'EUR' or p.tax_per_euro is not null)
        and not exists (select from generate_series(p.rate_on + 1, p_on - 1, interval '1 day') g (day) where duly.is_target_day(g.day::date))
    order by p.rate_on desc limit 1
$$;

-- Amounts in another currency, half up.
create or replace function duly.in_other_currency(p_minor bigint, p_from text, p_to text, p_from_per_euro numeric, p_to_per_euro numeric)
returns bigint language sql stable as $$
    select round(p_minor * p_to_per_euro * 10::numeric ^ t.exponent / (p_from_per_euro * 10::numeric ^ f.exponent))::bigint
    from duly.currencies f, duly.currencies t where f.code = p_from and t.code = p_to
$$;

-- The currencies of customers' accounts in which nothing with VAT can be posted on a day, for want of a rate to the house's currency.
create or replace function duly.missing_exchange_rates(p_on date, out house_country text, out tax_currency text, out currencies text[], out missing text[])
language sql stable security definer set search_path = duly, pg_temp as $$
    select s.country, s.tax_currency, c.currencies,
        array(select u.code from unnest(c.currencies) u (code) where u.code <> s.tax_currency
            and not exists (select from duly.exchange_quote(u.code, s.tax_currency, p_on)) order by u.code)
    from duly.sellers s
    cross join (select array_agg(distinct a.currency) from duly.accounts a where a.kind = 'customer' and a.state <> 'terminated') c (currencies)
    where s.merchant_id is null
$$;
