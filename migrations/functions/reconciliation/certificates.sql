-- The certificate of a reconciliation: the day's movements by currency and kind, what became of them, and a seal over all of it.

create or replace function duly.certify_reconciliation(p_id text, p_round integer, p_balances jsonb) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.reconciliations;
    v_day tstzrange;
    v_certificate jsonb;
begin
    select * into strict r from duly.reconciliations where id = p_id for no key update;
    if r.state = 'completed' and r.round = p_round then return r.certificate; end if;
    if exists (select from duly.reconciliation_windows
            where reconciliation_id = p_id and round = p_round and done_at is null) then
        perform duly.refuse('windows_are_read', format('%s: not every window has been read', p_id));
    end if;
    perform duly.receive_waiting_payouts(r.provider_id);
    perform duly.find_late_payouts(r.provider_id, r.day, r.id);
    perform duly.close_discrepancies(r.provider_id);
    update duly.discrepancies d set state = 'gone', closed_at = clock_timestamp()
    from jsonb_to_recordset(p_balances -> 'balances') b (currency text, gateway_minor bigint, ledger_minor bigint,
        unbooked_minor bigint)
    where d.provider_id = r.provider_id and d.kind = 'balance' and d.state = 'open' and d.object = b.currency
      and b.gateway_minor = b.ledger_minor + b.unbooked_minor;
    v_day := tstzrange(r.day::timestamp at time zone 'UTC', (r.day + 1)::timestamp at time zone 'UTC');
    select jsonb_build_object('reconciliation_id', r.id, 'provider', r.provider_id, 'day', r.day, 'round', r.round,
        'read_from', r.read_from, 'read_until', r.read_until, 'balances', p_balances -> 'balances',
        'listed', (select coalesce(sum(w.listed), 0) from duly.reconciliation_windows w
            where w.reconciliation_id = p_id and w.round = p_round and w.list = 'movements'),
        'in_transit', coalesce((select jsonb_agg(to_jsonb(t) order by t.currency) from (
            select p.currency, count(*) as payouts, sum(p.amount_minor)::bigint as amount_minor
            from duly.payouts_in_transit(r.provider_id) p group by p.currency) t), '[]'),
        'totals', coalesce((select jsonb_agg(to_jsonb(t) order by t.currency, t.kind, t.state) from (
            select m.currency, m.kind, m.state, count(*) as movements, sum(m.amount_minor)::bigint as amount_minor,
                sum(m.fee_minor)::bigint as fee_minor, sum(m.net_minor)::bigint as net_minor
            from duly.gateway_movements m where m.provider_id = r.provider_id
              and m.created_at >= lower(v_day) and m.created_at < upper(v_day)
            group by m.currency, m.kind, m.state) t), '[]'),
        'discrepancies', coalesce((select jsonb_agg(to_jsonb(t) order by t.kind, t.state) from (
            select d.kind, d.state, count(*) as discrepancies from duly.discrepancies d
            where d.provider_id = r.provider_id and (d.state = 'open' or d.reconciliation_id = r.id)
            group by d.kind, d.state) t), '[]'))
    into v_certificate;
    v_certificate := v_certificate || jsonb_build_object('sha256',
        encode(sha256(convert_to(v_certificate::text, 'UTF8')), 'hex'));
    update duly.reconciliations set state = 'completed', completed_at = clock_timestamp(), certificate = v_certificate
    where id = p_id;
    perform duly.alert_of_discrepancies(r.id, r.round);
    return v_certificate;
end $$;

-- Notify operators of the discrepancies that they have not been notified of: one message, with the first ids of each kind.
-- With an id, of this one alone.
create or replace function duly.alert_of_discrepancies(p_occasion text, p_round integer default 1, p_id text default null)
returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_kinds jsonb;
    v_count integer;
begin
    with alerted as (
        update duly.discrepancies set alerted_at = clock_timestamp() where alerted_at is null and (p_id is null or id = p_id)
        returning id, kind, object, state)
    select jsonb_agg(jsonb_build_object('kind', k.kind, 'state', k.state, 'count', k.count, 'objects', k.objects)
            order by k.kind), sum(k.count)
    into v_kinds, v_count from (
        select kind, state, count(*), (array_agg(object order by id))[1:10] as objects from alerted
        group by kind, state) k;
    if v_kinds is null then return false; end if;
    perform duly.write_message('discrepancies_found', '', '', '', jsonb_build_object('count', v_count, 'kinds', v_kinds,
        'occasion', p_occasion, 'workflow', p_occasion), concat_ws('/', p_occasion, p_round));
    return true;
end $$;

-- What lies at a gateway by the ledger, and what of its movements the ledger has not booked: open, or explained by a person. Of one
-- that was booked with another amount only the difference is not booked. What has moved in a currency that the ledger does not have
-- (in lower case) is booked in the one that was charged, and does not lie there.
create or replace function duly.clearing_balances(p_provider_id text) returns table (currency text, ledger_minor bigint,
    unbooked_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(l.currency, o.currency), coalesce(l.minor, 0)::bigint, coalesce(o.minor, 0)::bigint
    from (
        select t.currency, sum(t.debit_minor - t.credit_minor) as minor from duly.trial_balance() t
        where t.ledger_account = 'gateway_clearing:' || p_provider_id group by t.currency) l
    full join (
        with unbooked as (
            select x.* from duly.gateway_movements x where x.provider_id = p_provider_id and x.state = 'open'
            union all
            select x.* from duly.gateway_movements x where x.provider_id = p_provider_id and x.state = 'explained')
        select u.currency, sum(u.minor) as minor from (
            select m.currency, case
                when m.kind in ('dispute', 'dispute_reversal') and duly.is_disputed_booked(m.provider_id, m.source, m.id) then 0
                else m.net_minor - coalesce(e.amount_minor - e.fee_minor, 0) end as minor
            from unbooked m left join duly.gateway_expectations e
                on e.provider_id = p_provider_id and e.movement = m.id and e.settled_currency = e.currency
            union all
            select e.currency, -e.amount_minor
            from (select distinct source, kind from unbooked where currency = lower(currency)) m
            join duly.gateway_expectations e on e.provider_id = p_provider_id and e.object = m.source and e.kind = m.kind
                and (e.movement is null or e.settled_currency = lower(e.settled_currency))) u
        group by u.currency) o on o.currency = l.currency
$$;
