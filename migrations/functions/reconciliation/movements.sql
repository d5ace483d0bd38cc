-- Reading a gateway's lists into the database, and matching what they say with what the ledger has booked. Every function
-- is one commit, and repeating it changes nothing.

-- Begin a day's next round, or return the one that is under way. Moments of windows are the gateway's.
create or replace function duly.start_reconciliation(p_id text, p_provider_id text, p_day date, p_lookback_days integer,
    p_gateway_now timestamptz)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.reconciliations;
    v_until timestamptz := (p_day + 1)::timestamp at time zone 'UTC';
    -- What moved while a restored database does not remember is read by the first round after its release, however long ago.
    v_from timestamptz := least(p_day - p_lookback_days, duly.reconciled_again_from(p_provider_id))::timestamp at time zone 'UTC';
begin
    if not exists (select from duly.providers where id = p_provider_id) then
        perform duly.refuse('provider_exists', format('provider: there is no provider %s', p_provider_id));
    elsif p_gateway_now < p_day::timestamp at time zone 'UTC' then
        perform duly.refuse('day_has_begun', format('day: %s has not begun at the gateway', p_day));
    end if;
    insert into duly.reconciliations (id, provider_id, day, read_from, read_until)
    values (p_id, p_provider_id, p_day, v_from, v_until) on conflict (id) do nothing;
    select * into strict r from duly.reconciliations where id = p_id for no key update;
    if r.state = 'completed' then
        update duly.reconciliations set state = 'running', round = r.round + 1, read_from = v_from, read_until = v_until,
            started_at = clock_timestamp(), completed_at = null, certificate = null
        where id = p_id returning * into r;
    end if;
    insert into duly.reconciliation_windows (reconciliation_id, round, list, read_from, read_until)
    select r.id, r.round, 'movements', day, least(day + interval '1 day', r.read_until)
    from generate_series(r.read_from, r.read_until - interval '1 second', interval '1 day') day
    union all
    select r.id, r.round, list, r.read_from, r.read_until from unnest(array['refunds', 'disputes', 'payouts']) list
    on conflict do nothing;
    return jsonb_build_object('reconciliation_id', r.id, 'provider', r.provider_id, 'day', r.day, 'round', r.round,
        'read_from', r.read_from, 'read_until', r.read_until, 'started_at', r.started_at, 'windows', (
            select jsonb_agg(jsonb_build_object('list', w.list, 'read_from', w.read_from, 'read_until', w.read_until)
                order by w.list, w.read_from)
            from duly.reconciliation_windows w where w.reconciliation_id = r.id and w.round = r.round));
end $$;

-- Where a window's reading stands: the last id that was stored, and whether it is done.
create or replace function duly.window_cursor(p_id text, p_round integer, p_list text, p_read_from timestamptz) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('cursor', w.cursor, 'listed', w.listed, 'found', w.found, 'is_done', w.done_at is not null)
    from duly.reconciliation_windows w
    where w.reconciliation_id = p_id and w.round = p_round and w.list = p_list and w.read_from = p_read_from
$$;

-- Note how far a window has been read, in the commit that stored it.
create or replace function duly.note_window(p_id text, p_round integer, p_list text, p_read_from timestamptz, p_cursor text,
    p_listed bigint, p_found bigint, p_is_done boolean)
returns void language sql security definer set search_path = duly, pg_temp as $$
    update duly.reconciliation_windows set cursor = coalesce(nullif(p_cursor, ''), cursor), listed = listed + p_listed,
        found = found + p_found, done_at = case when p_is_done then clock_timestamp() end
    where reconciliation_id = p_id and round = p_round and list = p_list and read_from = p_read_from
      and done_at is null
$$;

-- Store movements; return how many were not here already. A movement that is here keeps all but the payout it went out in.
create or replace function duly.store_movements(p_provider_id text, p_rows jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_new integer;
begin
    insert into duly.gateway_movements (provider_id, id, type, category, kind, pocket, source, amount_minor, fee_minor,
        application_fee_minor, net_minor, currency, exchange_rate, created_at, available_on, payout)
    select p_provider_id, m.id, m.type, m.category, m.kind, m.pocket, m.source, m.amount_minor, m.fee_minor,
        coalesce(m.application_fee_minor, 0), m.amount_minor - m.fee_minor, m.currency, m.exchange_rate, m.created_at, m.available_on, m.payout
    from jsonb_to_recordset(p_rows -> 'rows') m (id text, type text, category text, kind text, pocket text, source text,
        amount_minor bigint, fee_minor bigint, application_fee_minor bigint, currency text, exchange_rate text, created_at timestamptz,
        available_on timestamptz, payout text)
    on conflict (provider_id, id) do nothing;
    get diagnostics v_new = row_count;
    update duly.gateway_movements m set payout = r.payout
    from jsonb_to_recordset(p_rows -> 'rows') r (id text, payout text)
    where m.provider_id = p_provider_id and m.id = r.id and r.payout <> '' and m.payout <> r.payout;
    if jsonb_path_exists(p_rows, '$.rows[*] ? (@.kind == "application_fee_refund")') then
        perform duly.name_fee_refunds(p_provider_id);
    end if;
    return v_new;
end $$;

-- Store a part of a window's movements and how far that is.
create or replace function duly.store_window(p_id text, p_round integer, p_read_from timestamptz, p_cursor text, p_rows jsonb,
    p_is_done boolean)
returns integer language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_provider text;
    v_new integer;
begin
    select provider_id into strict v_provider from duly.reconciliations where id = p_id;
    v_new := duly.store_movements(v_provider, p_rows);
    perform duly.note_window(p_id, p_round, 'movements', p_read_from, p_cursor, jsonb_array_length(p_rows -> 'rows'), v_new,
        p_is_done);
    return v_new;
end $$;

-- Lock what the gateway has moved of a source, in one order. Whoever may book or explain it does so before it locks an account: the
-- reconciliation of a day, an event's check and a person's command meet at the same movements.
create or replace function duly.lock_movements_of(p_provider_id text, p_source text) returns void
language sql as $$
    select from duly.gateway_movements where provider_id = p_provider_id and source = p_source and p_source <> ''
    order by id for no key update
$$;

-- Lock a movement with the others of its source, and return it; nothing where there is none.
create or replace function duly.lock_movement(p_provider_id text, p_id text) returns duly.gateway_movements
language plpgsql as $$
declare
    m duly.gateway_movements;
begin
    perform duly.lock_movements_of(p_provider_id, x.source) from duly.gateway_movements x where x.provider_id = p_provider_id and x.id = p_id;
    select * into m from duly.gateway_movements where provider_id = p_provider_id and id = p_id for no key update;
    return m;
end $$;

-- Lock the accounts of the disputes that movements of a page are of, all in the order in which everybody locks accounts.
create or replace function duly.lock_accounts_of_disputes(p_provider_id text, p_after text, p_last text) returns void
language sql as $$
    select duly.lock_accounts(array(
        select x.id from duly.gateway_movements o join duly.disputes d on d.id = o.source join duly.gateway_requests r on r.id = d.request_id
        cross join lateral (select r.account_id as id union all select t.account_id
            from duly.successors_of_payment(r.transaction_id) s join duly.financial_transactions t on t.id = s.id) x
        where o.provider_id = p_provider_id and o.state = 'open' and o.id > p_after and o.id <= p_last
          and o.kind in ('dispute', 'dispute_reversal')))
$$;

-- Whether a movement is one of a dispute and booked by itself.
create or replace function duly.is_booked_of_dispute(m duly.gateway_movements) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.kind in ('dispute', 'dispute_reversal') and duly.is_disputed_booked(m.provider_id, m.source, m.id)
$$;

-- A movement as duly.book_movement takes it.
create or replace function duly.movement_document(m duly.gateway_movements) returns jsonb language sql immutable as $$
    select jsonb_build_object('reference', m.id, 'source', m.source, 'amount_minor', m.amount_minor, 'fee_minor', m.fee_minor,
        'application_fee_minor', m.application_fee_minor, 'currency', m.currency,
        'moved_on', (m.created_at at time zone 'UTC')::date)
$$;

-- Match the next open movements behind an id with what the ledger has booked of their sources: all movements of a source
-- and kind together, for the gateway may write several. Returns the last id looked at, empty at the end.
create or replace function duly.match_movements(p_provider_id text, p_after text, p_limit integer) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
    v_last text;
    v_ids text[];
    v_seen integer;
    v_matched integer;
    v_of_disputes integer;
begin
    if p_after = '' then perform duly.name_fee_refunds(p_provider_id); end if;
    select max(id), count(*) into v_last, v_seen from (
        select id from duly.gateway_movements
        where provider_id = p_provider_id and state = 'open' and id > p_after order by id limit p_limit) page;
    perform from duly.gateway_movements
    where provider_id = p_provider_id and state = 'open' and id > p_after and id <= v_last order by id for no key update;
    perform duly.lock_accounts_of_disputes(p_provider_id, p_after, v_last);
    -- What is expected and has moved is booked first, with its fee and conversion.
    perform duly.book_movement(p_provider_id, o.source, o.kind, duly.movement_document(o))
    from duly.gateway_movements o
    cross join lateral (
        select from duly.gateway_expectations x
        where x.object = o.source and x.kind = o.kind and x.provider_id = p_provider_id and x.movement is null offset 0) x
    where o.provider_id = p_provider_id and o.state = 'open' and o.id > p_after and o.id <= v_last and o.source <> '';
    -- Each lookup is fenced, so that it goes by its index whatever statistics there are of tables that have just been filled.
    select array_agg(u.id) into v_ids from (
        select distinct o.source, o.kind from duly.gateway_movements o
        where o.provider_id = p_provider_id and o.state = 'open' and o.id > p_after and o.id <= v_last
          and o.source <> '') page
    cross join lateral (
        select x.currency, sum(x.amount_minor)::bigint as amount_minor, sum(x.fee_minor)::bigint as fee_minor,
            array_agg(x.id) as ids
        from duly.gateway_movements x
        where x.source = page.source and x.kind = page.kind and x.provider_id = p_provider_id
        group by x.currency offset 0) s
    cross join lateral (
        select from duly.expected_movements e
        where e.object = page.source and e.kind = page.kind and e.provider_id = p_provider_id
          and e.currency = s.currency and e.amount_minor = s.amount_minor and e.fee_minor = s.fee_minor and e.is_booked
        limit 1) e
    cross join lateral unnest(s.ids) u (id);
    update duly.gateway_movements set state = 'matched'
    where id = any (v_ids) and provider_id = p_provider_id and state = 'open';
    get diagnostics v_matched = row_count;
    -- A dispute's movements are booked one by one.
    update duly.gateway_movements m set state = 'matched'
    where m.provider_id = p_provider_id and m.state = 'open' and m.id > p_after and m.id <= v_last
      and m.kind in ('dispute', 'dispute_reversal') and duly.is_booked_of_dispute(m);
    get diagnostics v_of_disputes = row_count;
    return jsonb_build_object('after', case when v_seen = p_limit then v_last else '' end, 'seen', v_seen,
        'matched', v_matched + v_of_disputes);
end $$;

-- Open movements that are old enough to be a difference, behind an id; what may still be under way is carried over.
create or replace function duly.open_candidates(p_provider_id text, p_after text, p_before timestamptz, p_limit integer)
returns table (id text, type text, category text, kind text, source text, amount_minor bigint, fee_minor bigint,
    currency text, exchange_rate text, created_at timestamptz)
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.id, m.type, m.category, m.kind, m.source, m.amount_minor, m.fee_minor, m.currency, m.exchange_rate,
        m.created_at
    from duly.gateway_movements m
    where m.provider_id = p_provider_id and m.state = 'open' and m.id > p_after and m.created_at <= p_before
    order by m.id limit p_limit
$$;

-- What the ledger had booked before a moment and the gateway has no movement of, behind an object: facts that are overdue.
create or replace function duly.missing_candidates(p_provider_id text, p_after text, p_from timestamptz, p_before timestamptz,
    p_limit integer)
returns table (object text, kind text, account_id text, transaction_id text, amount_minor bigint, fee_minor bigint,
    currency text, booked_at timestamptz)
language sql stable security definer set search_path = duly, pg_temp as $$
    select e.object, e.kind, e.account_id, coalesce(e.transaction_id, ''), e.amount_minor, e.fee_minor, e.currency,
        e.booked_at
    from duly.expected_movements e
    where e.provider_id = p_provider_id and e.booked_at >= p_from and e.booked_at < p_before
      and e.object || '/' || e.kind > p_after
      and not exists (select from duly.gateway_movements m
          where m.provider_id = e.provider_id and m.source = e.object and m.kind = e.kind)
    order by e.object || '/' || e.kind limit p_limit
$$;

-- Money that names no receivable settles what an account owes: who collects that looks again, as after a payment by hand.
create or replace function duly.settled_by_found(p_account_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select 'receivable:' || duly.owner_of_receivable(c.account_id, c.period) from duly.collections c
    where c.account_id = p_account_id and c.closed_at is null and not duly.is_owed(c.account_id, c.period)
    order by c.opened_at, c.period limit 1
$$;
