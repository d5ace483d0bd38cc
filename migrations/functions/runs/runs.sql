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

create or replace function duly.start_run(p_run_id text, p_definition_id text, p_kind text, p_period text)
returns duly.run_definitions language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions := duly.effective_definition(p_definition_id, p_kind);
    v_run duly.process_runs;
begin
    insert into duly.process_runs (id, definition_id, kind, period) values (p_run_id, p_definition_id, p_kind, p_period)
    on conflict (definition_id, period) where kind <> 'shadow' do nothing;
    select * into v_run from duly.process_runs
    where definition_id = p_definition_id and period = p_period and kind = p_kind for update;
    if v_run.state = 'completed' then
        perform duly.refuse('one_run_a_period', format('%s was run for %s and is closed', p_definition_id, p_period));
    end if;
    return v_definition;
end $$;

create or replace function duly.run_plan(p_run_id text, p_definition duly.run_definitions) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('run_id', p_run_id, 'provider', coalesce(p_definition.provider_id, ''),
        'shards', p_definition.shards, 'window', p_definition.window_size, 'page', p_definition.page_size,
        'members', r.members,
        'skipped', (select count(*) from duly.run_items i where i.run_id = p_run_id and i.outcome = 'skipped'),
        'due', (select coalesce(jsonb_object_agg(d.currency, d.amount_minor), '{}') from (
            select i.currency, sum(i.amount_minor) as amount_minor from duly.run_items i
            where i.run_id = p_run_id and i.outcome is distinct from 'skipped' group by i.currency) d))
    from duly.process_runs r where r.id = p_run_id
$$;

create or replace function duly.skip_reason(p_account duly.accounts, p_definition duly.run_definitions, p_card duly.cards,
    p_customer text, p_free bigint, p_minimum bigint, p_is_asked boolean)
returns text language sql stable as $$
    select case
        when p_account.state <> 'active' then 'account_' || p_account.state
        when p_free = 0 and p_is_asked then 'asked_in_period'
        when p_free = 0 then 'in_collection'
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
    ),
    marked as materialized (
        select i.*, x.free_minor, x.free_minor > 0 and u.id is null as is_free, x.free_minor > 0 and u.id is not null as is_asked
        from open_invoices i
        left join owned w on w.invoice_id = i.transaction_id
        left join asked u on u.id = i.transaction_id
        cross join lateral (select case when w.has_owner then 0
            else greatest(i.open_minor - coalesce(w.claimed_minor, 0), 0) end::bigint as free_minor) x
    ),
    free as (
        select i.*, row_number() over (partition by i.account_id order by i.sort_on, i.account_version) as place,
            count(*) over (partition by i.account_id) as of_all
        from marked i where i.is_free
    ),
    part as (
        select f.account_id, sum(f.free_minor) filter (where f.place <= duly.part_of(f.of_all))::bigint as free_minor,
            array_agg(f.transaction_id order by f.place) filter (where f.place <= duly.part_of(f.of_all)) as invoices,
            max(f.account_version) filter (where duly.part_of(f.of_all) < f.of_all) as rest_until
        from free f group by f.account_id
    ),
    owed as (
        select i.account_id, sum(i.open_minor)::bigint as amount_minor, bool_or(i.is_asked) as is_asked
        from marked i group by i.account_id
    ),
    judged as (
        select a.currency, owed.account_id, owed.amount_minor, coalesce(part.free_minor, 0) as free_minor, part.invoices,
            part.rest_until, card.id as card_id, card.brand || ' ' || card.last4 as card_label,
            duly.skip_reason(a, p_definition, card, g.customer_reference, coalesce(part.free_minor, 0), c.minimum_minor,
                owed.is_asked) as reason
        from owed
        left join part on part.account_id = owed.account_id
        join duly.accounts a on a.id = owed.account_id and a.kind = 'customer'
        left join duly.provider_currencies c on c.provider_id = p_definition.provider_id and c.currency = a.currency
        left join duly.gateway_customers g on g.provider_id = p_definition.provider_id and g.account_id = a.id
        left join lateral duly.chargeable_card(a.id, p_definition.provider_id) card on true
    )
    select j.account_id, j.currency, case when j.reason is null then duly.chargeable_part(j.free_minor, j.currency)
            when j.free_minor > 0 then j.free_minor else j.amount_minor end, j.card_id,
        coalesce(j.card_label, ''), case when j.reason is null then j.invoices else '{}' end, coalesce(j.reason, ''),
        case when j.reason is null then j.rest_until end
    from judged j
$$;

create or replace function duly.freeze_members(p_run_id text, p_definition duly.run_definitions, p_ends_on date, p_owns boolean)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    insert into duly.run_items (run_id, member_id, account_id, shard, currency, amount_minor, card_id, card_label,
        invoices, outcome, reason, finished_at, rest_until)
    select p_run_id, m.account_id, m.account_id, (hashtext(m.account_id) & 2147483647) % p_definition.shards, m.currency,
        m.amount_minor, m.card_id, m.card_label, case when p_owns then m.invoices else '{}' end,
        case when m.reason <> '' then 'skipped' end, m.reason, case when m.reason <> '' then now() end,
        case when p_owns then m.rest_until end
    from duly.judge_members(p_definition, p_ends_on) m;
    update duly.process_runs set members = (select count(*) from duly.run_items where run_id = p_run_id) where id = p_run_id;
    return duly.run_plan(p_run_id, p_definition);
end $$;

-- Fix who is in a run, once: everyone who owes something at the period's end, with the reason of those passed over.
create or replace function duly.freeze_payment_run(p_run_id text, p_definition_id text, p_period text, p_ends_on date)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions := duly.start_run(p_run_id, p_definition_id, 'payment', p_period);
begin
    if exists (select from duly.run_items where run_id = p_run_id) then
        return duly.run_plan(p_run_id, v_definition);
    end if;
    return duly.freeze_members(p_run_id, v_definition, p_ends_on, p_owns => true);
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

-- Close a run: one outcome a member, the same money as the ledger posted (rule certificate_adds_up), a seal over all.
create or replace function duly.certify_run(p_run_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_run duly.process_runs;
    v_ledger bigint;
    v_items bigint;
    v_seal text;
begin
    select * into strict v_run from duly.process_runs where id = p_run_id for update;
    if v_run.state = 'completed' then return v_run.certificate; end if;
    -- Who has no outcome by now is with a collection, which has no answer of the gateway yet.
    update duly.run_items set outcome = 'unknown', reason = 'no_answer_yet', finished_at = now()
    where run_id = p_run_id and outcome is null and v_run.kind <> 'billing';
    select coalesce(sum(settled_minor), 0), encode(sha256(convert_to(coalesce(string_agg(
        concat_ws('|', member_id, currency, amount_minor, settled_minor, outcome, reason, transaction_id), E'\n'
        order by member_id), ''), 'utf8')), 'hex')
    into v_items, v_seal from duly.run_items where run_id = p_run_id;
    select coalesce(sum(t.total_minor), 0) into v_ledger
    from duly.run_items i join duly.financial_transactions t on t.id = i.transaction_id
    where i.run_id = p_run_id and t.posted_at is not null;
    if (v_items <> v_ledger and v_run.kind <> 'shadow') or v_run.members <> (
        select count(*) from duly.run_items where run_id = p_run_id and outcome is not null) then
        perform duly.refuse('certificate_adds_up',
            format('run %s: its members come to %s, the ledger to %s', p_run_id, v_items, v_ledger));
    end if;
    update duly.process_runs set state = 'completed', completed_at = now(), certificate = jsonb_build_object(
        'run_id', p_run_id, 'definition_id', definition_id, 'period', period, 'members', members, 'sha256', v_seal,
        'is_aborted', is_aborted, 'decisions', to_jsonb(decisions),
        'comparison', case when kind = 'shadow' then duly.compare_with_baseline(p_run_id, baseline_id) end,
        'totals', (select coalesce(jsonb_agg(jsonb_build_object('outcome', outcome, 'reason', reason, 'currency', currency,
            'members', x.members, 'amount_minor', case when outcome in ('charged', 'billed') then settled_minor
            else amount_minor end) order by outcome, reason, currency), '[]') from duly.run_totals(p_run_id) x))
    where id = p_run_id returning * into v_run;
    return v_run.certificate;
end $$;
