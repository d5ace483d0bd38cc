-- Amounts in what people read: a refusal that says 50000 is read as another amount than 500.00 EUR.

create or replace function duly.shown_amount(p_amount_minor bigint, p_currency text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select round(p_amount_minor / 10::numeric ^ c.exponent, c.exponent) || ' ' || c.code from duly.currencies c where c.code = p_currency
$$;
