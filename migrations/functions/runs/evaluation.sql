-- Who owes something at a period's end, and what becomes of each in a run.

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
        when p_card.id is null then duly.why_no_card(p_account.id, p_definition.provider_id)
        when p_customer is null then 'no_gateway_customer'
    end
$$;

-- Everyone who owes something at a period's end: how much, on which card, and why not. Real, dry and shadow runs ask
-- it. What others collect is theirs, and what was asked for in the month already is not asked for again. Of more than one
-- receivable holds, the oldest come first; `rest_until` says up to which posting more is left. The amount is what is charged:
-- of who is passed over, what is open. The invoices are those that are charged, or that a wallet could pay of who has no card or owes too
-- little for the gateway. Whom the definition's criteria leave out is no member, and the reason is said.
create or replace function duly.evaluate_members(p_definition duly.run_definitions, p_period text, p_accounts text[] default null)
returns table (account_id text, currency text, amount_minor bigint, card_id text, card_label text, invoices text[], reason text,
    rest_until bigint, is_left_out boolean)
language sql stable security definer set search_path = duly, pg_temp as $$
    with open_invoices as materialized (
        select o.account_id, o.transaction_id, o.amount_minor - o.allocated_minor as open_minor, o.sort_on, o.account_version,
            coalesce(t.due_on <= (p_definition.criteria ->> 'due_by')::date, true) as is_due
        from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
        where o.side = 'debit' and o.allocated_minor < o.amount_minor and t.classification = 'invoice'
          and (t.issued_on < (select p.ends_on from duly.days_of_period(p_period) p) or p_definition.criteria ? 'wallet_top_ups')
          and (p_accounts is null or o.account_id = any (p_accounts))
          -- A top-up that is not in the wallet yet is asked for by the runs that top up, and by no other.
          and (o.transaction_id in (select u.invoice_id from duly.wallet_top_ups u where u.state = 'requested'))
            = (p_definition.criteria ? 'wallet_top_ups')
    ),
    owned as materialized (
        select w.invoice_id, coalesce(sum(w.amount_minor), 0) as claimed_minor, bool_or(w.amount_minor is null) as has_owner
        from duly.owned_invoices w where p_accounts is null or w.account_id = any (p_accounts) group by w.invoice_id
    ),
    asked as materialized (
        select distinct u.id from (select distinct account_id from open_invoices) a
        join duly.gateway_requests r on r.account_id = a.account_id and r.kind = 'payment'
            and r.period >= duly.month_of_period(p_period) and r.period < duly.month_of_period(p_period) || '~'
        cross join unnest(r.invoices) u (id)
        -- Who asked for an amount leaves the rest to the run.
        where not exists (select from duly.collections c
            where c.account_id = r.account_id and c.period = r.period and c.asked_minor is not null)
          -- So does what a person has ordered beside it: declined or not, the month is the run's.
          and not exists (select from duly.payment_orders o where o.account_id = r.account_id and o.period = r.period)
          and not exists (select from duly.payment_requests q where q.account_id = r.account_id and q.period = r.period)
    ),
    marked as materialized (
        select i.*, x.free_minor, x.free_minor > 0 and u.id is null and i.is_due as is_free,
            x.free_minor > 0 and u.id is not null as is_asked, x.free_minor > 0 and u.id is null and not i.is_due as is_later
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
            bool_or(p.is_later) as is_later,
            coalesce(sum(p.free_minor) filter (where p.is_free and p.place <= x.most), 0)::bigint as free_minor,
            array_agg(p.transaction_id order by p.place) filter (where p.is_free and p.place <= x.most) as invoices,
            -- What is not due yet may be older than the rest of what is: the next run has that rest.
            max(p.account_version) filter (where p.is_free and x.most < p.of_all and not p_definition.criteria ? 'due_by') as rest_until
        from placed p cross join lateral (select duly.part_of(p.of_all) as most) x group by p.account_id
    ),
    judged as (
        select a.currency, owed.account_id, owed.amount_minor, owed.free_minor, owed.invoices,
            owed.rest_until, card.id as card_id, card.brand || ' ' || card.last4 as card_label,
            -- Whose wallet pays first pays what it lacks by the card: either method is theirs.
            duly.left_out_because(p_definition.criteria, a, case when w.ledger_account = 'wallet_clearing'
                and not coalesce(p_definition.criteria -> 'payment_methods' ? f.payment_method_id, true) then k.payment_method_id
                else coalesce(f.payment_method_id, k.payment_method_id) end, owed.free_minor, owed.is_later) as left_out,
            coalesce(b.reason, duly.skip_reason(a, p_definition, card, g.customer_reference, owed.free_minor, c.minimum_minor,
                owed.is_asked, coalesce(case when h.provider_id is null and w.ledger_account is distinct from 'wallet_clearing'
                    then f.payment_method_id end, t.provider_id))) as reason
        from owed
        join duly.accounts a on a.id = owed.account_id and a.kind = 'customer'
        left join duly.provider_currencies c on c.provider_id = p_definition.provider_id and c.currency = a.currency
        left join duly.gateway_customers g on g.provider_id = p_definition.provider_id and g.account_id = a.id
        left join duly.payment_preferences f on f.account_id = a.id and f.is_default
        left join duly.payment_methods w on w.id = f.payment_method_id
        left join duly.provider_methods h on h.payment_method_id = f.payment_method_id and h.provider_id = p_definition.provider_id
        left join lateral duly.chargeable_card(a.id, p_definition.provider_id) card on true
        left join duly.payment_preferences k on k.id = card.preference_id
        left join duly.blocked_accounts(p_accounts) b on b.account_id = a.id
        -- Who pays for a merchant pays through its platform.
        left join duly.merchant_payers y on y.account_id = a.id and y.ended_at is null
        left join duly.merchant_connections t on t.merchant_id = y.merchant_id and t.provider_id <> p_definition.provider_id
    ),
    explained as (
        select j.*, coalesce(j.left_out, j.reason) as why from judged j
    )
    select j.account_id, j.currency, case when j.why is null then duly.chargeable_part(j.free_minor, j.currency)
            when j.free_minor > 0 then j.free_minor else j.amount_minor end, j.card_id,
        coalesce(j.card_label, ''), case when j.why is null or j.left_out is null and j.why in ('no_card', 'card_blocked', 'no_gateway_customer', 'below_minimum',
            'amount_not_in_steps') then j.invoices else '{}' end, coalesce(j.why, ''),
        case when j.why is null then j.rest_until end, j.left_out is not null
    from explained j
$$;

-- All accounts at once. Right after a month was billed, or a database restored, nobody has counted its rows: a plan that walks
-- through one table for each row of another would take days.
create or replace function duly.freeze_members(p_run_id text, p_definition duly.run_definitions, p_period text, p_owns boolean,
    p_supplement integer default 0)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan
    set enable_nestloop = off
as $$
declare
    v_definition duly.run_definitions := duly.criteria_in_period(p_definition, p_period);
    v_left_out jsonb;
begin
    with judged as (
        select * from duly.members_of_month(v_definition, p_period, p_supplement)
    ),
    members as (
        insert into duly.run_items (run_id, member_id, account_id, shard, currency, amount_minor, card_id, card_label,
            invoices, outcome, reason, finished_at, rest_until)
        select p_run_id, m.account_id, m.account_id, (hashtext(m.account_id) & 2147483647) % p_definition.shards, m.currency,
            m.amount_minor, m.card_id, m.card_label, case when p_owns and m.reason = '' then m.invoices else '{}' end,
            case when m.reason <> '' then 'skipped' end, m.reason, case when m.reason <> '' then now() end,
            case when p_owns then m.rest_until end
        from judged m where not m.is_left_out
    )
    select coalesce(jsonb_agg(to_jsonb(x)), '[]') into v_left_out from (
        select reason, currency, count(*) as accounts, sum(amount_minor)::bigint as amount_minor from judged
        where is_left_out group by reason, currency order by reason, currency) x;
    update duly.process_runs set criteria = v_definition.criteria, left_out = v_left_out
    where id = p_run_id and v_definition.criteria <> '{}';
    perform duly.keep_plan(p_run_id, p_definition.shards);
    return duly.run_plan(p_run_id, p_definition);
end $$;
