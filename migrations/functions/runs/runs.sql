-- Runs: the membership is frozen in one statement, and the certificate counts every member once.

create or replace function duly.effective_definition(p_definition_id text, p_kind text) returns duly.run_definitions
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions;
begin
    select * into v_definition from duly.run_definitions where id = p_definition_id;
    if not found or v_definition.kind <> p_kind then
        perform duly.refuse('run_definition_exists', format('there is no %s run definition %L', p_kind, p_definition_id));
    elsif v_definition.state <> 'effective' then
        perform duly.refuse('run_definition_effective', format('run definition %L is not effective', p_definition_id));
    elsif exists (select from duly.providers where id = v_definition.provider_id and state <> 'effective') then
        perform duly.refuse('provider_effective', format('provider %L is not effective', v_definition.provider_id));
    end if;
    return v_definition;
end $$;

-- Begin the run of a period, or one that supplements it. `supplement` 0 is the period's own run; each further one comes after the
-- one before it has its certificate.
create or replace function duly.start_run(p_run_id text, p_definition_id text, p_kind text, p_period text,
    p_supplement integer default 0)
returns duly.run_definitions language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions := duly.effective_definition(p_definition_id, p_kind);
    v_run duly.process_runs;
begin
    if p_supplement > 0 and not exists (select from duly.process_runs r where r.definition_id = p_definition_id
            and r.period = p_period and r.kind = p_kind and r.supplement = p_supplement - 1 and r.state = 'completed') then
        perform duly.refuse('month_is_closed', format('%s has no certificate for %s yet that supplement %s could follow',
            p_definition_id, p_period, p_supplement));
    end if;
    insert into duly.process_runs (id, definition_id, kind, period, supplement)
    values (p_run_id, p_definition_id, p_kind, p_period, p_supplement)
    on conflict (definition_id, period, supplement) where kind <> 'shadow' do nothing;
    if found then perform duly.make_partition(p_run_id); end if;
    select * into v_run from duly.process_runs
    where definition_id = p_definition_id and period = p_period and kind = p_kind and supplement = p_supplement for update;
    if v_run.state = 'completed' then
        perform duly.refuse('one_run_a_period', format('%s was run for %s and is closed', p_definition_id,
            case when p_supplement = 0 then p_period else p_period || ', supplement ' || p_supplement end));
    end if;
    return v_definition;
end $$;

-- Where run_items has a partition for each run (decision 0115), make that of a run that begins.
create or replace function duly.make_partition(p_run_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_name text := 'run_items_' || left(md5(p_run_id), 16);
begin
    if (select relkind from pg_class where oid = 'duly.run_items'::regclass) <> 'p' or to_regclass('duly.' || v_name) is not null then
        return;
    end if;
    execute format('create table duly.%I (like duly.run_items including all) with (fillfactor = 80)', v_name);
    execute format('alter table duly.run_items attach partition duly.%I for values in (%L)', v_name, p_run_id);
exception when invalid_object_definition then
    -- A shadow that is cast again, whose members were in the table before it was partitioned: they go there again.
    return;
end $$;

-- What a definition leaves out follows from the rate of whoever freezes; a worker of 0.1.0 does not say it.
create or replace function duly.definition_at_rate(p_definition duly.run_definitions, p_shards integer, p_window integer)
returns duly.run_definitions language plpgsql immutable as $$
begin
    p_definition.shards := coalesce(p_definition.shards, p_shards, 2);
    p_definition.window_size := coalesce(p_definition.window_size, p_window, 50);
    return p_definition;
end $$;

-- A run that was frozen keeps its shards, whatever its definition says by now. Its members are counted once: there may be millions,
-- and each execution asks.
create or replace function duly.run_plan(p_run_id text, p_definition duly.run_definitions) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('run_id', p_run_id, 'provider', coalesce(p_definition.provider_id, ''),
        'window', coalesce(p_definition.window_size, 50), 'page', p_definition.page_size)
        || coalesce(r.plan, duly.counted_plan(p_run_id)) || jsonb_build_object('members', r.members)
    from duly.process_runs r where r.id = p_run_id
$$;

-- How many members a run has and how many of them are passed over, in how many shards, and what is due of the others.
create or replace function duly.counted_plan(p_run_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('shards', coalesce(max(c.shards), 1), 'members', coalesce(sum(c.members), 0),
        'skipped', coalesce(sum(c.skipped), 0),
        'due', coalesce(jsonb_object_agg(c.currency, c.due_minor) filter (where c.due_minor is not null), '{}'))
    from (select i.currency, max(i.shard) + 1 as shards, count(*) as members,
            count(*) filter (where i.outcome = 'skipped') as skipped,
            sum(i.amount_minor) filter (where i.outcome is distinct from 'skipped') as due_minor
        from duly.run_items i where i.run_id = p_run_id group by i.currency) c
$$;

-- Keep what the members of a run come to, now that they are fixed.
create or replace function duly.keep_plan(p_run_id text, p_shards integer) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.process_runs r
    set plan = c.plan || jsonb_build_object('shards', p_shards), members = (c.plan ->> 'members')::int
    from (select duly.counted_plan(p_run_id) as plan) c where r.id = p_run_id
$$;

create or replace function duly.skip_reason(p_account duly.accounts, p_definition duly.run_definitions, p_card duly.cards,
    p_customer text, p_free bigint, p_minimum bigint, p_is_asked boolean, p_pays_by text default null)
returns text language sql stable as $$
    select case
        when p_account.state <> 'active' then 'account_' || p_account.state
        when p_free = 0 and p_is_asked then 'asked_in_period'
        when p_free = 0 then 'in_collection'
        when p_pays_by is not null then 'pays_by_' || p_pays_by
        when p_minimum is null then 'currency_not_taken'
        when cardinality(p_definition.currencies) > 0 and p_account.currency <> all (p_definition.currencies)
            then 'currency_not_in_definition'
        when duly.uncharged_because(p_free, p_account.currency, p_minimum) is not null
            then duly.uncharged_because(p_free, p_account.currency, p_minimum)
        when p_card.id is null then 'no_card'
        when p_customer is null then 'no_gateway_customer'
    end
$$;

-- Everyone who owes something at a period's end: how much, on which card, and why not. Real, dry and shadow runs ask
-- it. What others collect is theirs, and what was asked for in the month already is not asked for again. Of more than one
-- receivable holds, the oldest come first; `rest_until` says up to which posting more is left. The amount is what is charged:
-- of who is passed over, what is open.
create or replace function duly.judge_members(p_definition duly.run_definitions, p_ends_on date, p_accounts text[] default null)
returns table (account_id text, currency text, amount_minor bigint, card_id text, card_label text, invoices text[], reason text,
    rest_until bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    with open_invoices as materialized (
        select o.account_id, o.transaction_id, o.amount_minor - o.allocated_minor as open_minor, o.sort_on, o.account_version
        from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
        where o.side = 'debit' and o.allocated_minor < o.amount_minor and t.classification = 'invoice'
          and t.issued_on < p_ends_on and (p_accounts is null or o.account_id = any (p_accounts))
    ),
    owned as materialized (
        select w.invoice_id, coalesce(sum(w.amount_minor), 0) as claimed_minor, bool_or(w.amount_minor is null) as has_owner
        from duly.owned_invoices w where p_accounts is null or w.account_id = any (p_accounts) group by w.invoice_id
    ),
    asked as materialized (
        select distinct u.id from (select distinct account_id from open_invoices) a
        join duly.gateway_requests r on r.account_id = a.account_id and r.kind = 'payment'
            and r.period >= to_char(p_ends_on - 1, 'YYYY-MM') and r.period < to_char(p_ends_on - 1, 'YYYY-MM') || '~'
        cross join unnest(r.invoices) u (id)
        -- Who asked for an amount leaves the rest to the run.
        where not exists (select from duly.collections c
            where c.account_id = r.account_id and c.period = r.period and c.asked_minor is not null)
          -- So does what a person has ordered beside it: declined or not, the month is the run's.
          and not exists (select from duly.payment_orders o where o.account_id = r.account_id and o.period = r.period)
    ),
    marked as materialized (
        select i.*, x.free_minor, x.free_minor > 0 and u.id is null as is_free, x.free_minor > 0 and u.id is not null as is_asked
        from open_invoices i
        left join owned w on w.invoice_id = i.transaction_id
        left join asked u on u.id = i.transaction_id
        cross join lateral (select case when w.has_owner then 0
            else greatest(i.open_minor - coalesce(w.claimed_minor, 0), 0) end::bigint as free_minor) x
    ),
    placed as (
        select i.*, row_number() over (partition by i.account_id, i.is_free order by i.sort_on, i.account_version) as place,
            count(*) filter (where i.is_free) over (partition by i.account_id) as of_all
        from marked i
    ),
    -- Everything about an account in one pass: no estimate can make the server compare each of them with each.
    owed as (
        select p.account_id, sum(p.open_minor)::bigint as amount_minor, bool_or(p.is_asked) as is_asked,
            coalesce(sum(p.free_minor) filter (where p.is_free and p.place <= x.most), 0)::bigint as free_minor,
            array_agg(p.transaction_id order by p.place) filter (where p.is_free and p.place <= x.most) as invoices,
            max(p.account_version) filter (where p.is_free and x.most < p.of_all) as rest_until
        from placed p cross join lateral (select duly.part_of(p.of_all) as most) x group by p.account_id
    ),
    judged as (
        select a.currency, owed.account_id, owed.amount_minor, owed.free_minor, owed.invoices,
            owed.rest_until, card.id as card_id, card.brand || ' ' || card.last4 as card_label,
            duly.skip_reason(a, p_definition, card, g.customer_reference, owed.free_minor, c.minimum_minor,
                owed.is_asked, case when h.provider_id is null then f.payment_method_id end) as reason
        from owed
        join duly.accounts a on a.id = owed.account_id and a.kind = 'customer'
        left join duly.provider_currencies c on c.provider_id = p_definition.provider_id and c.currency = a.currency
        left join duly.gateway_customers g on g.provider_id = p_definition.provider_id and g.account_id = a.id
        left join duly.payment_preferences f on f.account_id = a.id and f.is_default
        left join duly.provider_methods h on h.payment_method_id = f.payment_method_id and h.provider_id = p_definition.provider_id
        left join lateral duly.chargeable_card(a.id, p_definition.provider_id) card on true
    )
    select j.account_id, j.currency, case when j.reason is null then duly.chargeable_part(j.free_minor, j.currency)
            when j.free_minor > 0 then j.free_minor else j.amount_minor end, j.card_id,
        coalesce(j.card_label, ''), case when j.reason is null then j.invoices else '{}' end, coalesce(j.reason, ''),
        case when j.reason is null then j.rest_until end
    from judged j
$$;

-- All accounts at once. Right after a month was billed, or a database restored, nobody has counted its rows: a plan that walks
-- through one table for each row of another would take days.
create or replace function duly.freeze_members(p_run_id text, p_definition duly.run_definitions, p_ends_on date, p_owns boolean,
    p_supplement integer default 0)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan
    set enable_nestloop = off
as $$
begin
    insert into duly.run_items (run_id, member_id, account_id, shard, currency, amount_minor, card_id, card_label,
        invoices, outcome, reason, finished_at, rest_until)
    select p_run_id, m.account_id, m.account_id, (hashtext(m.account_id) & 2147483647) % p_definition.shards, m.currency,
        m.amount_minor, m.card_id, m.card_label, case when p_owns then m.invoices else '{}' end,
        case when m.reason <> '' then 'skipped' end, m.reason, case when m.reason <> '' then now() end,
        case when p_owns then m.rest_until end
    from duly.members_of_month(p_definition, p_ends_on, p_supplement) m;
    perform duly.keep_plan(p_run_id, p_definition.shards);
    return duly.run_plan(p_run_id, p_definition);
end $$;

-- Fix who is in a run, once: everyone who owes something at the period's end, with the reason of those passed over. Workers of
-- 0.1.0 do not say whether it may be over nobody, and close such a month.
create or replace function duly.freeze_payment_run(p_run_id text, p_definition_id text, p_period text, p_ends_on date,
    p_shards integer default null, p_window integer default null, p_supplement integer default 0,
    p_over_nobody boolean default true)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_is_frozen boolean := duly.is_frozen(p_definition_id, 'payment', p_period, p_supplement);
    v_definition duly.run_definitions := duly.definition_at_rate(
        duly.start_run(p_run_id, p_definition_id, 'payment', p_period, p_supplement), p_shards, p_window);
    v_plan jsonb;
begin
    if v_is_frozen or exists (select from duly.run_items where run_id = p_run_id) then
        return duly.run_plan(p_run_id, v_definition);
    end if;
    v_plan := duly.freeze_members(p_run_id, v_definition, p_ends_on, p_owns => true, p_supplement => p_supplement);
    if not p_over_nobody then
        perform duly.refuse_run_over_nobody(p_run_id);
    end if;
    return v_plan;
end $$;

-- The next members without an outcome, or with one that has to wait and nobody who owns it: a shard ended in between.
create or replace function duly.due_page(p_run_id text, p_shard integer, p_after text, p_limit integer)
returns table (member_id text, currency text, amount_minor bigint, card_label text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select i.member_id, i.currency, i.amount_minor, i.card_label
    from duly.run_items i join duly.process_runs r on r.id = i.run_id
    where i.run_id = p_run_id and i.shard = p_shard and i.member_id > p_after
      and (i.outcome is null or i.outcome in ('in_dunning', 'unknown') and not exists (
          select from duly.collections c
          where c.account_id = i.account_id and c.period = coalesce(nullif(i.receivable, ''), r.period)))
    order by i.member_id limit p_limit
$$;

create or replace function duly.run_totals(p_run_id text)
returns table (outcome text, reason text, currency text, members bigint, amount_minor bigint, settled_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(outcome, 'to_do'), case when outcome in ('charged', 'billed') then '' else reason end, currency,
        count(*), sum(amount_minor)::bigint, sum(settled_minor)::bigint
    from duly.run_items where run_id = p_run_id group by 1, 2, 3 order by 1, 2, 3
$$;

-- Keep what operators decided about a run, for its certificate.
create or replace function duly.record_run_decisions(p_run_id text, p_decisions text[], p_is_aborted boolean) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.process_runs set decisions = p_decisions, is_aborted = p_is_aborted
    where id = p_run_id and state = 'running'
$$;

-- Let the next members of an aborted run go, by keyset; empty at the end. Whoever has a request stays.
create or replace function duly.release_members(p_run_id text, p_after text, p_limit integer) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_members text[];
begin
    select array_agg(m.member_id) into v_members from (
        select member_id from duly.run_items
        where run_id = p_run_id and outcome is null and member_id > p_after order by member_id limit p_limit) m;
    if v_members is null then return ''; end if;
    -- Under the accounts' locks no attempt is being written: who has one by now is not released, who is gets none.
    perform from duly.account_balances where account_id = any (v_members) order by account_id for no key update;
    update duly.run_items i set outcome = 'released', reason = 'run_aborted', invoices = '{}', finished_at = now()
    where i.run_id = p_run_id and i.member_id = any (v_members) and i.outcome is null
      and not exists (select from duly.gateway_requests r where r.run_id = i.run_id and r.account_id = i.account_id)
      and not exists (select from duly.collections c where c.run_id = i.run_id and c.account_id = i.account_id);
    return v_members[cardinality(v_members)];
end $$;
