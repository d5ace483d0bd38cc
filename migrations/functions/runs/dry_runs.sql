-- Dry runs and shadow runs: what a run would do. Nothing here touches an invoice, a request, a collection or the ledger.
-- They judge a few accounts where a run judges all: plans are made for the accounts at hand, for a general one reads all.

-- Who would be charged, and why others are passed over or held, by keyset over accounts; an empty `after` is the end. `counted` is the last
-- page's: what the members before come to.
create or replace function duly.dry_run_page(p_definition_id text, p_ends_on date, p_after text, p_limit integer,
    p_supplement integer default 0, p_period text default null, p_counted jsonb default '{}') returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp
set plan_cache_mode = force_custom_plan as $$
declare
    -- Release 0.1.0 says when a month ends, and not which period it is.
    v_period text := coalesce(p_period, to_char(p_ends_on - 1, 'YYYY-MM'));
    v_definition duly.run_definitions := duly.criteria_in_period(duly.effective_definition(p_definition_id, 'payment'), v_period);
    v_accounts text[];
begin
    if v_definition.criteria ? 'wallet_top_ups' then
        return duly.top_up_dry_run_page(v_definition, v_period, p_supplement, p_after, p_limit, p_counted);
    end if;
    select array_agg(x.id) into v_accounts from (
        select a.id from duly.accounts a
        where a.kind = 'customer' and a.id > p_after and exists (
            select from duly.open_items o
            where o.account_id = a.id and o.side = 'debit' and o.allocated_minor < o.amount_minor)
        order by a.id limit p_limit) x;
    return jsonb_build_object(
        'after', coalesce(v_accounts[cardinality(v_accounts)], ''), 'criteria', v_definition.criteria)
        || duly.with_foreseen_holds((
            select coalesce(jsonb_agg(jsonb_build_object('account_id', m.account_id, 'currency', m.currency,
                'amount_minor', case when s.share_minor = 0 then m.amount_minor
                    when m.reason = '' and x.uncharged is null then duly.chargeable_part(s.owed_minor - s.share_minor, m.currency)
                    else s.owed_minor - s.share_minor end, 'card', m.card_label,
                'reason', case when s.share_minor = 0 and m.reason <> '' then m.reason when s.share_minor > 0 and s.share_minor = s.owed_minor then 'paid_from_wallet'
                    when m.reason = '' then coalesce(case when s.share_minor > 0 then x.uncharged end,
                        case when duly.why_no_destination(m.account_id, v_definition.provider_id) <> '' then 'merchant_not_effective' else '' end)
                    else m.reason end, 'from_wallet_minor', s.share_minor,
                'is_left_out', m.is_left_out, 'card_id', m.card_id) order by m.account_id), '[]')
            from duly.members_of_month(v_definition, v_period, p_supplement, coalesce(v_accounts, '{}')) m
            left join duly.wallet_shares(v_definition, v_period, p_supplement, coalesce(v_accounts, '{}')) w on w.account_id = m.account_id
            left join duly.provider_currencies c on c.provider_id = v_definition.provider_id and c.currency = m.currency
            cross join lateral (values (coalesce(w.amount_minor, 0), case when w.amount_minor is null then m.amount_minor
                else duly.owed_to_wallet(m.account_id, m.currency, m.amount_minor, w.invoices) end)) s (share_minor, owed_minor)
            cross join lateral (values (duly.uncharged_because(s.owed_minor - s.share_minor, m.currency, c.minimum_minor))) x (uncharged)),
            v_definition.provider_id, v_period, p_counted);
end $$;

-- Fix who is in a shadow run. Its members own no invoice, so nothing can be charged through them.
create or replace function duly.freeze_shadow_run(p_run_id text, p_definition_id text, p_period text, p_ends_on date,
    p_execution text, p_shards integer default null, p_window integer default null)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions := duly.definition_at_rate(
        duly.effective_definition(p_definition_id, 'payment'), p_shards, p_window);
begin
    if exists (select from duly.process_runs where id = p_run_id and execution = p_execution) then
        return duly.run_plan(p_run_id, v_definition);
    end if;
    -- A shadow may be cast again; the new one replaces the old.
    delete from duly.run_items where run_id = p_run_id;
    delete from duly.process_runs where id = p_run_id and kind = 'shadow';
    insert into duly.process_runs (id, definition_id, kind, period, execution, baseline_id)
    values (p_run_id, p_definition_id, 'shadow', p_period, p_execution, (
        select r.id from duly.process_runs r
        where r.definition_id = p_definition_id and r.kind = 'payment' and r.state = 'completed' and r.supplement = 0
        order by r.period desc limit 1));
    perform duly.make_partition(p_run_id);
    return duly.freeze_members(p_run_id, v_definition, p_period, p_owns => false);
end $$;

-- Judge a member again, as an attempt does, and let a gateway that does nothing approve it.
create or replace function duly.shadow_collect(p_run_id text, p_account_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp
set plan_cache_mode = force_custom_plan as $$
declare
    v_run duly.process_runs;
    v_definition duly.run_definitions;
    v_member record;
    v_account duly.accounts;
begin
    select * into strict v_run from duly.process_runs where id = p_run_id and kind = 'shadow';
    select * into strict v_definition from duly.run_definitions where id = v_run.definition_id;
    v_definition.criteria := v_run.criteria;
    select * into v_member from duly.evaluate_members(v_definition, v_run.period, array[p_account_id]);
    if v_member.account_id is null or v_member.reason <> '' then
        perform duly.finish_run_item(p_run_id, p_account_id, 'skipped', coalesce(v_member.reason, 'nothing_owed'));
        return duly.collect_result('nothing_owed', null, null, coalesce(v_member.reason, ''));
    end if;
    if duly.why_no_destination(p_account_id, v_definition.provider_id) <> '' then
        perform duly.finish_run_item(p_run_id, p_account_id, 'skipped', 'merchant_not_effective');
        return duly.collect_result('provider_not_effective', null, null, 'merchant_not_effective');
    end if;
    if not duly.holds_nothing() then
        select * into v_account from duly.accounts where id = p_account_id;
        if duly.foreseen_hold(v_account, duly.chargeable_card(p_account_id, v_definition.provider_id, coalesce(v_member.card_id, '')),
            v_run.period, v_definition.provider_id, v_member.amount_minor) is not null then
            perform duly.finish_run_item(p_run_id, p_account_id, 'in_dunning', 'held_by_rule');
            return duly.collect_result('provider_not_effective', null, null, 'held_by_rule');
        end if;
    end if;
    perform duly.finish_run_item(p_run_id, p_account_id, 'charged', '', v_member.amount_minor);
    return duly.collect_result('settled', null, null)
        || jsonb_build_object('amount_minor', v_member.amount_minor, 'currency', v_member.currency);
end $$;

create or replace function duly.differences(p_run_id text, p_baseline_id text)
returns table (account_id text, difference text, currency text, amount_minor bigint, card text,
    before_currency text, before_minor bigint, before_card text)
language sql stable as $$
    select member_id,
        case when b.currency is null then 'new' when s.currency is null then 'gone'
            when (s.amount_minor, s.currency) = (b.amount_minor, b.currency) then
                case when s.card_id = b.card_id then 'same' else 'card' end
            else case when s.card_id = b.card_id then 'amount' else 'amount_and_card' end end,
        s.currency, s.amount_minor, s.card_label, b.currency, b.amount_minor, b.card_label
    from (select * from duly.run_items where run_id = p_run_id and outcome = 'charged') s
    full join (
        -- The month as its run and its supplements left it: who was charged twice counts with both.
        select c.member_id, max(c.currency) as currency, sum(c.amount_minor)::bigint as amount_minor,
            (array_agg(c.card_id order by c.run_id desc))[1] as card_id, (array_agg(c.card_label order by c.run_id desc))[1] as card_label
        from duly.counted_items(p_baseline_id, true) c where c.outcome <> 'skipped' group by c.member_id) b using (member_id)
$$;

create or replace function duly.compare_with_baseline(p_run_id text, p_baseline_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('baseline_id', coalesce(p_baseline_id, ''), 'members', coalesce(jsonb_object_agg(d.difference, d.members), '{}'))
    from (select difference, count(*) as members from duly.differences(p_run_id, p_baseline_id) group by difference) d
$$;

-- In what a shadow run differs from the last certified run: who is new or gone, whose amount or card has changed.
create or replace function duly.shadow_differences(p_run_id text, p_after text, p_limit integer)
returns table (account_id text, difference text, reason text, currency text, amount_minor bigint, card text,
    before_currency text, before_minor bigint, before_card text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select d.account_id, d.difference,
        case when d.difference = 'gone' then coalesce(i.reason, 'owes_nothing') else '' end,
        d.currency, d.amount_minor, d.card, d.before_currency, d.before_minor, d.before_card
    from duly.process_runs r
    cross join lateral duly.differences(r.id, r.baseline_id) d
    left join duly.run_items i on i.run_id = r.id and i.member_id = d.account_id
    where r.id = p_run_id and r.kind = 'shadow' and d.difference <> 'same' and d.account_id > p_after
    order by d.account_id limit p_limit
$$;
