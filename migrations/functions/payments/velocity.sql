-- How many, and how much, was charged within the time of a rule. Declined attempts count, what did not happen does not. Of an account, or of
-- those that have a card, attempts are read; of a merchant there may be hundreds of thousands, so that they are kept as counts, a sixtieth of
-- the rule's time a row, from the first charge on that the rule judges.

-- What a rule counts for: an account, a card by its fingerprint, or who is paid.
create or replace function duly.counted_key(r duly.charge_rules, p_account duly.accounts, p_provider_id text, p_card duly.cards) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case r.per when 'account' then p_account.id
        when 'card' then coalesce(nullif(p_card.fingerprint, ''), p_card.id)
        when 'merchant' then coalesce(nullif(duly.destination_of(p_account.id, p_provider_id), ''), p_provider_id) end
$$;

-- How long a row of counts is.
create or replace function duly.count_width(p_within_minutes integer) returns interval language sql immutable as
$$ select make_interval(mins => greatest(1, ceil(p_within_minutes / 60.0)::integer)) $$;

-- The rows of counts that are within a rule's time begin after this: the one that is half over counts whole.
create or replace function duly.counted_since(r duly.charge_rules) returns timestamptz language sql stable as
$$ select now() - make_interval(mins => r.within_minutes) - duly.count_width(r.within_minutes) $$;

-- Attempts at what a merchant is paid, by rows of counts: all that were begun, or those that did not happen, which are few.
create or replace function duly.counts_of_merchant(r duly.charge_rules, p_key text, p_did_not_happen boolean)
returns table (bucket timestamptz, charges bigint, minor bigint)
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    return query select date_bin(duly.count_width(r.within_minutes), a.started_at, 'epoch'), count(*),
        coalesce(sum(a.amount_minor) filter (where q.currency = r.currency), 0)::bigint
    from duly.gateway_attempts a join duly.gateway_requests q on q.id = a.request_id and q.kind = 'payment'
    where a.started_at > duly.counted_since(r) and (not p_did_not_happen or a.outcome in ('did_not_happen', 'invalid_request'))
      and (r.currency is null or q.currency = r.currency) and coalesce(nullif(a.merchant_provider, ''), q.provider_id) = p_key
    group by 1;
end $$;

-- Begin the counts of a merchant. Its caller has the lock.
create or replace function duly.begin_counts(r duly.charge_rules, p_key text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if not exists (select from duly.charge_counts where rule_id = r.id and key = p_key) then
        insert into duly.charge_counts (rule_id, key, bucket, charges, minor)
        select r.id, p_key, c.bucket, c.charges, c.minor from duly.counts_of_merchant(r, p_key, false) c;
    end if;
end $$;

-- Whoever counts for a card or a merchant waits for whoever does at this moment: two at once are two.
create or replace function duly.lock_counts(r duly.charge_rules, p_key text) returns void
language sql volatile as $$ select pg_advisory_xact_lock(hashtextextended(concat_ws('/', 'charge_rules', r.id, p_key), 0)) $$;

-- Count a charge that is about to be written with the merchants' rules that are of its currency.
create or replace function duly.count_charge(p_account duly.accounts, p_provider_id text, p_owed bigint) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.charge_rules;
    v_key text;
    v_is_new boolean;
begin
    for r in select * from duly.charge_rules
        where is_active and per = 'merchant' and coalesce(currency, p_account.currency) = p_account.currency order by id loop
        v_key := duly.counted_key(r, p_account, p_provider_id, null);
        perform duly.lock_counts(r, v_key);
        perform duly.begin_counts(r, v_key);
        insert into duly.charge_counts as c (rule_id, key, bucket, charges, minor)
        values (r.id, v_key, date_bin(duly.count_width(r.within_minutes), now(), 'epoch'), 1, case when r.currency is null then 0 else p_owed end)
        on conflict (rule_id, key, bucket) do update set charges = c.charges + 1, minor = c.minor + excluded.minor
        returning c.charges = 1 into v_is_new;
        if v_is_new then
            delete from duly.charge_counts where rule_id = r.id and key = v_key and bucket <= duly.counted_since(r);
        end if;
    end loop;
end $$;

-- What was charged within a rule's time, the newest first: when it leaves that time, how many it is and how much.
create or replace function duly.charges_within(r duly.charge_rules, p_account duly.accounts, p_card duly.cards, p_key text)
returns table (over_at timestamptz, charges bigint, minor bigint)
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_accounts text[];
    v_time constant interval := make_interval(mins => r.within_minutes);
begin
    if r.per = 'merchant' and exists (select from duly.charge_counts c where c.rule_id = r.id and c.key = p_key) then
        return query select c.bucket + v_time + duly.count_width(r.within_minutes), c.charges, c.minor from duly.charge_counts c
            where c.rule_id = r.id and c.key = p_key and c.bucket > duly.counted_since(r) order by c.bucket desc;
    elsif r.per = 'merchant' then
        return query select c.bucket + v_time + duly.count_width(r.within_minutes), c.charges, c.minor
            from duly.counts_of_merchant(r, p_key, false) c where c.bucket > duly.counted_since(r) order by c.bucket desc;
    else
        -- Of an account, or of those that have the card, it is what is theirs, however much a run charges meanwhile.
        v_accounts := array(select p_account.id union select c.account_id from duly.cards c
            where r.per = 'card' and c.fingerprint = p_card.fingerprint and c.fingerprint <> '');
        return query select a.started_at + v_time, 1::bigint, case when q.currency = r.currency then a.amount_minor else 0 end
            -- By its requests, whatever else was begun within that time: the planner may not begin with the attempts.
            from duly.gateway_requests q cross join lateral (
                select x.* from duly.gateway_attempts x where x.request_id = q.id offset 0) a
            left join duly.cards c on c.id = a.card_id
            where q.account_id = any (v_accounts) and q.kind = 'payment' and a.started_at > now() - v_time
              and coalesce(a.outcome, '') not in ('did_not_happen', 'invalid_request')
              and (r.currency is null or q.currency = r.currency)
              and (r.per = 'account' or coalesce(nullif(c.fingerprint, ''), c.id) = p_key)
            order by a.started_at desc;
    end if;
end $$;

-- Why a charge would be too many, or too much, within a rule's time; null: it would not. `before` is what is charged before it and stands
-- nowhere yet: in a dry run, its other members.
create or replace function duly.too_fast(r duly.charge_rules, p_account duly.accounts, p_card duly.cards, p_key text, p_owed bigint,
    p_before jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_count bigint;
    v_minor bigint;
    v_void record;
    v_because text;
    v_over_at timestamptz;
begin
    select coalesce(sum(c.charges), 0) + coalesce((p_before ->> 'charges')::bigint, 0),
        coalesce(sum(c.minor), 0) + coalesce((p_before ->> 'minor')::bigint, 0) into v_count, v_minor
    from duly.charges_within(r, p_account, p_card, p_key) c;
    if r.per = 'merchant' and (v_count + 1 > r.most_charges or v_minor + p_owed > r.most_minor) then
        -- Only where it matters.
        select coalesce(sum(v.charges), 0)::bigint as charges, coalesce(sum(v.minor), 0)::bigint as minor into v_void
        from duly.counts_of_merchant(r, p_key, true) v where v.bucket > duly.counted_since(r);
        v_count := v_count - v_void.charges;
        v_minor := v_minor - v_void.minor;
    end if;
    v_because := case when v_count + 1 > r.most_charges then 'most_charges' when v_minor + p_owed > r.most_minor then 'most' end;
    if v_because is null then return null; end if;
    -- It is over when so much has left that time that there is room for this one. More than the limit by itself never fits.
    select x.over_at into v_over_at from (
        select c.over_at, sum(c.charges) over w as charges, sum(c.minor) over w as minor
        from duly.charges_within(r, p_account, p_card, p_key) c window w as (order by c.over_at desc)) x
    where case v_because when 'most_charges' then x.charges >= r.most_charges else x.minor + p_owed > r.most_minor end
    order by x.over_at desc limit 1;
    return jsonb_build_object('because', v_because, 'ends_at', case when p_owed <= coalesce(r.most_minor, p_owed) then v_over_at end,
        'figures', jsonb_build_object('per', r.per, 'within_minutes', r.within_minutes) || case v_because
            when 'most_charges' then jsonb_build_object('charges', v_count, 'limit', r.most_charges)
            else jsonb_build_object('charged_minor', v_minor, 'limit_minor', r.most_minor) end);
end $$;

-- Counts are of a rule as it is: what it counts, and for how long.
create or replace function duly.forget_counts() returns trigger
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if (old.per, old.within_minutes, old.currency, old.is_active) is distinct from (new.per, new.within_minutes, new.currency, new.is_active) then
        delete from duly.charge_counts where rule_id = new.id;
    end if;
    return null;
end $$;
