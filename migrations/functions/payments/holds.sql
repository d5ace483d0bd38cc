-- Holds: a charge that a rule of the configuration names waits before anything of it is written or sent, until a person has released it, for
-- this amount of this receivable, whatever becomes of the rule; or, where too much was charged within a time, until that time is over.

-- Whether nobody has to look for holds: no rule is in force, and nothing that was held waits.
create or replace function duly.holds_nothing() returns boolean language sql stable as $$
    select not exists (select from duly.charge_rules where is_active) and not exists (select from duly.charge_holds where released_at is null)
$$;

-- Why a rule holds a charge, with the figures that it compared, and when it is over by itself; null: it does not. It writes nothing and
-- takes no lock, so that dry runs see the same.
create or replace function duly.held_because(r duly.charge_rules, p_account duly.accounts, p_provider_id text, p_card duly.cards, p_owed bigint,
    p_before jsonb default null)
returns jsonb language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_usual numeric;
    v_payments bigint;
    v_key text;
begin
    if p_owed > r.above_minor then
        return jsonb_build_object('because', 'above', 'figures', jsonb_build_object('limit_minor', r.above_minor));
    elsif r.first_above_minor is not null or r.times_median is not null then
        select percentile_cont(0.5) within group (order by x.amount_minor), count(*) into v_usual, v_payments from (
            select q.amount_minor from duly.gateway_requests q
            where q.account_id = p_account.id and q.kind = 'payment' and q.state = 'posted' and q.currency = p_account.currency
            order by q.executed_at desc limit r.of_payments) x;
        if v_payments = 0 and p_owed > r.first_above_minor then
            return jsonb_build_object('because', 'first_above', 'figures', jsonb_build_object('limit_minor', r.first_above_minor));
        elsif v_payments >= r.payments_min and p_owed > r.times_median * v_usual then
            return jsonb_build_object('because', 'times_median', 'figures', jsonb_build_object('limit_minor',
                floor(r.times_median * v_usual)::bigint, 'times', r.times_median, 'median_minor', round(v_usual)::bigint, 'payments', v_payments));
        end if;
    end if;
    if r.per is null then return null; end if;
    v_key := duly.counted_key(r, p_account, p_provider_id, p_card);
    return case when v_key is not null
        then duly.too_fast(r, p_account, p_card, v_key, p_owed, p_before -> concat_ws('/', r.id, v_key)) end;
end $$;

-- The same of an attempt, which may be written next: it waits for what counts at this moment, and begins the counts of a merchant.
create or replace function duly.judged_by(r duly.charge_rules, p_account duly.accounts, p_provider_id text, p_card duly.cards, p_owed bigint)
returns jsonb language plpgsql volatile security definer set search_path = duly, pg_temp as $$
declare
    v_key constant text := case when r.per in ('card', 'merchant') then duly.counted_key(r, p_account, p_provider_id, p_card) end;
begin
    if v_key is not null then
        perform duly.lock_counts(r, v_key);
        if r.per = 'merchant' then
            perform duly.begin_counts(r, v_key);
        end if;
    end if;
    return duly.held_because(r, p_account, p_provider_id, p_card, p_owed);
end $$;

-- What becomes of an attempt that is held; null where it is not. The hold is kept, and operators get one message about it, in this commit,
-- however often it is asked. Nothing is written for the attempt: its number and its key stay free.
create or replace function duly.held_attempt(p_request duly.gateway_requests, p_account duly.accounts, p_card duly.cards, p_period text,
    p_provider_id text, p_run_id text, p_owed bigint) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    h duly.charge_holds;
    r duly.charge_rules;
    v_found jsonb;
begin
    -- What was held of another amount is not owed any more: nobody needs to decide about it.
    update duly.charge_holds set ends_at = now()
    where account_id = p_account.id and period = p_period and amount_minor <> p_owed and released_at is null and (ends_at is null or ends_at > now());
    select * into h from duly.charge_holds where account_id = p_account.id and period = p_period and amount_minor = p_owed;
    if h.released_at is null and (h.id is null or h.ends_at <= now()) then
        for r in select * from duly.charge_rules where is_active and coalesce(currency, p_account.currency) = p_account.currency order by id loop
            v_found := duly.judged_by(r, p_account, p_provider_id, p_card, p_owed);
            exit when v_found is not null;
        end loop;
        if v_found is not null then
            h := duly.keep_hold(h, r, v_found, p_account, p_period, p_provider_id, p_run_id, p_owed);
        elsif h.id is not null then
            -- The time is over, and nothing else holds it: it goes on by itself.
            update duly.charge_holds set released_at = clock_timestamp(), released_by = 'system',
                released_because = format('the time of rule %s is over', rule_id) where id = h.id returning * into h;
        end if;
    end if;
    if h.id is null or h.released_at is not null then
        perform duly.count_charge(p_account, p_provider_id, p_owed);
        return null;
    end if;
    return jsonb_set(duly.without_attempt('provider_not_effective', p_run_id, p_account.id, p_request, 'held_by_rule', 'in_dunning'),
        '{result,held_until}', coalesce(to_jsonb(h.ends_at), 'null'));
end $$;

-- Keep what is held and why: a new row, or the next reason where another was over.
create or replace function duly.keep_hold(h duly.charge_holds, r duly.charge_rules, p_found jsonb, p_account duly.accounts, p_period text,
    p_provider_id text, p_run_id text, p_owed bigint) returns duly.charge_holds
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_ends_at constant timestamptz := case when not r.waits_for_person then (p_found ->> 'ends_at')::timestamptz end;
    v_kept duly.charge_holds;
begin
    if h.id is null then
        insert into duly.charge_holds (account_id, period, amount_minor, currency, provider_id, run_id, rule_id, because, figures, ends_at)
        values (p_account.id, p_period, p_owed, p_account.currency, p_provider_id, p_run_id, r.id, p_found ->> 'because', p_found -> 'figures',
            v_ends_at)
        returning * into v_kept;
    else
        update duly.charge_holds set rule_id = r.id, because = p_found ->> 'because', figures = p_found -> 'figures', ends_at = v_ends_at
        where id = h.id returning * into v_kept;
    end if;
    perform duly.alert_of_held(p_account.id, p_period, p_run_id, p_owed, p_account.currency, 'held_by_rule', 'held-' || p_owed
        || case when h.rule_id <> r.id then '-' || r.id else '' end);
    return v_kept;
end $$;

-- Why nobody waits for a hold that nobody has released; empty: somebody does. As the list of holds says it, but that a receivable that is
-- open again counts as open.
create or replace function duly.hold_over_because(h duly.charge_holds) returns text language sql stable as $$
    select case
        when h.released_at is not null then ''
        when h.ends_at <= now() then 'its time is over, or another amount is owed'
        when exists (select from duly.collections c where c.account_id = h.account_id and c.period = h.period and c.closed_at is null)
            or exists (select from duly.payment_requests p where p.account_id = h.account_id and p.period = h.period and p.closed_at is null) then ''
        when exists (select from duly.gateway_requests r where r.account_id = h.account_id and r.period = h.period and r.kind = 'payment'
            and r.state = 'posted') then 'it is paid'
        when exists (select from duly.collections c where c.account_id = h.account_id and c.period = h.period) then 'its collection has ended'
        when exists (select from duly.payment_requests p where p.account_id = h.account_id and p.period = h.period)
            then 'its payment request has ended'
        else '' end
$$;

-- Release what is held of a receivable, for its amount alone; `was_so`: it was before; `over_because`: nothing was held any more, and
-- nothing is written. Without an amount there must be one hold.
create or replace function duly.release_hold(p_account_id text, p_period text, p_amount bigint, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    h duly.charge_holds;
    v_holds bigint;
    v_over text;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select count(*) into v_holds from duly.charge_holds
    where account_id = p_account_id and period = p_period and released_at is null and amount_minor = coalesce(p_amount, amount_minor)
      and (ends_at is null or ends_at > now());
    if v_holds > 1 then
        perform duly.refuse('amount_named', format('amount: %s of %s is held for several amounts; say which', p_period, p_account_id));
    end if;
    select * into h from duly.charge_holds
    where account_id = p_account_id and period = p_period and amount_minor = coalesce(p_amount, amount_minor)
    order by released_at nulls first, ends_at desc nulls first, id desc limit 1;
    if not found then
        perform duly.refuse('hold_exists', format('period: nothing of %s of %s is held%s', p_period, p_account_id,
            case when p_amount is null then '' else ' for that amount' end));
    end if;
    v_over := duly.hold_over_because(h);
    if h.released_at is null and v_over = '' then
        update duly.charge_holds set released_at = clock_timestamp(), released_by = p_actor, released_because = p_reason where id = h.id;
    end if;
    return jsonb_build_object('account_id', h.account_id, 'period', h.period, 'amount_minor', h.amount_minor, 'currency', h.currency,
        'rule', h.rule_id, 'because', h.because, 'figures', h.figures, 'was_so', h.released_at is not null,
        'over_because', v_over);
end $$;

-- Whom of a dry run's members, who would be charged, rules would hold, and why: each after those before it, as if the run took no time.
-- `counted` is what they come to by rule and key, for the next page.
create or replace function duly.with_foreseen_holds(p_members jsonb, p_provider_id text, p_period text, p_counted jsonb) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_members jsonb[] := '{}';
    v_counted jsonb := coalesce(p_counted, '{}');
    m jsonb;
    a duly.accounts;
    c duly.cards;
    r duly.charge_rules;
    v_found jsonb;
    v_key text;
begin
    if duly.holds_nothing() then
        return jsonb_build_object('members', (select coalesce(jsonb_agg(x.m - 'card_id' order by x.n), '[]')
            from jsonb_array_elements(p_members) with ordinality x (m, n)), 'counted', v_counted);
    end if;
    for m in select x.m from jsonb_array_elements(p_members) with ordinality x (m, n) order by x.n loop
        if m ->> 'reason' = '' and not (m ->> 'is_left_out')::boolean then
            select * into a from duly.accounts where id = m ->> 'account_id';
            c := duly.chargeable_card(a.id, p_provider_id, coalesce(m ->> 'card_id', ''));
            v_found := duly.foreseen_hold(a, c, p_period, p_provider_id, (m ->> 'amount_minor')::bigint, v_counted);
            if v_found is not null then
                m := m || jsonb_build_object('reason', 'held_by_rule', 'hold', v_found);
            else
                for r in select * from duly.charge_rules where is_active and per is not null and coalesce(currency, a.currency) = a.currency loop
                    v_key := concat_ws('/', r.id, duly.counted_key(r, a, p_provider_id, c));
                    v_counted := v_counted || jsonb_build_object(v_key, jsonb_build_object(
                        'charges', coalesce((v_counted -> v_key ->> 'charges')::bigint, 0) + 1, 'minor', coalesce((v_counted -> v_key ->> 'minor')::bigint, 0)
                            + case when r.currency is null then 0 else (m ->> 'amount_minor')::bigint end));
                end loop;
            end if;
        end if;
        v_members := v_members || (m - 'card_id');
    end loop;
    return jsonb_build_object('members', to_jsonb(v_members), 'counted', v_counted);
end $$;

-- What would hold a charge, were it made now; null: nothing. What was released is not held again.
create or replace function duly.foreseen_hold(p_account duly.accounts, p_card duly.cards, p_period text, p_provider_id text, p_owed bigint,
    p_before jsonb default '{}') returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    h duly.charge_holds;
    r duly.charge_rules;
    v_found jsonb;
begin
    select * into h from duly.charge_holds where account_id = p_account.id and period = p_period and amount_minor = p_owed;
    if h.released_at is not null then return null; end if;
    if h.id is not null and (h.ends_at is null or h.ends_at > now()) then
        return jsonb_build_object('rule_id', h.rule_id, 'because', h.because, 'figures', h.figures);
    end if;
    for r in select * from duly.charge_rules where is_active and coalesce(currency, p_account.currency) = p_account.currency order by id loop
        v_found := duly.held_because(r, p_account, p_provider_id, p_card, p_owed, p_before);
        if v_found is not null then
            return jsonb_build_object('rule_id', r.id, 'because', v_found ->> 'because', 'figures', v_found -> 'figures');
        end if;
    end loop;
    return null;
end $$;
