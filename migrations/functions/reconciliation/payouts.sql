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

-- Book a payout's movement: out, or out of the bank to fill a negative balance; or that it came back, because the bank sent it
-- back, refused to be debited, or somebody cancelled it.
create or replace function duly.confirm_payout(m duly.gateway_movements, f jsonb, p_id text) returns jsonb
language plpgsql as $$
declare
    v_kind text := case when m.kind = 'payout_back' then case when m.amount_minor > 0 then 'payout_failed' else 'payout_pull_failed' end
        when m.amount_minor > 0 then 'payout_pulled' else 'payout' end;
begin
    perform duly.store_payout(m.provider_id, f);
    perform duly.book_gateway_movement('payout:' || m.source || ':' || m.kind, v_kind, m.provider_id, m.currency,
        abs(m.amount_minor), m.source, (m.created_at at time zone 'UTC')::date);
    if m.fee_minor <> 0 then
        -- The payout has one, and what comes back of it another; a gateway may give it back.
        perform duly.book_gateway_movement('payout:' || m.source || ':' || m.kind || ':fee',
            case when m.fee_minor > 0 then 'fee' else 'fee_refund' end, m.provider_id, m.currency, abs(m.fee_minor), m.source,
            (m.created_at at time zone 'UTC')::date);
    end if;
    if duly.match_source(m.provider_id, m.source, m.kind) then return jsonb_build_object('outcome', 'matched'); end if;
    return duly.list_movement(m, f, 'differs', 'open', p_id);
end $$;

-- Note what the movements of an automatic payout add up to; its own are none of them. What came back of an earlier payout is one.
create or replace function duly.check_payout_lines(p_provider_id text, p_payout text, p_reconciliation_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    p duly.gateway_payouts;
    v_lines bigint;
begin
    select coalesce(sum(net_minor), 0) into v_lines from duly.gateway_movements
    where provider_id = p_provider_id and payout = p_payout and source <> p_payout;
    update duly.gateway_payouts set lines_minor = v_lines where provider_id = p_provider_id and id = p_payout
    returning * into strict p;
    if v_lines = p.amount_minor then return jsonb_build_object('outcome', 'matched'); end if;
    return jsonb_build_object('outcome', 'listed', 'kind', 'payout_lines', 'discrepancy',
        duly.note_discrepancy(p_provider_id, 'payout_lines', p_payout, 'open', '', '', abs(p.amount_minor - v_lines),
            p.currency, jsonb_build_object('payout_minor', p.amount_minor, 'lines_minor', v_lines), p_reconciliation_id));
end $$;

-- What the ledger has in transit, by payout: above zero on its way into the bank, below zero on its way out of it.
create or replace function duly.payouts_in_transit(p_provider_id text) returns table (id text, currency text, amount_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select p.id, b.currency, sum(case when b.kind in ('payout', 'payout_withdrawn', 'payout_pull_failed') then b.amount_minor
        else -b.amount_minor end)::bigint
    from duly.gateway_payouts p
    join duly.gateway_bookings b on b.gateway_reference = p.id and b.provider = p.provider_id
        and b.kind in ('payout', 'payout_pulled', 'payout_failed', 'payout_pull_failed', 'payout_arrived', 'payout_withdrawn')
    where p.provider_id = p_provider_id
    group by p.id, b.currency
    having sum(case when b.kind in ('payout', 'payout_withdrawn', 'payout_pull_failed') then b.amount_minor
        else -b.amount_minor end) <> 0
$$;

-- When a payout came back to the gateway, by what is booked; null where it did not.
create or replace function duly.payout_came_back_on(p duly.gateway_payouts) returns date language sql stable as $$
    select b.posted_on from duly.gateway_bookings b where b.idempotency_key = 'payout:' || p.id || ':payout_back'
$$;

-- Whether a payout has arrived at the bank of a merchant, whose statements are not ours.
create or replace function duly.is_paid_to_merchant(p duly.gateway_payouts) returns boolean language sql stable as $$
    select p.status = 'paid' and exists (select from duly.providers v where v.id = p.provider_id and v.merchant_id is not null)
$$;

-- The payout that a line of the bank's statement is about, if that is certain; an amount below zero is a debit. It brings a payout,
-- or takes back one that an earlier line has brought. Certain is a line that names the payout by its trace, else one that names the
-- gateway where a payout of this amount is due about now, or has come back lately; of several that one gateway made equal, whose lines
-- nothing tells apart, the first. A merchant's own account is paid out to the merchant's bank: only a trace leads to such a payout.
-- Null: it is about none.
create or replace function duly.payout_of_line(p_currency text, p_amount_minor bigint, p_booked_on date, p_text text)
returns duly.gateway_payouts language sql stable as $$
    with possible as (
        select x, x.trace <> '' and position(x.trace in p_text) > 0 as is_named, x.arrived_key is not null as is_return, b.came_back_on
        from duly.gateway_payouts x join duly.providers v on v.id = x.provider_id
        cross join lateral (select duly.payout_came_back_on(x) as came_back_on) b
        where x.currency = p_currency and exists (
            select from duly.gateway_bookings where idempotency_key = 'payout:' || x.id || ':payout_out')
          and case
            when x.arrived_key is null then x.amount_minor = p_amount_minor and (
                x.trace <> '' and position(x.trace in p_text) > 0
                or v.merchant_id is null and p_text ilike '%' || v.gateway || '%' and abs(x.arrives_on - p_booked_on) <= 3)
            when x.returned_key is null then x.amount_minor = -p_amount_minor and (
                x.trace <> '' and position(x.trace in p_text) > 0
                or v.merchant_id is null and p_text ilike '%' || v.gateway || '%'
                    and p_booked_on between x.arrives_on - 3 and b.came_back_on + 10)
            else false end),
    -- A payout that never reached the bank is not brought while another of its amount is due.
    best as (
        select x, is_named, is_return, rank() over (order by is_named desc, not is_return and came_back_on is not null) as place
        from possible)
    select (x).* from best where place = 1 and (select count(distinct ((b.x).provider_id, b.is_return)) from best b where b.place = 1) = 1
      and (not is_named or (select count(*) from best where place = 1) = 1)
    order by (x).arrives_on, (x).id limit 1
$$;

-- Book the payout that a line of the bank's statement brings or takes back, once by the line's key, and return it. Null: the line is
-- about none.
create or replace function duly.receive_payout(p_key text, p_currency text, p_amount_minor bigint, p_booked_on date, p_text text)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    p duly.gateway_payouts;
    v_is_return boolean;
begin
    select x.* into p from duly.gateway_payouts x
    where x.arrived_key = p_key and x.amount_minor = p_amount_minor or x.returned_key = p_key and x.amount_minor = -p_amount_minor;
    if found then return p.id; end if;
    p := duly.payout_of_line(p_currency, p_amount_minor, p_booked_on, p_text);
    v_is_return := p.arrived_key is not null;
    select x.* into p from duly.gateway_payouts x where x.provider_id = p.provider_id and x.id = p.id for update;
    -- Another line may have come first.
    if p.id is null or (v_is_return and p.returned_key is not null) or (not v_is_return and p.arrived_key is not null) then
        return null;
    end if;
    perform duly.book_gateway_movement('bank:' || p.id || case when v_is_return then ':back' else '' end,
        case when p_amount_minor > 0 then 'payout_arrived' else 'payout_withdrawn' end, p.provider_id, p.currency,
        abs(p_amount_minor), p.id, p_booked_on);
    update duly.gateway_payouts set arrived_key = coalesce(arrived_key, p_key),
        returned_key = case when v_is_return then p_key end
    where provider_id = p.provider_id and id = p.id;
    return p.id;
end $$;

-- Bring the payouts whose lines came before anybody here knew of them, or of their traces: what such a line had put into suspense is
-- taken out of it again. Only what lies there untouched, and was put there because nobody knew whose it is.
create or replace function duly.receive_waiting_payouts(p_provider_id text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    w record;
    p duly.gateway_payouts;
    v_received integer := 0;
begin
    for w in
        select t.id, t.currency, t.total_minor, t.issued_on, n.note
        from duly.accounts a
        join duly.open_items o on o.account_id = a.id and o.side = 'credit' and o.allocated_minor = 0
        join duly.financial_transactions t on t.id = o.transaction_id and t.classification = 'payment' and t.state = 'posted'
            and t.idempotency_key like 'bank:%'
        cross join lateral (select coalesce(string_agg(x.note, ' ' order by x.id), '') || ' ' || coalesce(t.payment_reference, '') as note
            from duly.transaction_notes x where x.transaction_id = t.id) n
        where a.kind = 'suspense' and n.note ~ '^suspense: (account_unknown|returned_transfer)\M'
          and exists (select from duly.gateway_payouts x where x.provider_id = p_provider_id and x.currency = t.currency
              and x.amount_minor = t.total_minor and x.arrived_key is null)
        order by t.issued_on, t.id
    loop
        begin
            p := duly.payout_of_line(w.currency, w.total_minor, w.issued_on, w.note);
            continue when p.id is null or p.provider_id <> p_provider_id or p.arrived_key is not null;
            perform duly.cancel_payment('payout_line:' || w.id, w.id, p_origin => 'system');
            if duly.receive_payout('payment:' || w.id, w.currency, w.total_minor, w.issued_on, w.note) is distinct from p.id then
                perform duly.refuse('line_is_of_payout', format('%s: somebody else has brought %s', w.id, p.id));
            end if;
            perform duly.add_note(w.id, 'system', format('It was the payout %s.', p.id));
            v_received := v_received + 1;
        exception when sqlstate 'LD001' or sqlstate 'LD002' or sqlstate 'LD003' or sqlstate 'LD004' or sqlstate 'LD005'
            or sqlstate 'LD006' or sqlstate 'DU001' then
            -- It stays in suspense, and the payout is listed when it is late.
            continue;
        end;
    end loop;
    return v_received;
end $$;

-- Payouts that may have changed since: no line has brought them, or their lines do not add up to them, unless a person has explained
-- that. The trace comes days late.
create or replace function duly.unfinished_payouts(p_provider_id text, p_before timestamptz, p_limit integer default 500)
returns table (id text) language sql stable security definer set search_path = duly, pg_temp as $$
    select p.id from duly.gateway_payouts p
    where p.provider_id = p_provider_id and p.created_at < p_before and p.status not in ('failed', 'canceled')
      and (p.arrived_key is null and not duly.is_paid_to_merchant(p) or p.is_automatic
        and p.lines_minor is distinct from p.amount_minor and not exists (select from duly.discrepancies d where d.provider_id = p.provider_id
          and d.kind = 'payout_lines' and d.object = p.id and d.state = 'resolved'))
    order by p.created_at desc limit p_limit
$$;

-- Payouts of which the bank and the gateway do not say the same a week later: one discrepancy each. No line has brought one that was
-- due; or one side has it back, and not the other. Of a merchant's own account the gateway alone says that one has arrived.
create or replace function duly.find_late_payouts(p_provider_id text, p_day date, p_reconciliation_id text) returns integer
language sql security definer set search_path = duly, pg_temp as $$
    with late as (
        select p.*, case
            when p.arrived_key is null and p.status not in ('failed', 'canceled') and p.arrives_on + 7 < p_day
                and not duly.is_paid_to_merchant(p) then 'payout_not_arrived'
            when p.arrived_key is not null and p.returned_key is null and b.came_back_on + 7 < p_day then 'payout_sent_back'
            when p.returned_key is not null and b.came_back_on is null and r.posted_on + 7 < p_day then 'payout_not_returned' end as late
        from duly.gateway_payouts p
        cross join lateral (select duly.payout_came_back_on(p) as came_back_on) b
        left join duly.gateway_bookings r on r.idempotency_key = 'bank:' || p.id || ':back'
        where p.provider_id = p_provider_id)
    select count(duly.note_discrepancy(p.provider_id, p.late, p.id, 'open', '', '', abs(p.amount_minor), p.currency,
        jsonb_build_object('status', p.status, 'amount_minor', p.amount_minor, 'arrives_on', p.arrives_on), p_reconciliation_id))::integer
    from late p where p.late is not null
$$;
