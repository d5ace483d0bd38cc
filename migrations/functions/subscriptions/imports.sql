-- Subscriptions from a file. Those of whole months are as their row says; what is billed by day is changed from the first day on
-- that is not billed.

create or replace function duly.import_subscriptions(p_rows jsonb, p_actor text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r record;
begin
    insert into duly.subscriptions as s (id, account_id, product_id, price_minor, currency, quantity, billing_day, starts_on, ends_on)
    select x.subscription_id, x.account_id, x.product_id, x.price_minor, x.currency, x.quantity, x.billing_day, x.starts_on, x.ends_on
    from jsonb_to_recordset(p_rows) as x (subscription_id text, account_id text, product_id text, price_minor bigint,
        currency text, quantity integer, billing_day smallint, starts_on date, ends_on date)
    where not exists (select from duly.subscriptions d where d.id = x.subscription_id and d.by_day_from is not null)
    on conflict (id) do update set product_id = excluded.product_id, price_minor = excluded.price_minor,
        quantity = excluded.quantity, billing_day = excluded.billing_day, starts_on = excluded.starts_on,
        ends_on = excluded.ends_on
    where s.account_id = excluded.account_id and s.currency = excluded.currency;
    for r in
        select d.id, x.* from jsonb_to_recordset(p_rows) as x (subscription_id text, account_id text, product_id text,
            price_minor bigint, currency text, quantity integer, billing_day smallint, starts_on date, ends_on date)
        join duly.subscriptions d on d.id = x.subscription_id and d.by_day_from is not null
            and d.account_id = x.account_id and d.currency = x.currency
        order by d.id
    loop
        perform duly.import_change(r.id, jsonb_build_object('product_id', r.product_id, 'price_minor', r.price_minor,
            'quantity', r.quantity, 'billing_day', r.billing_day, 'starts_on', r.starts_on, 'ends_on', r.ends_on), p_actor);
    end loop;
    return jsonb_array_length(p_rows);
end $$;

create or replace function duly.import_change(p_subscription_id text, p_row jsonb, p_actor text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s duly.subscriptions;
    v_from date;
    v_new jsonb;
    v_changes jsonb := '[]';
begin
    select * into strict s from duly.subscriptions where id = p_subscription_id for no key update;
    if (p_row ->> 'starts_on')::date <> s.starts_on then
        perform duly.refuse('subscription_has_begun', format('starts_on: %s has begun on %s', s.id, s.starts_on));
    elsif s.ends_on is not null and p_row ->> 'ends_on' is null then
        perform duly.refuse('subscription_end_stays', format('ends_on: %s ends on %s', s.id, s.ends_on));
    end if;
    v_from := coalesce(s.billed_until, s.by_day_from);
    select jsonb_object_agg(f.key, f.value) into v_new from jsonb_each(p_row - 'starts_on' - 'ends_on') f
    where to_jsonb(s) -> f.key <> f.value;
    if v_new is not null then
        v_changes := v_changes || (v_new || jsonb_build_object('kind', 'imported', 'from_on', v_from));
    end if;
    if (p_row ->> 'ends_on')::date is distinct from s.ends_on then
        v_changes := v_changes || jsonb_build_object('kind', 'imported', 'from_on',
            greatest(least((p_row ->> 'ends_on')::date, s.ends_on), s.by_day_from), 'ends_on', p_row -> 'ends_on');
    end if;
    if v_changes = '[]' then return; end if;
    s.version := duly.write_changes(s.id, s.version, v_changes, p_actor, 'imported from a file');
    s := jsonb_populate_record(s, p_row - 'starts_on');
    update duly.subscriptions set product_id = s.product_id, price_minor = s.price_minor, quantity = s.quantity,
        billing_day = s.billing_day, ends_on = s.ends_on, version = s.version where id = s.id;
end $$;
