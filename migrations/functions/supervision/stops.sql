-- Workflows that were stopped, and the business objects that are open and must have one.

-- What becomes of an open object whose workflow was stopped: `resume` it now, `wait` until `p_left_alone` has passed since a
-- person ended it, or `ask` a person, from the fourth time within a day on.
create or replace function duly.next_step_after(p_workflow_id text, p_execution text, p_how text, p_actor text default '',
    p_reason text default '', p_stopped_at timestamptz default null, p_left_alone interval default '1 hour')
returns text language sql stable security definer set search_path = duly, pg_temp as $$
    select case
        when (select count(*) from duly.workflow_stops s where s.workflow_id = p_workflow_id and s.how not in ('cancel_asked', 'restored')
                and s.execution <> p_execution and s.stopped_at > now() - interval '1 day') >= 3 then 'ask'
        when p_how in ('terminated', 'canceled') and coalesce(p_stopped_at, now()) > now() - p_left_alone then 'wait'
        else 'resume'
    end
$$;

-- Keep that a workflow was stopped, once, and say what becomes of what it looked after.
create or replace function duly.note_stop(p_workflow_id text, p_execution text, p_how text, p_actor text default '',
    p_reason text default '', p_stopped_at timestamptz default null, p_left_alone interval default '1 hour')
returns text language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.workflow_stops (workflow_id, execution, how, actor, reason, stopped_at)
    values (p_workflow_id, p_execution, p_how, p_actor, p_reason, coalesce(p_stopped_at, now()))
    on conflict (workflow_id, execution, how) do update set reason = excluded.reason;
    select duly.next_step_after(p_workflow_id, p_execution, p_how, p_actor, p_reason, p_stopped_at, p_left_alone)
$$;

-- What becomes of each object of a page of stops: `rows` as `duly.note_stop` takes one.
create or replace function duly.next_steps_after(p_stops jsonb, p_left_alone interval default '1 hour')
returns table (workflow_id text, next_step text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select s.workflow_id,
        duly.next_step_after(s.workflow_id, s.execution, s.how, s.actor, s.reason, s.stopped_at, p_left_alone)
    from jsonb_to_recordset(p_stops -> 'rows') s (workflow_id text, execution text, how text, actor text, reason text,
        stopped_at timestamptz)
$$;

-- Keep a page of stops, each once, and say what becomes of what they looked after.
create or replace function duly.note_stops(p_stops jsonb, p_left_alone interval default '1 hour')
returns table (workflow_id text, next_step text)
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.workflow_stops (workflow_id, execution, how, actor, reason, stopped_at)
    select distinct on (s.workflow_id, s.execution, s.how)
        s.workflow_id, s.execution, s.how, s.actor, s.reason, coalesce(s.stopped_at, now())
    from jsonb_to_recordset(p_stops -> 'rows') s (workflow_id text, execution text, how text, actor text, reason text,
        stopped_at timestamptz)
    order by s.workflow_id, s.execution, s.how
    on conflict (workflow_id, execution, how) do update set reason = excluded.reason;
    select * from duly.next_steps_after(p_stops, p_left_alone)
$$;

-- Keep that what was stopped goes on, and in whose name where a person wants it.
create or replace function duly.note_resumptions(p_workflow_ids text[], p_actor text default '', p_reason text default '')
returns void language sql security definer set search_path = duly, pg_temp as $$
    update duly.workflow_stops set resumed_at = now(), reason = reason
        || case when p_actor = '' then '' else format(' [resumed by %s: %s]', p_actor, p_reason) end
    where workflow_id = any (p_workflow_ids) and resumed_at is null and how <> 'cancel_asked'
$$;

-- A page of what is open and must have a workflow, in the order of its key. `at_least` keeps out what is so young that
-- whoever wrote the row may just be about to start its workflow.
create or replace function duly.open_objects(p_kind text, p_after text[], p_limit integer,
    p_at_least interval default '15 minutes')
returns table (key text[], provider text, run_id text, account_id text)
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_first text := coalesce(p_after[1], '');
    v_second text := coalesce(p_after[2], '');
begin
    case p_kind
    when 'collection' then return query
        select array[c.account_id, c.period], c.provider_id, coalesce(c.run_id, ''), c.account_id
        from duly.collections c
        where c.closed_at is null and c.opened_at < now() - p_at_least and (c.account_id, c.period) > (v_first, v_second)
          and not exists (select from duly.payment_requests q where q.account_id = c.account_id and q.period = c.period)
        order by c.account_id, c.period limit p_limit;
    when 'payment_request' then return query
        select array[q.id], q.provider_id, '', q.account_id from duly.payment_requests q
        where q.closed_at is null and q.created_at < now() - p_at_least and q.id > v_first
        order by q.id limit p_limit;
    when 'hand_over' then return query
        -- A first attempt was made, and whoever should go on with it never started.
        select array[r.account_id, r.period], r.provider_id, coalesce(r.run_id, ''), r.account_id
        from duly.gateway_requests r
        where r.state in ('pending', 'under_processing', 'unknown') and r.kind = 'payment'
          and r.created_at < now() - p_at_least and (r.account_id, r.period) > (v_first, v_second)
          and not exists (select from duly.collections c where c.account_id = r.account_id and c.period = r.period)
        order by r.account_id, r.period limit p_limit;
    when 'waiting_member' then return query
        -- No attempt could be made (no card, a provider that was not effective), and no collection was started.
        select array[i.account_id, i.run_id, coalesce(nullif(i.receivable, ''), duly.month_of_period(p.period))], coalesce(d.provider_id, ''),
            i.run_id, i.account_id
        from duly.run_items i join duly.process_runs p on p.id = i.run_id
        join duly.run_definitions d on d.id = p.definition_id
        where i.outcome in ('in_dunning', 'unknown') and p.kind = 'payment' and p.state <> 'running'
          and (i.account_id, i.run_id) > (v_first, v_second)
          and not exists (select from duly.collections c
              where c.account_id = i.account_id and c.period = coalesce(nullif(i.receivable, ''), duly.month_of_period(p.period)))
          and not exists (select from duly.gateway_requests r where r.account_id = i.account_id
              and r.period = coalesce(nullif(i.receivable, ''), duly.month_of_period(p.period)) and r.kind = 'payment')
          and duly.owed_on(i.invoices) > 0
        order by i.account_id, i.run_id limit p_limit;
    when 'refund' then return query
        select array[r.id], r.provider_id, '', r.account_id
        from duly.gateway_requests r
        where r.kind in ('refund', 'payment_cancellation')
          and (r.state in ('pending', 'under_processing', 'unknown')
              or r.state = 'posted' and r.executed_at > now() - make_interval(days =>
                  (select f.watch_days from duly.refund_rules f)))
          and r.state in ('pending', 'under_processing', 'unknown', 'posted')
          and r.created_at < now() - p_at_least and r.id > v_first
        order by r.id limit p_limit;
    when 'reduction' then return query
        select array[d.award_id], coalesce(duly.provider_of_reduction(d), ''), '', d.account_id
        from duly.reductions d
        where d.closed_at is null and d.awarded_at < now() - p_at_least and d.award_id > v_first
        order by d.award_id limit p_limit;
    when 'dispute' then return query
        -- One that an event told of and that was stopped before its first reading has no row: the event stands for it, for as
        -- long as a round of the reconciliation, which lists the gateway's own disputes, may be away.
        select distinct on (o.id) array[o.id], o.provider, '', o.account from (
            select d.id, d.provider_id as provider, d.account_id as account from duly.disputes d
            where d.closed_at is null and d.opened_at < now() - p_at_least
            union
            select e.object_id, e.provider_id, r.account_id from duly.gateway_events e
            join duly.gateway_requests r on r.provider_id = e.provider_id and r.kind = 'payment' and r.gateway_reference = any (e.mentions)
            where e.subject = 'dispute' and e.delivered_at between now() - interval '7 days' and now() - p_at_least
              and not exists (select from duly.disputes d where d.id = e.object_id)
        ) o (id, provider, account)
        where o.id > v_first order by o.id, o.account limit p_limit;
    when 'card' then return query
        select array[c.id], c.provider_id, '', c.account_id from duly.cards c
        where c.state not in ('rejected', 'replaced', 'removed') and c.created_at < now() - p_at_least and c.id > v_first
        order by c.id limit p_limit;
    when 'merchant_connection' then return query
        select array[c.merchant_id], c.provider_id, '', '' from duly.merchant_connections c
        where c.closed_at is null and c.created_at < now() - p_at_least and c.merchant_id > v_first
        order by c.merchant_id limit p_limit;
    when 'run' then return query
        select array[p.id, p.kind, p.definition_id, p.period, p.supplement::text], coalesce(d.provider_id, ''), p.id, ''
        from duly.process_runs p join duly.run_definitions d on d.id = p.definition_id
        where p.state = 'running' and p.kind <> 'shadow' and p.started_at < now() - p_at_least and p.id > v_first
        order by p.id limit p_limit;
    when 'shard' then return query
        -- Each shard of a run that still has members to do; the run itself is compared before it.
        select array[p.id, lpad(s.shard::text, 3, '0'), p.kind, p.definition_id, p.period, p.supplement::text],
            coalesce(d.provider_id, ''), p.id, ''
        from duly.process_runs p join duly.run_definitions d on d.id = p.definition_id
        cross join lateral generate_series(0, 63) s (shard)
        where p.state = 'running' and p.kind = 'payment' and p.started_at < now() - p_at_least
          and (p.id, lpad(s.shard::text, 3, '0')) > (v_first, v_second)
          and exists (select from duly.run_items i where i.run_id = p.id and i.shard = s.shard and i.outcome is null)
        order by 1 limit p_limit;
    when 'event' then return query
        -- Whoever should have delivered them is not at work: a sweep delivers all that wait for a provider.
        select array[e.id], e.id, '', '' from duly.providers e
        where e.id > v_first and exists (select from duly.gateway_events w where w.provider_id = e.id and w.state = 'waiting'
            and w.next_try_at < now() - p_at_least)
        order by e.id limit p_limit;
    when 'refund_run' then return query
        select array[f.id, to_char(f.day, 'YYYY-MM-DD')], f.provider_id, f.id, '' from duly.refund_runs f
        where f.completed_at is null and f.started_at < now() - p_at_least and f.id > v_first
        order by f.id limit p_limit;
    when 'bank_refunds' then return query
        select array[b.period], '', '', '' from duly.bank_refund_months b
        where b.state = 'waiting' and b.drafted_at < now() - p_at_least and b.period > v_first
        order by b.period limit p_limit;
    when 'message' then return query
        -- All that is left in the outbox is one mailing's.
        select array[to_char(date_trunc('hour', now() at time zone 'UTC'), 'YYYY-MM-DD"T"HH24')], '', '', ''
        where v_first = '' and exists (select from duly.messages m
            where m.state = 'pending' and m.queued_at < now() - greatest(p_at_least, interval '1 hour'));
    else
        perform duly.refuse('kind_exists', format('there is no kind of object %L', p_kind));
    end case;
end $$;
