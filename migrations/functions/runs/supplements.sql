-- Supplements: runs of a closed period for whom those before did not have (decision 0036). All certificates of a period add up.

-- Who is in a run of a month: everyone who owes something. In a supplement: whom the month's runs before it did not have, and
-- whoever can be charged now, for what nobody has asked for in the month.
create or replace function duly.members_of_month(p_definition duly.run_definitions, p_period text, p_supplement integer,
    p_accounts text[] default null)
returns table (account_id text, currency text, amount_minor bigint, card_id text, card_label text, invoices text[], reason text,
    rest_until bigint, is_left_out boolean)
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.* from duly.evaluate_members(p_definition, p_period, p_accounts) m
    where p_supplement = 0 or m.reason = '' or not exists (
        select from duly.run_items i join duly.process_runs r on r.id = i.run_id
        where i.account_id = m.account_id and r.definition_id = p_definition.id and r.kind = 'payment'
          and r.period = p_period and r.supplement < p_supplement)
$$;

-- The members of a run; with its supplements those of the whole month, each as the last run that took it says. Of whom a supplement
-- took again, the run before had asked for nothing.
create or replace function duly.counted_items(p_run_id text, p_is_month boolean) returns setof duly.run_items
language sql stable security definer set search_path = duly, pg_temp as $$
    with runs as materialized (
        select r.id, r.supplement from duly.process_runs b join duly.process_runs r
            on r.id = b.id or p_is_month and r.kind = b.kind and (r.definition_id, r.period) = (b.definition_id, b.period)
        where b.id = p_run_id
    )
    select i.* from runs join duly.run_items i on i.run_id = runs.id
    where not (coalesce(i.outcome in ('skipped', 'parked', 'released'), false) and exists (
        select from runs later join duly.run_items n on n.run_id = later.id
        where later.supplement > runs.supplement and n.account_id = i.account_id and n.member_id = i.member_id))
$$;

create or replace function duly.month_totals(p_run_id text)
returns table (outcome text, reason text, currency text, members bigint, amount_minor bigint, settled_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(outcome, 'to_do'), case when outcome in ('charged', 'billed') then '' else reason end, currency,
        count(*), sum(amount_minor)::bigint, sum(settled_minor)::bigint
    from duly.counted_items(p_run_id, true) group by 1, 2, 3 order by 1, 2, 3
$$;

-- What a supplement took again, as the certificates before it have it: with these taken away, certificates add up to the month.
create or replace function duly.taken_again(p_run duly.process_runs) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(to_jsonb(t) order by t.outcome, t.reason, t.currency), '[]') from (
        select e.outcome, e.reason, e.currency, count(*) as members, sum(e.amount_minor)::bigint as amount_minor
        from duly.run_items i
        cross join lateral (
            select o.* from duly.run_items o join duly.process_runs r on r.id = o.run_id
            where o.account_id = i.account_id and o.member_id = i.member_id and r.definition_id = p_run.definition_id
              and r.period = p_run.period and r.kind = p_run.kind and r.supplement < p_run.supplement
            order by r.supplement desc limit 1) e
        where i.run_id = p_run.id and e.outcome in ('skipped', 'parked', 'released')
        group by 1, 2, 3) t
$$;

-- Whether a run's members are fixed already, also when it has none.
create or replace function duly.is_frozen(p_definition_id text, p_kind text, p_period text, p_supplement integer) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.process_runs where definition_id = p_definition_id and kind = p_kind and period = p_period
        and supplement = p_supplement)
$$;

-- A run that has nobody to charge or bill closes its month all the same: only when that was asked for.
create or replace function duly.refuse_run_over_nobody(p_run_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_passed_over text;
begin
    if exists (select from duly.run_items where run_id = p_run_id and outcome is null) then return; end if;
    select string_agg(format('%s %s', t.members, t.reason), ', ' order by t.reason) into v_passed_over
    from (select reason, count(*) as members from duly.run_items where run_id = p_run_id group by reason) t;
    perform duly.refuse('somebody_is_due', format('%s is over nobody%s; over_nobody closes it all the same', p_run_id,
        coalesce(' (' || v_passed_over || ')', '')));
end $$;
