-- Refusals. Every rule has a name; the name travels in the CONSTRAINT field, its arguments as JSON in DETAIL, and the kind
-- of rule in the SQLSTATE, whose class LD is the ledger's own. models/ledger/refusals.py turns them into exceptions.

create or replace function duly.refuse(p_kind text, p_rule text, p_arguments jsonb) returns void
language plpgsql as $$
begin
  raise exception using
    errcode = case p_kind
      when 'prerequisite' then 'LD001'
      when 'postcondition' then 'LD002'
      when 'input' then 'LD003'
      when 'key_reused' then 'LD004'
      when 'configuration' then 'LD005'
      when 'warning' then 'LD006'
      else 'LD007' end,
    message = format('%s refused by the rule %s: %s', p_kind, p_rule, p_arguments),
    detail = p_arguments::text,
    constraint = p_rule;
end $$;

create or replace function duly.request_hash(variadic p_values text[]) returns bytea language sql immutable parallel safe as $$
  select sha256(convert_to(array_to_string(p_values, chr(31), chr(30)), 'UTF8'))
$$;

create or replace function duly.side_of(p_classification duly.classification) returns duly.side language sql immutable parallel safe as $$
  select case when p_classification in ('invoice', 'refund', 'payment_cancellation') then 'debit'::duly.side
    else 'credit' end
$$;

-- The name of an account's own ledger account.
create or replace function duly.ledger_account_of(p_kind text, p_account_id text) returns text
language sql immutable parallel safe as $$
  select case p_kind when 'customer' then 'receivable' when 'write_off' then 'written_off' else p_kind end
    || ':' || p_account_id
$$;
-- Amounts in what people read: a refusal that says 50000 is read as another amount than 500.00 EUR.

create or replace function duly.shown_amount(p_amount_minor bigint, p_currency text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select round(p_amount_minor / 10::numeric ^ c.exponent, c.exponent) || ' ' || c.code from duly.currencies c where c.code = p_currency
$$;
