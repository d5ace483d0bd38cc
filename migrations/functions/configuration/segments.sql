-- Segments: whom and what a name stands for. Policies, reminders and runs name the label of an account or a segment of accounts.

-- Whether an account is as criteria want it. What is not among them does not limit; of a currency that bounds do not name nobody is in.
-- `within_days` is how far back payments and declines are looked at, by the day (UTC).
create or replace function duly.meets_criteria(c jsonb, a duly.accounts) returns boolean
language sql stable set search_path = duly, pg_temp as $$
    select a.kind = 'customer'
    and coalesce(c -> 'labels' ? coalesce(a.segment, ''), true)
    and coalesce(c -> 'regions' ? coalesce(a.region, ''), true)
    and coalesce(c -> 'classifications' ? coalesce(a.classification, ''), true)
    and coalesce(c -> 'states' ? a.state, true)
    and coalesce(c -> 'currencies' ? a.currency, true)
    and (not c ? 'payment_methods' or exists (select from duly.payment_preferences p
        where p.account_id = a.id and p.is_default and c -> 'payment_methods' ? p.payment_method_id))
    and (not c ? 'products' or exists (select from duly.subscriptions s
        where s.account_id = a.id and c -> 'products' ? s.product_id and s.starts_on <= current_date
          and coalesce(s.ends_on, 'infinity') > current_date))
    and (not c ?| '{minimum_balance_minor,maximum_balance_minor}' or exists (select from duly.account_balances b
        where b.account_id = a.id
          and (not c ? 'minimum_balance_minor' or b.balance_minor >= (c -> 'minimum_balance_minor' ->> a.currency)::bigint)
          and (not c ? 'maximum_balance_minor' or b.balance_minor <= (c -> 'maximum_balance_minor' ->> a.currency)::bigint)))
    and (not c ? 'overdue_days' or exists (select from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
        where o.account_id = a.id and o.side = 'debit' and o.allocated_minor < o.amount_minor and t.state = 'posted'
          and (now() at time zone a.time_zone)::date - t.due_on >= (c ->> 'overdue_days')::integer
          -- A top-up that is not paid is withdrawn, and no debt.
          and not exists (select from duly.wallet_top_ups u where u.invoice_id = t.id and u.state = 'requested')))
    and (not c ?| '{minimum_paid_minor,maximum_paid_minor,payments_min,payments_max}' or (select
          (not c ? 'minimum_paid_minor' or p.paid >= (c -> 'minimum_paid_minor' ->> a.currency)::bigint)
          and (not c ? 'maximum_paid_minor' or p.paid <= (c -> 'maximum_paid_minor' ->> a.currency)::bigint)
          and p.payments >= coalesce((c ->> 'payments_min')::bigint, 0)
          and p.payments <= coalesce((c ->> 'payments_max')::bigint, p.payments)
        from (select coalesce(sum(case t.classification when 'payment' then t.total_minor else -t.total_minor end), 0) as paid,
                count(*) filter (where t.classification = 'payment' and t.state = 'posted') as payments
            from duly.financial_transactions t
            where t.account_id = a.id and t.posted_at is not null
              and t.classification in ('payment', 'payment_cancellation', 'refund')
              and t.posted_on > current_date - coalesce((c ->> 'within_days')::integer, 365)) p))
    and (not c ? 'declines_min' or (select count(*) from duly.gateway_requests r join duly.gateway_attempts t on t.request_id = r.id
            where r.account_id = a.id and r.kind = 'payment' and t.outcome = 'declined'
              and t.finished_at > now() - make_interval(days => coalesce((c ->> 'within_days')::integer, 365)))
        >= (c ->> 'declines_min')::bigint)
    -- Of several cards the one that is good for longest.
    and (not c ? 'card_expires_days' or exists (select from duly.cards k where k.account_id = a.id and k.state = 'active' and k.is_recurring
        having max(make_date(k.exp_year, k.exp_month, 1) + interval '1 month' - interval '1 day')
            <= (now() at time zone a.time_zone)::date + (c ->> 'card_expires_days')::integer))
    and (not c ? 'risks_min' or duly.risks_of(a.id) >= (c ->> 'risks_min')::integer)
$$;

-- Whether an account is of a segment: by its label, or by the criteria of a segment in use. The empty one is everybody.
create or replace function duly.is_of_segment(p_segment text, a duly.accounts) returns boolean
language sql stable set search_path = duly, pg_temp as $$
    select p_segment in ('', coalesce(a.segment, '')) or exists (select from duly.segments s
        where s.id = p_segment and s.about = 'accounts' and s.is_active and duly.meets_criteria(s.criteria, a))
$$;

-- Which of several rules an account has: that of its label before one of a segment by criteria, and the one for everybody last.
create or replace function duly.segment_rank(p_segment text, a duly.accounts) returns integer language sql immutable as $$
    select case p_segment when '' then 2 when a.segment then 0 else 1 end
$$;

-- The first accounts behind an id that are as criteria want them and of which so many risks are true: of a few accounts, then of four
-- times as many, until there are enough, for the risks of all accounts are read from the whole ledger. Of whom is left then they are read
-- at once. Planned for those accounts each time: no plan for any accounts uses its indexes.
create or replace function duly.accounts_at_risk_behind(c jsonb, p_after text, p_limit integer) returns setof duly.accounts
language plpgsql stable set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    v_at_a_time integer := 1000;
    v_among text[];
    v_left bigint := p_limit;
    v_found bigint;
begin
    while v_at_a_time < 20000 loop
        v_among := array(select a.id from duly.accounts_meeting(c - 'risks_min', null, p_after, v_at_a_time) a order by a.id);
        return query select a.* from duly.at_risk(current_date, v_among) r join duly.accounts a on a.id = r.account_id
            where r.reason_count >= (c ->> 'risks_min')::integer order by a.id limit v_left;
        get diagnostics v_found = row_count;
        v_left := v_left - v_found;
        if v_left <= 0 or cardinality(v_among) < v_at_a_time then return; end if;
        p_after := v_among[v_at_a_time];
        v_at_a_time := v_at_a_time * 4;
    end loop;
    return query select a.* from duly.at_risk(current_date, null) r
        join duly.accounts_meeting(c - 'risks_min', null, p_after, null) a on a.id = r.account_id
        where r.account_id > p_after and r.reason_count >= (c ->> 'risks_min')::integer order by a.id limit v_left;
end $$;

-- All accounts that are as criteria want them, or those of some that are named: the rules of duly.meets_criteria, each read once for all accounts
-- instead of anew for each. Only what the criteria name is read; with a limit the first ones behind an id.
create or replace function duly.accounts_meeting(c jsonb, p_among text[] default null, p_after text default '', p_limit integer default null)
returns setof duly.accounts
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    if (c ->> 'risks_min')::integer > 0 and p_limit is not null and p_among is null then
        return query select * from duly.accounts_at_risk_behind(c, p_after, p_limit);
        return;
    end if;
    return query execute 'select a.* from duly.accounts a '
    || case when c ?| '{minimum_paid_minor,maximum_paid_minor,payments_min,payments_max}' then $q$
        left join (select t.account_id, sum(case t.classification when 'payment' then t.total_minor else -t.total_minor end) as paid,
                count(*) filter (where t.classification = 'payment' and t.state = 'posted') as payments
            from duly.financial_transactions t
            where t.posted_at is not null and t.classification in ('payment', 'payment_cancellation', 'refund')
              and t.posted_on > current_date - coalesce(($1 ->> 'within_days')::integer, 365) and ($2 is null or t.account_id = any ($2))
            group by 1) p on p.account_id = a.id $q$ else '' end
    || $q$ where a.kind = 'customer' and ($2 is null or a.id = any ($2)) and a.id > $3
        and coalesce($1 -> 'labels' ? coalesce(a.segment, ''), true)
        and coalesce($1 -> 'regions' ? coalesce(a.region, ''), true)
        and coalesce($1 -> 'classifications' ? coalesce(a.classification, ''), true)
        and coalesce($1 -> 'states' ? a.state, true)
        and coalesce($1 -> 'currencies' ? a.currency, true) $q$
    || case when c ? 'payment_methods' then $q$
        and exists (select from duly.payment_preferences f
            where f.account_id = a.id and f.is_default and $1 -> 'payment_methods' ? f.payment_method_id) $q$ else '' end
    || case when c ? 'products' then $q$
        and exists (select from duly.subscriptions s where s.account_id = a.id and $1 -> 'products' ? s.product_id
            and s.starts_on <= current_date and coalesce(s.ends_on, 'infinity') > current_date) $q$ else '' end
    || case when c ?| '{minimum_balance_minor,maximum_balance_minor}' then $q$
        and exists (select from duly.account_balances b where b.account_id = a.id
            and (not $1 ? 'minimum_balance_minor' or b.balance_minor >= ($1 -> 'minimum_balance_minor' ->> a.currency)::bigint)
            and (not $1 ? 'maximum_balance_minor' or b.balance_minor <= ($1 -> 'maximum_balance_minor' ->> a.currency)::bigint)) $q$ else '' end
    || case when c ? 'overdue_days' then $q$
        and exists (select from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
            where o.account_id = a.id and o.side = 'debit' and o.allocated_minor < o.amount_minor and t.state = 'posted'
              and (now() at time zone a.time_zone)::date - t.due_on >= ($1 ->> 'overdue_days')::integer
              and not exists (select from duly.wallet_top_ups u where u.invoice_id = t.id and u.state = 'requested')) $q$ else '' end
    || case when c ?| '{minimum_paid_minor,maximum_paid_minor,payments_min,payments_max}' then $q$
        and (not $1 ? 'minimum_paid_minor' or coalesce(p.paid, 0) >= ($1 -> 'minimum_paid_minor' ->> a.currency)::bigint)
        and (not $1 ? 'maximum_paid_minor' or coalesce(p.paid, 0) <= ($1 -> 'maximum_paid_minor' ->> a.currency)::bigint)
        and coalesce(p.payments, 0) >= coalesce(($1 ->> 'payments_min')::bigint, 0)
        and coalesce(p.payments, 0) <= coalesce(($1 ->> 'payments_max')::bigint, coalesce(p.payments, 0)) $q$ else '' end
    || case when (c ->> 'declines_min')::bigint > 0 then $q$
        and a.id in (select r.account_id from duly.gateway_requests r join duly.gateway_attempts t on t.request_id = r.id
            where r.kind = 'payment' and t.outcome = 'declined'
              and t.finished_at > now() - make_interval(days => coalesce(($1 ->> 'within_days')::integer, 365))
            group by r.account_id having count(*) >= ($1 ->> 'declines_min')::bigint) $q$ else '' end
    || case when c ? 'card_expires_days' then $q$
        and exists (select from duly.cards k where k.account_id = a.id and k.state = 'active' and k.is_recurring
        having max(make_date(k.exp_year, k.exp_month, 1) + interval '1 month' - interval '1 day')
            <= (now() at time zone a.time_zone)::date + ($1 ->> 'card_expires_days')::integer) $q$ else '' end
    || case when c ? 'risks_min' then $q$
        and a.id in (select r.account_id from duly.at_risk(current_date, $2) r where r.reason_count >= ($1 ->> 'risks_min')::integer) $q$ else '' end
    || case when p_limit is not null then ' order by a.id limit $4' else '' end
    using c, p_among, p_after, p_limit;
end $$;

create or replace function duly.accounts_in_segment(p_id text) returns setof duly.accounts
language sql stable security definer set search_path = duly, pg_temp as $$
    select a.* from duly.segments s cross join lateral duly.accounts_meeting(s.criteria) a where s.id = p_id and s.about = 'accounts'
$$;

-- The posted transactions of a segment, over days (both included) where they are given. An open one is not settled. A segment of
-- accounts among the criteria is judged for those accounts that have some of them, and not for each transaction.
create or replace function duly.transactions_in_segment(p_id text, p_from date, p_to date) returns setof duly.financial_transactions
language sql stable security definer set search_path = duly, pg_temp as $$
    with s as materialized (select k.criteria from duly.segments k where k.id = p_id and k.about = 'transactions'),
    candidates as materialized (
        select t as row, t.account_id from s
        join duly.financial_transactions t on t.posted_at is not null
            and t.posted_on between coalesce(p_from, '-infinity') and coalesce(p_to, 'infinity')
            and coalesce(s.criteria -> 'classifications' ? t.classification::text, true)
            and coalesce(s.criteria -> 'states' ? t.state::text, true)
            and coalesce(s.criteria -> 'types' ? t.type_id, true)
            and coalesce(s.criteria -> 'currencies' ? t.currency, true)
            and coalesce(s.criteria -> 'payment_methods' ? coalesce(t.method, ''), true)
            and coalesce(s.criteria -> 'providers' ? coalesce(t.provider, ''), true)
            and (not s.criteria ? 'minimum_minor' or t.total_minor >= (s.criteria -> 'minimum_minor' ->> t.currency)::bigint)
            and (not s.criteria ? 'maximum_minor' or t.total_minor <= (s.criteria -> 'maximum_minor' ->> t.currency)::bigint)
    ),
    holders as materialized (select distinct c.account_id from candidates c),
    members as materialized (
        select m.id from s join duly.segments w on w.id = s.criteria ->> 'accounts' and w.about = 'accounts'
        cross join lateral duly.accounts_meeting(w.criteria, array(select h.account_id from holders h)) m
    ),
    judged as materialized (
        select a.id, a.time_zone, not s.criteria ? 'accounts' or m.id is not null as is_in
        from s cross join holders h join duly.accounts a on a.id = h.account_id and a.kind = 'customer'
        left join members m on m.id = a.id
    )
    select (c.row).* from s cross join candidates c join judged a on a.id = c.account_id and a.is_in
    where (not s.criteria ?| '{products,product_lines,sales_channels}' or exists (
        select from duly.transaction_lines l left join duly.products p on p.id = l.product_id
        where l.transaction_id = (c.row).id and coalesce(s.criteria -> 'products' ? l.product_id, true)
          and coalesce(s.criteria -> 'product_lines' ? coalesce(p.product_line, ''), true)
          and coalesce(s.criteria -> 'sales_channels' ? coalesce(l.sales_channel, ''), true)))
      and (not s.criteria ?| '{open,overdue_days}' or exists (
        select from duly.open_items o where o.transaction_id = (c.row).id
          and (not s.criteria ? 'open' or (s.criteria ->> 'open')::boolean = (o.allocated_minor < o.amount_minor))
          and (not s.criteria ? 'overdue_days' or o.side = 'debit' and o.allocated_minor < o.amount_minor
            and (now() at time zone a.time_zone)::date - (c.row).due_on >= (s.criteria ->> 'overdue_days')::integer
            and not exists (select from duly.wallet_top_ups u where u.invoice_id = o.transaction_id and u.state = 'requested'))))
$$;

-- How many a segment has by currency, and what they come to: accounts their balances, transactions their totals and what is open of them.
create or replace function duly.segment_totals(p_id text, p_from date, p_to date)
returns table (currency text, number_of bigint, total_minor bigint, open_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select a.currency, count(*), sum(b.balance_minor)::bigint, sum(greatest(b.balance_minor, 0))::bigint
    from duly.accounts_in_segment(p_id) a join duly.account_balances b on b.account_id = a.id group by 1
    union all
    select t.currency, count(*), sum(t.total_minor)::bigint, coalesce(sum(i.amount_minor - i.allocated_minor), 0)::bigint
    from duly.transactions_in_segment(p_id, p_from, p_to) t left join duly.open_items i on i.transaction_id = t.id group by 1
    order by 1
$$;

-- What a segment has, in the order of their ids: read once, by a cursor, for whom it has is found by looking at everybody.
create or replace function duly.segment_accounts(p_id text)
returns table (id text, label text, region text, classification text, state text, currency text, balance_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select a.id, a.segment, a.region, a.classification, a.state, a.currency, b.balance_minor
    from duly.accounts_in_segment(p_id) a join duly.account_balances b on b.account_id = a.id
    order by a.id
$$;

-- A page of them behind an account.
create or replace function duly.segment_accounts_behind(p_id text, p_after text, p_limit integer)
returns table (id text, label text, region text, classification text, state text, currency text, balance_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select a.id, a.segment, a.region, a.classification, a.state, a.currency, b.balance_minor
    from duly.segments s cross join lateral duly.accounts_meeting(s.criteria, null, p_after, p_limit) a
    join duly.account_balances b on b.account_id = a.id
    where s.id = p_id and s.about = 'accounts' order by a.id
$$;

create or replace function duly.segment_transactions(p_id text, p_from date, p_to date)
returns table (id text, number text, classification text, type_id text, account_id text, state text, posted_on date, due_on date, currency text,
    total_minor bigint, open_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select t.id, n.number, t.classification::text, t.type_id, t.account_id, t.state::text, t.posted_on, t.due_on, t.currency, t.total_minor,
        coalesce(i.amount_minor - i.allocated_minor, 0)
    from duly.transactions_in_segment(p_id, p_from, p_to) t
    left join duly.transaction_numbers n on n.transaction_id = t.id
    left join duly.open_items i on i.transaction_id = t.id
    order by t.id
$$;
