-- What the gateway takes of an amount. Some currencies are finer here than there (decision 0111).

-- The steps in which gateways take a currency, in minor units; models/gateway/amounts.py (charge_step) has the source.
create or replace function duly.charge_step(p_currency text) returns bigint language sql immutable parallel safe as $$
    select case when p_currency in ('BHD', 'JOD', 'KWD', 'OMR', 'TND') then 10 when p_currency = 'MGA' then 100 else 1 end
$$;

-- What the gateway takes of an amount: all but a rest of less than a step, which stays open and goes with the next request.
create or replace function duly.chargeable_part(p_amount_minor bigint, p_currency text) returns bigint
language sql immutable parallel safe as 'select p_amount_minor - p_amount_minor % duly.charge_step(p_currency)';

-- The most that gateways take in one payment, in minor units; models/gateway/amounts.py (gateway_maximum) has the source.
create or replace function duly.charge_maximum(p_currency text) returns bigint language sql immutable parallel safe as $$
    select case when p_currency = 'IDR' then 999999999999 when p_currency in ('ISK', 'UGX') then 999999 when p_currency = 'MGA' then 9999999900
        else 99999999 - 99999999 % duly.charge_step(p_currency) end
$$;

-- Why nothing can be charged of what is open: it is less than one step, or than the provider's minimum. Null: something can.
create or replace function duly.uncharged_because(p_open_minor bigint, p_currency text, p_minimum bigint) returns text
language sql immutable parallel safe as $$
    select case when duly.chargeable_part(p_open_minor, p_currency) = 0 then 'amount_not_in_steps'
        when duly.chargeable_part(p_open_minor, p_currency) < p_minimum then 'below_minimum' end
$$;
