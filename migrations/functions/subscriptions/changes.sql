-- Subscriptions: made and changed by commands, each change with the day from which it holds, who made it and why. What they
-- cost is worked out in models/subscriptions.

-- The import of release 0.1.0 writes rows by itself: what it would change of a subscription that is billed by day has no day
-- from which it holds. The runtime role is not the table's owner, which the functions below run as.
create or replace function duly.refuse_undated_change() returns trigger language plpgsql as $$
begin
    if old.by_day_from is not null
        and current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        raise exception using errcode = 'DU001', constraint = 'subscription_changed_by_command',
            message = format('subscription %s is billed by day: change it with `subscriptions change`', old.id);
    end if;
    return new;
end $$;

-- Refuse a product that there is not, or that is not sold any more, naming those that are.
create or replace function duly.require_product(p_product_id text) returns void language plpgsql stable as $$
declare
    v_products text;
    v_products_count bigint;
begin
    if exists (select from duly.products where id = p_product_id and is_active) then return; end if;
    select string_agg(p.id, ', ' order by p.id) filter (where p.place <= 10), count(*) into v_products, v_products_count
    from (select id, row_number() over (order by id) as place from duly.products where is_active) p;
    perform duly.refuse('product_exists', format('product: %s; %s',
        case when exists (select from duly.products where id = p_product_id)
            then format('%s is out of use', p_product_id) else format('there is no product %s', p_product_id) end,
        case when v_products_count = 0 then 'none is in use: `definitions apply` configures them'
            when v_products_count > 10 then format('in use are %s and %s more', v_products, v_products_count - 10)
            else format('in use: %s', v_products) end));
end $$;

-- What was billed of a subscription, and what was credited of its invoices by anybody; below 0 where it was credited.
create or replace function duly.billed_lines(p_account_id text, p_subscription_id text)
returns table (transaction_id text, product_id text, period_from date, period_to date, quantity numeric, unit_price_minor bigint,
    net_minor bigint, total_minor bigint, tax_rate_id text, tax_percent numeric, is_open_to_credit boolean)
language sql stable security definer set search_path = duly, pg_temp as $$
    with documents as (
        select distinct d.id from duly.run_items i join duly.process_runs r on r.id = i.run_id and r.kind = 'billing'
        cross join lateral (values (i.transaction_id), (i.credit_note_id)) d (id)
        where i.account_id = p_account_id and i.member_id = p_subscription_id and i.outcome = 'billed' and d.id is not null
    ), every as (
        select id from documents
        union
        select t.id from duly.financial_transactions t
        where t.account_id = p_account_id and t.classification = 'credit_note' and t.state = 'posted'
          and t.addressed_invoice_ids && array(select id from documents)
    )
    select t.id, l.product_id, coalesce(l.period_from, m.period_from), coalesce(l.period_to, m.period_to), l.quantity,
        l.unit_price_minor, x.sign * l.net_minor, x.sign * l.total_minor, l.tax_rate_id, l.tax_percent,
        t.classification = 'credit_note' or t.state = 'posted'
    from every join duly.financial_transactions t on t.id = every.id
    join duly.transaction_lines l on l.transaction_id = t.id
    -- A credit note by hand names no days: it takes from all days of what it is meant for.
    left join lateral (select min(o.period_from) as period_from, max(o.period_to) as period_to
        from duly.transaction_lines o where o.transaction_id = any (t.addressed_invoice_ids)) m on true
    cross join lateral (values (case t.classification when 'credit_note' then -1 else 1 end)) x (sign)
$$;

create or replace function duly.changes_of(p_subscription_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('version', c.version, 'kind', c.kind, 'from_on', c.from_on,
        'product_id', c.product_id, 'price_minor', c.price_minor, 'quantity', c.quantity, 'term_months', c.term_months,
        'billing_day', c.billing_day, 'anchor_on', c.anchor_on, 'is_paused', c.is_paused, 'trial_ends_on', c.trial_ends_on,
        'ends_on', c.ends_on, 'discount_percent', trim_scale(c.discount_percent)::text, 'discount_minor', c.discount_minor,
        'discount_until', c.discount_until)) order by c.version), '[]')
    from duly.subscription_changes c where c.subscription_id = p_subscription_id
$$;

-- A subscription that is billed by day, with all that its next bill is worked out of. What was billed is read where a
-- change may have to be credited.
create or replace function duly.subscription_to_bill(s duly.subscriptions, p_with_billed boolean default false) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('id', s.id, 'account_id', s.account_id, 'currency', s.currency, 'account_currency', a.currency,
        'starts_on', s.starts_on, 'by_day_from', s.by_day_from, 'billed_until', s.billed_until, 'version', s.version,
        'billed_version', s.billed_version, 'billings', s.billings, 'changes', duly.changes_of(s.id),
        'products', (select jsonb_object_agg(p.id, jsonb_build_object('name', p.name, 'tax_rate_id', t.id,
                'tax_percent', t.percent::text))
            from duly.products p left join duly.tax_rates t on t.id = p.tax_rate_id
            where p.id = s.product_id or p.id in (
                select c.product_id from duly.subscription_changes c where c.subscription_id = s.id)),
        'billed', case when p_with_billed or s.version > s.billed_version then (
            select coalesce(jsonb_agg(jsonb_build_object('transaction_id', l.transaction_id, 'product_id', l.product_id,
                'period_from', l.period_from, 'period_to', l.period_to, 'net_minor', l.net_minor,
                'total_minor', l.total_minor, 'tax_rate_id', l.tax_rate_id, 'tax_percent', l.tax_percent::text,
                'is_open_to_credit', l.is_open_to_credit) order by l.period_from, l.transaction_id), '[]')
            from duly.billed_lines(s.account_id, s.id) l
            where l.period_to > coalesce(s.by_day_from, s.starts_on)) else '[]' end)
    from duly.accounts a where a.id = s.account_id
$$;

create or replace function duly.subscription_of(p_subscription_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.subscription_to_bill(s, true) || jsonb_build_object('product_id', s.product_id, 'price_minor', s.price_minor,
        'quantity', s.quantity, 'term_months', s.term_months, 'billing_day', s.billing_day, 'ends_on', s.ends_on,
        'today', x.today, 'state', duly.subscription_state(s, x.today),
        'newest', (select jsonb_build_object('transaction_id', l.transaction_id, 'product_id', l.product_id,
                'period_from', l.period_from, 'period_to', l.period_to, 'quantity', l.quantity::text,
                'unit_price_minor', l.unit_price_minor)
            from duly.billed_lines(s.account_id, s.id) l where l.net_minor > 0
            order by l.period_to desc, l.unit_price_minor desc limit 1))
    from duly.subscriptions s join duly.accounts a on a.id = s.account_id
    cross join lateral (select (now() at time zone a.time_zone)::date) x (today) where s.id = p_subscription_id
$$;

create or replace function duly.write_changes(p_subscription_id text, p_after integer, p_changes jsonb, p_actor text, p_reason text)
returns integer language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    insert into duly.subscription_changes (subscription_id, version, kind, from_on, product_id, price_minor, quantity,
        term_months, billing_day, anchor_on, is_paused, trial_ends_on, ends_on, discount_percent, discount_minor,
        discount_until, actor, reason)
    select p_subscription_id, p_after + c.position, c.kind, c.from_on, c.product_id, c.price_minor, c.quantity,
        c.term_months, c.billing_day, c.anchor_on, c.is_paused, c.trial_ends_on, c.ends_on, c.discount_percent,
        c.discount_minor, c.discount_until, p_actor, p_reason
    from rows from (jsonb_to_recordset(p_changes) as (kind text, from_on date, product_id text, price_minor bigint,
        quantity integer, term_months smallint, billing_day smallint, anchor_on date, is_paused boolean, trial_ends_on date,
        ends_on date, discount_percent numeric, discount_minor bigint, discount_until date)) with ordinality
        as c (kind, from_on, product_id, price_minor, quantity, term_months, billing_day, anchor_on, is_paused, trial_ends_on,
        ends_on, discount_percent, discount_minor, discount_until, position);
    return p_after + jsonb_array_length(p_changes);
end $$;

-- Make a subscription that is billed by day. Making the same again changes nothing; false then.
create or replace function duly.create_subscription(p_subscription_id text, p_account_id text, p_currency text, p_change jsonb,
    p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.accounts;
    s duly.subscriptions;
    v_first jsonb;
begin
    select * into a from duly.accounts where id = p_account_id and kind = 'customer';
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    end if;
    select * into s from duly.subscriptions where id = p_subscription_id;
    if found then
        v_first := duly.changes_of(s.id) -> 0;
        if s.account_id <> p_account_id or s.currency <> p_currency or v_first is null
            or v_first - 'version' <> p_change then
            perform duly.refuse('id_means_one_subscription',
                format('id: there is a subscription %s already, of %s, and not with these terms', p_subscription_id, s.account_id));
        end if;
        return false;
    elsif a.state = 'terminated' then
        perform duly.refuse('account_not_terminated', format('account: %s is terminated', a.id));
    elsif a.currency <> p_currency then
        perform duly.refuse('currency_of_account', format('currency: is %s, the account''s is %s', p_currency, a.currency));
    end if;
    perform duly.require_product(p_change ->> 'product_id');
    insert into duly.subscriptions (id, account_id, product_id, price_minor, currency, quantity, billing_day, starts_on,
        ends_on, term_months, by_day_from, version)
    select p_subscription_id, p_account_id, c.product_id, c.price_minor, p_currency, c.quantity, c.billing_day, c.from_on,
        c.ends_on, c.term_months, c.from_on, 1
    from jsonb_to_record(p_change) as c (product_id text, price_minor bigint, quantity integer, billing_day smallint,
        from_on date, ends_on date, term_months smallint);
    perform duly.write_changes(p_subscription_id, 0, jsonb_build_array(p_change), p_actor, p_reason);
    return true;
end $$;

-- Write what was worked out of a subscription as somebody had read it; refused when it has changed or was billed since.
-- `row` is what its row says from now on.
create or replace function duly.change_subscription(p_subscription_id text, p_version integer, p_billings integer,
    p_newest_billed text, p_changes jsonb, p_row jsonb, p_actor text, p_reason text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s duly.subscriptions;
    v_newest text;
begin
    select * into strict s from duly.subscriptions where id = p_subscription_id for no key update;
    if s.by_day_from is null then
        select l.transaction_id into v_newest from duly.billed_lines(s.account_id, s.id) l where l.net_minor > 0
        order by l.period_to desc, l.unit_price_minor desc limit 1;
    end if;
    if s.version <> p_version or s.billings <> p_billings or (s.by_day_from is null and coalesce(v_newest, '') <> p_newest_billed) then
        perform duly.refuse('subscription_as_read', format('subscription: %s was changed or billed meanwhile; ask again', s.id));
    end if;
    -- What is not sold any more goes on for who has it.
    if p_row ->> 'product_id' <> s.product_id then
        perform duly.require_product(p_row ->> 'product_id');
    end if;
    s.version := duly.write_changes(s.id, s.version, p_changes, p_actor, p_reason);
    s := jsonb_populate_record(s, p_row);
    update duly.subscriptions set product_id = s.product_id, price_minor = s.price_minor, quantity = s.quantity,
        billing_day = s.billing_day, term_months = s.term_months, ends_on = s.ends_on, by_day_from = s.by_day_from,
        billed_until = s.billed_until, billed_version = s.billed_version, version = s.version
    where id = s.id;
    return s.version;
end $$;

-- What a subscription is on a day. One that ends on its first day never begins. A query that joins it has the rule inlined, which
-- takes a quarter of the calls of a scalar function: PostgreSQL inlines none with subqueries.
create or replace function duly.subscription_standing(p_id text, p_starts_on date, p_ends_on date, p_day date)
returns table (state text) language sql stable as $$
    select case when p_day >= p_ends_on or p_ends_on <= p_starts_on then 'ended' when p_day < p_starts_on then 'planned'
        when (select c.is_paused from duly.subscription_changes c
            where c.subscription_id = p_id and c.is_paused is not null and c.from_on <= p_day
            order by c.from_on desc, c.version desc limit 1) then 'paused'
        when p_day < (select c.trial_ends_on from duly.subscription_changes c
            where c.subscription_id = p_id and c.trial_ends_on is not null order by c.version desc limit 1) then 'in_trial'
        else 'active' end
$$;

create or replace function duly.subscription_state(s duly.subscriptions, p_day date) returns text language sql stable as $$
    select t.state from duly.subscription_standing(s.id, s.starts_on, s.ends_on, p_day) t
$$;
