-- Billing: what is due in a period, and its invoices with their outcome in one commit.

-- The billing day in the month that starts then; a day the month lacks is its last (F116).
create or replace function duly.anchor_on(p_starts_on date, p_billing_day integer) returns date language sql immutable as $$
    select p_starts_on + least(p_billing_day, extract(day from p_starts_on + interval '1 month' - interval '1 day')::int) - 1
$$;

-- Whether a month has to bill it: by day, when days up to the month's end are not billed or something has changed since; else
-- when its billing day lies within it.
create or replace function duly.is_due_in(s duly.subscriptions, p_starts_on date) returns boolean language sql stable as $$
    select case when s.by_day_from is null then duly.anchor_on(p_starts_on, s.billing_day) >= s.starts_on
            and (s.ends_on is null or duly.anchor_on(p_starts_on, s.billing_day) < s.ends_on)
        else s.version > s.billed_version and s.billed_until is not null
            or coalesce(s.billed_until, s.by_day_from) < p_starts_on + interval '1 month'
                and (s.ends_on is null or coalesce(s.billed_until, s.by_day_from) < s.ends_on) end
$$;

-- The subscriptions that are due in a period, and why some of them are not billed. In a supplement: those that the month's runs before
-- it did not have, and those that they could not bill and that can be billed now. A whole month that another run has
-- billed is that run's alone; what is billed by day knows itself up to when it is. By keyset: a page reads no more than its own.
create or replace function duly.due_subscriptions(p_definition duly.run_definitions, p_starts_on date, p_supplement integer,
    p_after text default '', p_limit integer default null)
returns table (id text, account_id text, currency text, net_minor bigint, reason text)
language sql stable security definer set search_path = duly, pg_temp as $$
    with runs as materialized (
        select r.id, r.definition_id = p_definition.id and r.supplement < p_supplement as is_before from duly.process_runs r
        where r.kind = 'billing' and r.period = to_char(p_starts_on, 'YYYY-MM')
          and not (r.definition_id = p_definition.id and r.supplement >= p_supplement)
    ),
    earlier as materialized (
        select i.member_id, bool_or(i.outcome = 'billed') as is_billed, bool_or(runs.is_before) as is_before
        from runs join duly.run_items i on i.run_id = runs.id group by i.member_id
    )
    select s.id, s.account_id, s.currency, s.price_minor * s.quantity, x.reason
    from duly.subscriptions s join duly.accounts a on a.id = s.account_id
    left join earlier e on e.member_id = s.id
    cross join lateral (select case when a.state = 'terminated' then 'account_terminated'
        when e.is_billed and s.by_day_from is null then 'billed_before' else '' end) x (reason)
    where s.id > p_after and duly.is_due_in(s, p_starts_on)
      and (cardinality(p_definition.currencies) = 0 or s.currency = any (p_definition.currencies))
      and (e.is_before is not true or x.reason = '')
    order by s.id limit p_limit
$$;

create or replace function duly.freeze_billing_run(p_run_id text, p_definition_id text, p_period text, p_starts_on date,
    p_supplement integer default 0, p_over_nobody boolean default true)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan
    set enable_nestloop = off
as $$
declare
    v_is_frozen boolean := duly.is_frozen(p_definition_id, 'billing', p_period, p_supplement);
    v_definition duly.run_definitions := duly.start_run(p_run_id, p_definition_id, 'billing', p_period, p_supplement);
begin
    if v_is_frozen or exists (select from duly.run_items where run_id = p_run_id) then
        return duly.run_plan(p_run_id, v_definition);
    end if;
    insert into duly.run_items (run_id, member_id, account_id, shard, currency, amount_minor, outcome, reason, finished_at)
    select p_run_id, s.id, s.account_id, 0, s.currency, s.net_minor,
        case when s.reason <> '' then 'skipped' end, s.reason, case when s.reason <> '' then now() end
    from duly.due_subscriptions(v_definition, p_starts_on, p_supplement) s;
    perform duly.keep_plan(p_run_id, coalesce(v_definition.shards, 1));
    if not p_over_nobody then
        perform duly.refuse_run_over_nobody(p_run_id);
    end if;
    return duly.run_plan(p_run_id, v_definition);
end $$;

-- A subscription as it is billed: by its row for a whole month, or by day.
create or replace function duly.billable(s duly.subscriptions) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select case when s.by_day_from is null then jsonb_build_object('id', s.id, 'account_id', s.account_id,
            'currency', s.currency, 'account_currency', a.currency, 'product_id', p.id, 'product_name', p.name,
            'price_minor', s.price_minor, 'quantity', s.quantity, 'billing_day', s.billing_day, 'tax_rate_id', t.id,
            'tax_percent', t.percent::text)
        else duly.subscription_to_bill(s) end
    from duly.accounts a
    join duly.products p on p.id = s.product_id
    left join duly.tax_rates t on t.id = p.tax_rate_id
    where a.id = s.account_id
$$;

-- What a billing run would bill, by keyset over subscriptions; nothing is written.
create or replace function duly.billing_dry_run_page(p_definition_id text, p_starts_on date, p_supplement integer, p_after text,
    p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    v_definition duly.run_definitions := duly.effective_definition(p_definition_id, 'billing');
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'account_id', d.account_id, 'currency', d.currency,
            'net_minor', d.net_minor, 'reason', d.reason, 'billable', duly.billable(s)) order by d.id), '[]')
        from duly.due_subscriptions(v_definition, p_starts_on, p_supplement, p_after, p_limit) d
        join duly.subscriptions s on s.id = d.id);
end $$;

-- What workers of 0.1.0 ask for. They cannot bill by day: a page with such a subscription waits for a worker that can, and
-- the SQLSTATE of something that is not supported makes them try again.
create or replace function duly.billing_page(p_run_id text, p_after text, p_limit integer)
returns table (id text, account_id text, currency text, account_currency text, product_id text, product_name text,
    price_minor bigint, quantity integer, billing_day smallint, tax_rate_id text, tax_percent numeric)
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    if exists (select from duly.members_to_bill(p_run_id, p_after, p_limit) s where s.by_day_from is not null) then
        raise exception using errcode = '0A000', message = 'a subscription is billed by day: a newer worker bills this page';
    end if;
    return query
        select s.id, s.account_id, s.currency, a.currency, p.id, p.name, s.price_minor, s.quantity, s.billing_day, t.id, t.percent
        from duly.members_to_bill(p_run_id, p_after, p_limit) s
        join duly.accounts a on a.id = s.account_id
        join duly.products p on p.id = s.product_id
        left join duly.tax_rates t on t.id = p.tax_rate_id order by s.id;
end $$;

create or replace function duly.members_to_bill(p_run_id text, p_after text, p_limit integer) returns setof duly.subscriptions
language sql stable security definer set search_path = duly, pg_temp as $$
    select s.* from (
        select i.member_id from duly.run_items i
        where i.run_id = p_run_id and i.shard = 0 and i.outcome is null and i.member_id > p_after
        order by i.member_id limit p_limit) m
    join duly.subscriptions s on s.id = m.member_id
$$;

-- The next members of a run, each as it is billed: by its row for a whole month, or by day.
create or replace function duly.subscriptions_to_bill(p_run_id text, p_after text, p_limit integer) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(duly.billable(s) order by s.id), '[]') from duly.members_to_bill(p_run_id, p_after, p_limit) s
$$;

-- Post the invoices of a page and note them on the run, in one commit: those of whole months.
create or replace function duly.bill_members(p_run_id text, p_batch jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_posted jsonb;
    v_billed integer;
    v_changed text;
begin
    -- Whoever makes it one that is billed by day waits for us, or we see it and work it out again.
    select s.id into v_changed from (
        select x.id, x.by_day_from from duly.subscriptions x
        where x.id in (select e ->> 'member_id' from jsonb_array_elements(p_batch) e) order by x.id for share) s
    where s.by_day_from is not null limit 1;
    if found then
        raise exception using errcode = '0A000', message = format('%s is billed by day since it was read', v_changed);
    end if;
    select jsonb_object_agg(b.key, b.transaction_id) into v_posted from duly.post_invoices(p_batch) b;
    -- A second statement: what the first one posted is visible only from here on. An invoice that another run has posted
    -- meanwhile is that run's.
    with finished as (
        update duly.run_items i
        set outcome = case when x.is_theirs then 'skipped' else 'billed' end,
            reason = case when x.is_theirs then 'billed_before' else '' end,
            transaction_id = case when not x.is_theirs then t.id end,
            settled_minor = case when x.is_theirs then 0 else t.total_minor end, finished_at = now()
        from jsonb_array_elements(p_batch) e
        join duly.financial_transactions t on t.id = v_posted ->> (e ->> 'key')
        cross join lateral (select exists (select from duly.run_items o where o.account_id = t.account_id
            and o.transaction_id = t.id and o.run_id <> p_run_id) as is_theirs) x
        where i.run_id = p_run_id and i.member_id = e ->> 'member_id' and i.outcome is null
        returning i.outcome
    )
    select count(*) filter (where f.outcome = 'billed') into v_billed from finished f;
    return v_billed;
end $$;

-- Post what subscriptions that are billed by day come to, note it on the run and on them, in one commit; the number of those
-- that have a document. When one was changed or billed since it was read, all is worked out again: the SQLSTATE says so.
create or replace function duly.bill_by_day(p_run_id text, p_batch jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
    v_invoices jsonb := jsonb_path_query_array(p_batch, '$[*].invoice ? (@ != null)');
    v_notes jsonb := jsonb_path_query_array(p_batch, '$[*].credit_note ? (@ != null)');
    v_changed text;
    v_billed integer;
begin
    perform from duly.subscriptions s
    where s.id in (select e ->> 'member_id' from jsonb_array_elements(p_batch) e) order by s.id for no key update;
    select s.id into v_changed from jsonb_array_elements(p_batch) e join duly.subscriptions s on s.id = e ->> 'member_id'
    where s.version <> (e ->> 'version')::int or s.billings <> (e ->> 'billings')::int limit 1;
    if found then
        raise exception using errcode = '40001', message = format('%s was changed since it was read', v_changed);
    end if;
    perform duly.lock_accounts(array(select e ->> 'account_id' from jsonb_array_elements(v_invoices || v_notes) e));
    if v_invoices <> '[]' then perform duly.write_documents('invoice', v_invoices, false); end if;
    if v_notes <> '[]' then perform duly.write_documents('credit_note', v_notes, false); end if;
    update duly.run_items i
    set outcome = case when coalesce(d.id, n.id) is null then 'skipped' else 'billed' end,
        reason = case when coalesce(d.id, n.id) is null then e ->> 'reason' else '' end,
        amount_minor = coalesce(x.net_minor, 0), transaction_id = d.id, credit_note_id = n.id,
        settled_minor = coalesce(d.total_minor, 0) - coalesce(n.total_minor, 0), finished_at = now()
    from jsonb_array_elements(p_batch) e
    left join duly.financial_transactions d on d.idempotency_key = e -> 'invoice' ->> 'key'
    left join duly.financial_transactions n on n.idempotency_key = e -> 'credit_note' ->> 'key'
    left join lateral (select sum(l.net_minor)::bigint as net_minor from duly.transaction_lines l where l.transaction_id = d.id) x on true
    where i.run_id = p_run_id and i.member_id = e ->> 'member_id' and i.outcome is null;
    update duly.subscriptions s set billed_until = (e ->> 'billed_until')::date, billed_version = s.version, billings = s.billings + 1
    from jsonb_array_elements(p_batch) e where s.id = e ->> 'member_id';
    select count(*) into v_billed from duly.run_items i
    where i.run_id = p_run_id and i.outcome = 'billed' and i.member_id in (select e ->> 'member_id' from jsonb_array_elements(p_batch) e);
    return v_billed;
end $$;

create or replace function duly.park_member(p_run_id text, p_member_id text, p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.finish_run_item(p_run_id, p_member_id, 'parked', p_reason)
$$;

-- A billing run's totals by their names. What was billed has a tax and a total; of the rest there is the net price alone.
create or replace function duly.billed_totals(p_run_id text, p_is_month boolean default false)
returns table (outcome text, reason text, currency text, members bigint, amount_minor bigint, settled_minor bigint,
    net_minor bigint, tax_minor bigint, total_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(i.outcome, 'to_do'), case when i.outcome = 'billed' then '' else i.reason end, i.currency, count(*),
        sum(i.amount_minor)::bigint, sum(i.settled_minor)::bigint, sum(coalesce(l.net_minor, i.amount_minor))::bigint, sum(l.tax_minor)::bigint,
        sum(case when i.outcome = 'billed' then i.settled_minor end)::bigint
    from duly.counted_items(p_run_id, p_is_month) i
    left join lateral (
        select sum(case when t.transaction_id = i.transaction_id then t.net_minor else -t.net_minor end) as net_minor,
            sum(case when t.transaction_id = i.transaction_id then t.tax_minor else -t.tax_minor end) as tax_minor
        from duly.transaction_lines t where t.transaction_id in (i.transaction_id, i.credit_note_id)) l on i.outcome = 'billed'
    group by 1, 2, 3 order by 1, 2, 3
$$;
