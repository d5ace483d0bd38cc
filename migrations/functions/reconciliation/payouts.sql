-- Payouts: out of clearing with their movement, into the bank with the statement's line; their lines add up.

-- Store a payout as the gateway lists it.
create or replace function duly.store_payout(p_provider_id text, p_found jsonb) returns duly.gateway_payouts
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.gateway_payouts as p (provider_id, id, amount_minor, currency, status, is_automatic, trace, arrives_on,
        created_at)
    values (p_provider_id, p_found ->> 'id', (p_found ->> 'amount_minor')::bigint, p_found ->> 'currency',
        p_found ->> 'status', (p_found ->> 'is_automatic')::boolean, p_found ->> 'trace',
        (to_timestamp((p_found ->> 'arrives')::bigint) at time zone 'UTC')::date,
        to_timestamp((p_found ->> 'created')::bigint))
    on conflict (provider_id, id) do update set status = excluded.status, trace = excluded.trace,
        arrives_on = excluded.arrives_on
    returning p.*
$$;

-- Book a payout's movement: out, or back because the bank has sent it back, or out of the bank to fill a negative balance.
create or replace function duly.confirm_payout(m duly.gateway_movements, f jsonb, p_id text) returns jsonb
language plpgsql as $$
declare
    v_kind text := case when m.kind = 'payout_back' then 'payout_failed' when m.amount_minor > 0 then 'payout_pulled'
        else 'payout' end;
begin
    perform duly.store_payout(m.provider_id, f);
    perform duly.book_gateway_movement('payout:' || m.source || ':' || m.kind, v_kind, m.provider_id, m.currency,
        abs(m.amount_minor), m.source, (m.created_at at time zone 'UTC')::date);
    if m.fee_minor > 0 then
        perform duly.book_gateway_fee('payout:' || m.source || ':fee', m.provider_id, m.currency, m.fee_minor, m.source);
    end if;
    if duly.match_source(m.provider_id, m.source, m.kind) then return jsonb_build_object('outcome', 'matched'); end if;
    return duly.list_movement(m, f, 'differs', 'open', p_id);
end $$;

-- Note what the movements of an automatic payout add up to; its own movement, and what took it back, are none of them.
create or replace function duly.check_payout_lines(p_provider_id text, p_payout text, p_reconciliation_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    p duly.gateway_payouts;
    v_lines bigint;
begin
    select coalesce(sum(net_minor), 0) into v_lines from duly.gateway_movements
    where provider_id = p_provider_id and payout = p_payout and kind not in ('payout_out', 'payout_back');
    update duly.gateway_payouts set lines_minor = v_lines where provider_id = p_provider_id and id = p_payout
    returning * into strict p;
    if v_lines = p.amount_minor then return jsonb_build_object('outcome', 'matched'); end if;
    return jsonb_build_object('outcome', 'listed', 'kind', 'payout_lines', 'discrepancy',
        duly.note_discrepancy(p_provider_id, 'payout_lines', p_payout, 'open', '', '', abs(p.amount_minor - v_lines),
            p.currency, jsonb_build_object('payout_minor', p.amount_minor, 'lines_minor', v_lines), p_reconciliation_id));
end $$;

-- The payout that a bank line brings, if it is certain: named by its trace, else the only one of this amount that is due
-- about now, from a payer that is the gateway. It is booked once by the line's key. Null: the line is none.
create or replace function duly.receive_payout(p_key text, p_currency text, p_amount_minor bigint, p_booked_on date, p_text text)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    p duly.gateway_payouts;
    v_found text[];
begin
    select x.* into p from duly.gateway_payouts x where x.arrived_key = p_key;
    if found then return p.id; end if;
    select array_agg(x.id) into v_found from duly.gateway_payouts x join duly.providers v on v.id = x.provider_id
    where x.arrived_key is null and x.currency = p_currency and x.amount_minor = p_amount_minor
      and (x.trace <> '' and position(x.trace in p_text) > 0
        or p_text ilike '%' || v.gateway || '%' and abs(x.arrives_on - p_booked_on) <= 3);
    if cardinality(v_found) is distinct from 1 then return null; end if;
    select x.* into strict p from duly.gateway_payouts x where x.id = v_found[1] for update;
    if p.arrived_key is not null or not exists (select from duly.gateway_bookings
            where idempotency_key = 'payout:' || p.id || ':payout_out') then
        return null;
    end if;
    perform duly.book_gateway_movement('bank:' || p.id, 'payout_arrived', p.provider_id, p.currency, p.amount_minor, p.id,
        p_booked_on);
    update duly.gateway_payouts set arrived_key = p_key where provider_id = p.provider_id and id = p.id;
    return p.id;
end $$;

-- Payouts that no bank line has brought a week after they were due, and those that went back after one had: one discrepancy each.
create or replace function duly.find_late_payouts(p_provider_id text, p_day date, p_reconciliation_id text) returns integer
language sql security definer set search_path = duly, pg_temp as $$
    with late as (
        select p.* from duly.gateway_payouts p
        where p.provider_id = p_provider_id and p.arrived_key is null and p.arrives_on + 7 < p_day
          and p.status not in ('failed', 'canceled') and p.amount_minor > 0),
    noted as (
        select duly.note_discrepancy(p.provider_id, 'payout_not_arrived', p.id, 'open', '', '', p.amount_minor, p.currency,
            jsonb_build_object('status', p.status, 'arrives_on', p.arrives_on), p_reconciliation_id) from late p
        union all
        -- The gateway has the money again, and what the bank took back for it is in no statement that is posted: debits are not.
        select duly.note_discrepancy(p.provider_id, 'payout_sent_back', p.id, 'open', '', '', p.amount_minor, p.currency,
            jsonb_build_object('status', p.status), p_reconciliation_id)
        from duly.gateway_payouts p
        where p.provider_id = p_provider_id and p.arrived_key is not null and p.status in ('failed', 'canceled'))
    select count(*)::integer from noted
$$;
