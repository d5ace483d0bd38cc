-- Billing: what is due in a period, and its invoices with their outcome in one commit.

-- The billing day in the month that starts then; a day the month lacks is its last (F116).
create or replace function duly.anchor_on(p_starts_on date, p_billing_day integer) returns date language sql immutable as $$
    select p_starts_on + least(p_billing_day, extract(day from p_starts_on + interval '1 month' - interval '1 day')::int) - 1
$$;

create or replace function duly.freeze_billing_run(p_run_id text, p_definition_id text, p_period text, p_starts_on date)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions := duly.start_run(p_run_id, p_definition_id, 'billing', p_period);
begin
    if exists (select from duly.run_items where run_id = p_run_id) then
        return duly.run_plan(p_run_id, v_definition);
    end if;
    insert into duly.run_items (run_id, member_id, account_id, shard, currency, amount_minor, outcome, reason, finished_at)
    select p_run_id, s.id, s.account_id, 0, s.currency, s.price_minor * s.quantity,
        case when a.state = 'terminated' then 'skipped' end,
        case when a.state = 'terminated' then 'account_terminated' else '' end,
        case when a.state = 'terminated' then now() end
    from duly.subscriptions s join duly.accounts a on a.id = s.account_id
    where duly.anchor_on(p_starts_on, s.billing_day) >= s.starts_on
      and (s.ends_on is null or duly.anchor_on(p_starts_on, s.billing_day) < s.ends_on)
      and (cardinality(v_definition.currencies) = 0 or s.currency = any (v_definition.currencies));
    update duly.process_runs set members = (select count(*) from duly.run_items where run_id = p_run_id) where id = p_run_id;
    return duly.run_plan(p_run_id, v_definition);
end $$;

create or replace function duly.billing_page(p_run_id text, p_after text, p_limit integer)
returns table (id text, account_id text, currency text, account_currency text, product_id text, product_name text,
    price_minor bigint, quantity integer, billing_day smallint, tax_rate_id text, tax_percent numeric)
language sql stable security definer set search_path = duly, pg_temp as $$
    select i.member_id, s.account_id, s.currency, a.currency, p.id, p.name, s.price_minor, s.quantity, s.billing_day, t.id, t.percent
    from duly.run_items i
    join duly.subscriptions s on s.id = i.member_id
    join duly.accounts a on a.id = s.account_id
    join duly.products p on p.id = s.product_id
    left join duly.tax_rates t on t.id = p.tax_rate_id
    where i.run_id = p_run_id and i.shard = 0 and i.outcome is null and i.member_id > p_after
    order by i.member_id limit p_limit
$$;

-- Post the invoices of a page and note them on the run, in one commit.
create or replace function duly.bill_members(p_run_id text, p_batch jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_posted jsonb;
    v_billed integer;
begin
    select jsonb_object_agg(b.key, b.transaction_id) into v_posted from duly.post_invoices(p_batch) b;
    -- A second statement: what the first one posted is visible only from here on.
    update duly.run_items i
    set outcome = 'billed', transaction_id = t.id, settled_minor = t.total_minor, finished_at = now()
    from jsonb_array_elements(p_batch) e
    join duly.financial_transactions t on t.id = v_posted ->> (e ->> 'key')
    where i.run_id = p_run_id and i.member_id = e ->> 'member_id' and i.outcome is null;
    get diagnostics v_billed = row_count;
    return v_billed;
end $$;

create or replace function duly.park_member(p_run_id text, p_member_id text, p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.finish_run_item(p_run_id, p_member_id, 'parked', p_reason)
$$;
