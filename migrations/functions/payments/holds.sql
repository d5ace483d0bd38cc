-- Holds: a charge that a rule of the configuration names waits for a person before anything of it is written or sent. What was held once
-- stays held until it is released, for this amount of this receivable, whatever becomes of the rule.

-- Whether more was charged within a rule's time than it lets through, were this one charged too: which of its limits; null: none. Declined
-- attempts count, what did not happen does not. Whoever counts for a card or a merchant waits for whoever does at this moment.
create or replace function duly.exceeded_by(r duly.charge_rules, p_account duly.accounts, p_provider_id text, p_card duly.cards, p_owed bigint)
returns text language plpgsql volatile security definer set search_path = duly, pg_temp as $$
declare
    v_key text;
    v_accounts text[];
    v_since timestamptz := now() - make_interval(mins => r.within_minutes);
    v_count bigint;
    v_minor bigint;
begin
    v_key := case r.per when 'account' then p_account.id
        when 'card' then coalesce(nullif(p_card.fingerprint, ''), p_card.id)
        else coalesce(nullif(duly.destination_of(p_account.id, p_provider_id), ''), p_provider_id) end;
    if v_key is null then return null; end if;
    if r.per <> 'account' then
        perform pg_advisory_xact_lock(hashtextextended(concat_ws('/', 'charge_rules', r.id, v_key), 0));
    end if;
    if r.per = 'merchant' then
        -- All that was begun within the time is read: of a merchant that is not few.
        select count(*), coalesce(sum(a.amount_minor) filter (where q.currency = r.currency), 0) into v_count, v_minor
        from duly.gateway_attempts a join duly.gateway_requests q on q.id = a.request_id and q.kind = 'payment'
        where a.started_at > v_since and coalesce(a.outcome, '') not in ('did_not_happen', 'invalid_request')
          and (r.currency is null or q.currency = r.currency) and coalesce(nullif(a.merchant_provider, ''), q.provider_id) = v_key;
    else
        -- Of an account, or of those that have the card, it is what is theirs, however much a run charges meanwhile.
        v_accounts := array(select p_account.id union select c.account_id from duly.cards c
            where r.per = 'card' and c.fingerprint = p_card.fingerprint and c.fingerprint <> '');
        select count(*), coalesce(sum(a.amount_minor) filter (where q.currency = r.currency), 0) into v_count, v_minor
        from duly.gateway_requests q join duly.gateway_attempts a on a.request_id = q.id
        left join duly.cards c on c.id = a.card_id
        where q.account_id = any (v_accounts) and q.kind = 'payment' and a.started_at > v_since
          and coalesce(a.outcome, '') not in ('did_not_happen', 'invalid_request')
          and (r.currency is null or q.currency = r.currency)
          and (r.per = 'account' or coalesce(nullif(c.fingerprint, ''), c.id) = v_key);
    end if;
    return case when v_count + 1 > r.most_charges then 'most_charges' when v_minor + p_owed > r.most_minor then 'most' end;
end $$;

-- Why a rule holds a charge; null: it does not.
create or replace function duly.held_because(r duly.charge_rules, p_account duly.accounts, p_provider_id text, p_card duly.cards, p_owed bigint)
returns text language plpgsql volatile security definer set search_path = duly, pg_temp as $$
declare
    v_usual numeric;
    v_payments bigint;
begin
    if p_owed > r.above_minor then
        return 'above';
    elsif r.first_above_minor is not null or r.times_median is not null then
        select percentile_cont(0.5) within group (order by x.amount_minor), count(*) into v_usual, v_payments from (
            select q.amount_minor from duly.gateway_requests q
            where q.account_id = p_account.id and q.kind = 'payment' and q.state = 'posted' and q.currency = p_account.currency
            order by q.executed_at desc limit r.of_payments) x;
        if v_payments = 0 and p_owed > r.first_above_minor then
            return 'first_above';
        elsif v_payments >= r.payments_min and p_owed > r.times_median * v_usual then
            return 'times_median';
        end if;
    end if;
    return case when r.per is not null then duly.exceeded_by(r, p_account, p_provider_id, p_card, p_owed) end;
end $$;

-- What becomes of an attempt that is held; null where it is not. The hold is kept, and operators get one message about it, in this commit,
-- however often it is asked. Nothing is written for the attempt: its number and its key stay free.
create or replace function duly.held_attempt(p_request duly.gateway_requests, p_account duly.accounts, p_card duly.cards, p_period text,
    p_provider_id text, p_run_id text, p_owed bigint) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    h duly.charge_holds;
    r duly.charge_rules;
    v_because text;
begin
    select * into h from duly.charge_holds where account_id = p_account.id and period = p_period and amount_minor = p_owed;
    if h.released_at is not null then return null; end if;
    if h.id is null then
        for r in select * from duly.charge_rules where is_active and coalesce(currency, p_account.currency) = p_account.currency order by id loop
            v_because := duly.held_because(r, p_account, p_provider_id, p_card, p_owed);
            exit when v_because is not null;
        end loop;
        if v_because is null then return null; end if;
        insert into duly.charge_holds (account_id, period, amount_minor, currency, provider_id, run_id, rule_id, because)
        values (p_account.id, p_period, p_owed, p_account.currency, p_provider_id, p_run_id, r.id, v_because);
        perform duly.alert_of_held(p_account.id, p_period, p_run_id, p_owed, p_account.currency, 'held_by_rule', 'held-' || p_owed);
    end if;
    return duly.without_attempt('provider_not_effective', p_run_id, p_account.id, p_request, 'held_by_rule', 'in_dunning');
end $$;

-- Release what is held of a receivable, for its amount alone; `was_so`: somebody has before. Without an amount there must be one hold.
create or replace function duly.release_hold(p_account_id text, p_period text, p_amount bigint, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    h duly.charge_holds;
    v_holds bigint;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select count(*) into v_holds from duly.charge_holds
    where account_id = p_account_id and period = p_period and released_at is null and amount_minor = coalesce(p_amount, amount_minor);
    if v_holds > 1 then
        perform duly.refuse('amount_named', format('amount: %s of %s is held for several amounts; say which', p_period, p_account_id));
    end if;
    select * into h from duly.charge_holds
    where account_id = p_account_id and period = p_period and amount_minor = coalesce(p_amount, amount_minor)
    order by released_at nulls first limit 1;
    if not found then
        perform duly.refuse('hold_exists', format('period: nothing of %s of %s is held%s', p_period, p_account_id,
            case when p_amount is null then '' else ' for that amount' end));
    end if;
    if h.released_at is null then
        update duly.charge_holds set released_at = clock_timestamp(), released_by = p_actor, released_because = p_reason where id = h.id;
    end if;
    return jsonb_build_object('account_id', h.account_id, 'period', h.period, 'amount_minor', h.amount_minor, 'currency', h.currency,
        'rule', h.rule_id, 'because', h.because, 'was_so', h.released_at is not null);
end $$;
