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
    elsif exists (select from duly.providers where id = v_definition.provider_id and merchant_id is not null)
        and duly.why_not_effective(v_definition.provider_id) <> '' then
        perform duly.refuse('provider_effective', format('provider: %s', duly.why_not_effective(v_definition.provider_id)));
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
    where definition_id = p_definition_id and period = p_period and kind = p_kind and supplement = p_supplement for no key update;
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
    v_spent integer := 0;
    v_tops_up boolean := v_definition.criteria ? 'wallet_top_ups';
    v_left_out jsonb := '[]';
begin
    -- How the execution before this one was steered ended with it; one that goes on as new says it again.
    perform duly.steer_run(p_run_id, '');
    if v_is_frozen or exists (select from duly.run_items where run_id = p_run_id) then
        return duly.run_plan(p_run_id, v_definition);
    end if;
    if v_tops_up then
        v_left_out := duly.top_up_wallets(p_run_id, v_definition, p_period);
    else
        -- What wallets pay is no member's: nobody is asked for it, whatever becomes of the run.
        v_spent := duly.spend_wallets(p_run_id, v_definition, p_period, p_supplement);
    end if;
    v_plan := duly.freeze_members(p_run_id, v_definition, p_period, p_owns => true, p_supplement => p_supplement);
    update duly.process_runs r set left_out = r.left_out || v_left_out where r.id = p_run_id and v_left_out <> '[]';
    -- That no wallet is low is as it should be.
    if not p_over_nobody and v_spent = 0 and not v_tops_up then
        perform duly.refuse_run_over_nobody(p_run_id);
    end if;
    if v_tops_up then perform duly.number_top_ups(p_run_id); end if;
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
          where c.account_id = i.account_id and c.period = coalesce(nullif(i.receivable, ''), duly.month_of_period(r.period))))
    order by i.member_id limit p_limit
$$;

-- What the shards of a run under way have come to: members by outcome, without those that were passed over when it was frozen, and
-- those whom a page gives to a shard once more.
create or replace function duly.progress_of_shards(p_run_id text)
returns table (shard smallint, outcome text, currency text, members bigint, settled_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select i.shard, i.outcome, i.currency, count(*), sum(i.settled_minor)::bigint
    from duly.run_items i join duly.process_runs r on r.id = i.run_id
    where i.run_id = p_run_id and i.finished_at > r.started_at
      and (i.outcome not in ('in_dunning', 'unknown') or exists (
          select from duly.collections c
          where c.account_id = i.account_id and c.period = coalesce(nullif(i.receivable, ''), duly.month_of_period(r.period))))
    group by i.shard, i.outcome, i.currency
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

-- Keep how operators steer a run that is under way. A paused or aborted one begins no attempt from this commit on.
create or replace function duly.steer_run(p_run_id text, p_steering text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.process_runs set steering = p_steering where id = p_run_id and state = 'running' and steering <> p_steering
$$;

-- Whether an attempt that is about to be begun is one of a paused or aborted run. What waits has a collection, which goes on.
create or replace function duly.is_run_stopped(p_run_id text, p_account_id text, p_period text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.process_runs where id = p_run_id and state = 'running' and steering <> '')
        and not exists (select from duly.collections where account_id = p_account_id and period = p_period)
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
