-- What a platform takes of payments on its merchants' own accounts (application fees of direct charges): by which rule, what of it
-- the merchant's book says, and what the platform's own book expects of it.

-- What a rule takes of an amount: the percentage, rounded half up to the steps in which the gateway takes the currency, and the fixed
-- part; within its bounds, and never more than the amount. models/merchants/application_fee.py says the same.
create or replace function duly.application_fee_of(p_rule jsonb, p_amount_minor bigint, p_currency text) returns bigint
language sql immutable parallel safe as $$
    select least(p_amount_minor, greatest(coalesce((p_rule -> 'minimum_minor' ->> p_currency)::bigint, 0),
        least(coalesce((p_rule -> 'maximum_minor' ->> p_currency)::bigint, p_amount_minor),
            coalesce(round(p_amount_minor * (p_rule ->> 'percent')::numeric / (100 * duly.charge_step(p_currency)))::bigint, 0)
                * duly.charge_step(p_currency) + coalesce((p_rule -> 'fixed_minor' ->> p_currency)::bigint, 0))))
$$;

-- What is taken of a payment through a provider: nothing on the platform's own account.
create or replace function duly.application_fee_at(p_provider_id text, p_amount_minor bigint, p_currency text) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select duly.application_fee_of(p.application_fee, p_amount_minor, p_currency)
        from duly.providers p where p.id = p_provider_id and p.merchant_id is not null), 0)
$$;

-- Whether what is taken through a provider from now on is given back with a refund.
create or replace function duly.refunds_application_fee(p_provider_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select (p.application_fee ->> 'is_refunded')::boolean from duly.providers p where p.id = p_provider_id), false)
$$;

-- The platform's provider behind a merchant's one, of the account that it has now or had before; null where there is none.
create or replace function duly.platform_of(p_provider_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select platform_id from duly.providers where id = p_provider_id and merchant_id is not null and gateway_account is not null
$$;

-- The charge that a movement of a merchant's account is about: its source, for not every answer named the charge before, or the one
-- that was refunded.
create or replace function duly.charge_behind(e duly.gateway_expectations, p_source text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case when e.kind = 'charge' then coalesce(nullif(p_source, ''), e.object) else coalesce((
        -- What was taken back of a transfer is of the payment that the transfer came as.
        select o.connected_reference from duly.merchant_transfer_moves v join duly.merchant_transfer_moves o on o.transfer_id = v.transfer_id
          and o.gateway_reference = v.of_reference where v.connected_reference = e.object limit 1), (
        select coalesce(a.charge_reference, a.gateway_reference) from duly.gateway_requests r
        join duly.gateway_attempts a on a.request_id = r.of_request_id and a.outcome = 'succeeded'
        where r.provider_id = e.provider_id and r.gateway_reference = e.object and r.of_request_id is not null limit 1)) end
$$;

-- Book what the platform took of a merchant's movement, or gave back with it, in the merchant's book, and expect the same on the
-- platform's account. What moves there is known by the charge; of refunds there may be several.
create or replace function duly.book_platform_fee(e duly.gateway_expectations, p_source text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_platform constant text := duly.platform_of(e.provider_id);
    v_charge constant text := duly.charge_behind(e, p_source);
begin
    if coalesce(e.application_fee_minor, 0) = 0 then return; end if;
    perform duly.book_gateway_movement('movement:' || e.movement || ':platform_fee',
        case when e.application_fee_minor > 0 then 'platform_fee' else 'platform_fee_refund' end, e.provider_id, e.settled_currency,
        abs(e.application_fee_minor), e.object, p_payment_id => case when e.kind = 'charge' then e.payment_id end);
    if v_platform is null or v_charge is null then return; end if;
    perform duly.expect_movement(v_platform, case when e.kind = 'charge' then v_charge else v_charge || '/' || e.object end,
        case when e.application_fee_minor > 0 then 'application_fee' else 'application_fee_refund' end, e.account_id, e.payment_id,
        e.application_fee_minor, e.settled_currency);
end $$;

-- Book in the platform's book what it has earned of a merchant's payment, or given back, on the day on which it moved; in a merchant's
-- book what came back to it without a refund. In another currency than the merchant's it is what moved; else what the merchant's book
-- says, and a difference is listed.
create or replace function duly.book_application_fee(e duly.gateway_expectations, p_moved_on date) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.book_gateway_movement('movement:' || e.movement || ':application_fee',
        case when p.merchant_id is null then e.kind else 'platform_fee_refund' end, e.provider_id, e.settled_currency,
        abs(case when e.settled_currency = e.currency then e.amount_minor else e.settled_minor end), e.object, p_moved_on)
    from duly.providers p where p.id = e.provider_id
$$;

-- A fee that went back to a merchant's account by itself, without a refund of the charge: booked in the merchant's book, and expected of
-- the platform's account, which moves the same. Its source names the charge (CHARGE/fr_...), unless the account may not see the fee: then
-- the platform's list names it, once that has been read. Beyond what was taken, and of a charge that no book here has, it is listed.
create or replace function duly.confirm_fee_refund(m duly.gateway_movements, f jsonb, p_id text) returns jsonb
language plpgsql as $$
declare
    v_platform constant text := duly.platform_of(m.provider_id);
    v_refund constant text := split_part(m.source, '/', greatest(1, array_length(string_to_array(m.source, '/'), 1)));
    v_charge text := case when m.source like '%/%' then split_part(m.source, '/', 1) end;
    t duly.gateway_expectations;
    v_back bigint;
begin
    if v_charge is null then
        select split_part(x.source, '/', 1) into v_charge from duly.gateway_movements x
        where x.provider_id = v_platform and x.kind = 'application_fee_refund' and x.source like '%/%'
          and split_part(x.source, '/', 2) = v_refund limit 1;
    end if;
    select * into t from duly.gateway_expectations
    where provider_id = v_platform and object = v_charge and kind = 'application_fee' for update;
    select coalesce(-sum(amount_minor), 0) into v_back from duly.gateway_expectations
    where provider_id = v_platform and kind = 'application_fee_refund' and object >= v_charge || '/' and object < v_charge || '0';
    if t.object is null or m.amount_minor <= 0 or m.fee_minor <> 0 or t.currency <> m.currency
        or v_back + m.amount_minor > t.amount_minor then
        return duly.list_movement(m, f, 'unexpected_application_fee_refund', 'open', p_id, t.account_id, t.payment_id);
    end if;
    perform duly.expect_movement(m.provider_id, m.source, m.kind, t.account_id, t.payment_id, m.amount_minor, m.currency);
    -- Not by its own id yet: parts of one amount are interchangeable, whatever gave them back (duly.name_fee_refunds).
    perform duly.expect_movement(v_platform, v_charge || '/alone:' || v_refund, m.kind, t.account_id, t.payment_id, -m.amount_minor,
        m.currency);
    perform duly.match_source(m.provider_id, m.source, m.kind);
    -- Where the platform's list was read before, both books have it at once.
    perform duly.match_fee_refunds(v_platform, v_charge);
    return duly.list_movement(m, f, 'application_fee_given_back', 'mended', p_id, t.account_id, t.payment_id);
end $$;

-- What is expected to go back of a fee is known by its charge and refund, and what has gone back by its charge and an id of its own
-- (CHARGE/fr_…): each expectation takes the name of the movement that fulfils it, the oldest first among those of one amount.
create or replace function duly.name_fee_refunds(p_provider_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    with moved as (
        select m.source, split_part(m.source, '/', 1) as charge, m.amount_minor,
            row_number() over (partition by split_part(m.source, '/', 1), m.amount_minor order by m.created_at, m.id) as place
        from duly.gateway_movements m
        where m.provider_id = p_provider_id and m.state = 'open' and m.kind = 'application_fee_refund'
          and not exists (select from duly.gateway_expectations e where e.provider_id = p_provider_id and e.object = m.source
            and e.kind = m.kind)),
    expected as (
        select e.object, split_part(e.object, '/', 1) as charge, e.amount_minor,
            row_number() over (partition by split_part(e.object, '/', 1), e.amount_minor order by e.expected_at, e.object) as place
        from moved m join duly.gateway_expectations e on e.provider_id = p_provider_id and e.kind = 'application_fee_refund'
          and e.object >= m.charge || '/' and e.object < m.charge || '0' and e.movement is null and e.object not like '%/fr\_%'
        group by e.object, e.amount_minor, e.expected_at)
    update duly.gateway_expectations e set object = m.source
    from moved m join expected x using (charge, amount_minor, place)
    where e.provider_id = p_provider_id and e.kind = 'application_fee_refund' and e.object = x.object
$$;
