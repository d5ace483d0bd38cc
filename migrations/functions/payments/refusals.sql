-- What is refused of every payment that a person asks for, by hand or by a link.

-- Whoever asks now for a payment through a merchant that takes none hears what helps: nobody knows when it would be charged.
create or replace function duly.refuse_stopped(p_provider_id text) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    if exists (select from duly.providers where id = p_provider_id and merchant_id is not null)
        and duly.why_not_effective(p_provider_id) <> '' then
        perform duly.refuse('provider_effective', format('provider: %s', duly.why_not_effective(p_provider_id)));
    end if;
end $$;

create or replace function duly.refuse_above_maximum(p_amount_minor bigint, p_currency text) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    if p_amount_minor > duly.charge_maximum(p_currency) then
        perform duly.refuse('amount_at_most', format('amount_minor: the gateway takes %s at most, and not %s',
            duly.shown_amount(duly.charge_maximum(p_currency), p_currency), duly.shown_amount(p_amount_minor, p_currency)));
    end if;
end $$;
