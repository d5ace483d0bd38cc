-- Back-end reductions: a customer pays the full price at a participating merchant, and the reward's discount goes back to
-- them through the gateway (F134 to F136, X65 to X70).

-- A merchant's settings: its own over those of its group; null without any.
create or replace function duly.reduction_settings(m duly.merchants) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select case when m.reduction is null and g.reduction is null then null
        else coalesce(g.reduction, '{}') || coalesce(m.reduction, '{}') end
    from (select m.group_id) x left join duly.merchant_groups g on g.id = x.group_id
$$;

-- Merchants and their groups as a file says, each with the product that books its rewards.
create or replace function duly.apply_merchants(p_groups jsonb, p_merchants jsonb) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m jsonb;
begin
    insert into duly.merchant_groups as t (id, name, reduction)
    select g ->> 'id', g ->> 'name', g -> 'reduction' from jsonb_array_elements(p_groups -> 'rows') g
    on conflict (id) do update set name = excluded.name, reduction = excluded.reduction;
    for m in select * from jsonb_array_elements(p_merchants -> 'rows') loop
        if m ->> 'group_id' is not null and not exists (select from duly.merchant_groups where id = m ->> 'group_id') then
            perform duly.refuse('group_exists', format('group: %s of merchant %s is not there', m ->> 'group_id', m ->> 'id'));
        elsif m ->> 'account_id' is not null and not exists (
            select from duly.accounts where id = m ->> 'account_id' and currency = m ->> 'currency') then
            perform duly.refuse('account_exists',
                format('account: merchant %s has no account %s in %s', m ->> 'id', m ->> 'account_id', m ->> 'currency'));
        end if;
        perform duly.require_flow(m ->> 'id', coalesce(m ->> 'flow', 'direct'), m ->> 'currency', m ->> 'account_id');
        insert into duly.merchants as t (id, group_id, name, currency, account_id, is_effective, reduction, flow)
        values (m ->> 'id', m ->> 'group_id', m ->> 'name', m ->> 'currency', m ->> 'account_id',
            (m ->> 'is_effective')::boolean, nullif(m -> 'reduction', 'null'), coalesce(m ->> 'flow', 'direct'))
        on conflict (id) do update set group_id = excluded.group_id, name = excluded.name, currency = excluded.currency,
            account_id = excluded.account_id, is_effective = excluded.is_effective, reduction = excluded.reduction,
            flow = excluded.flow;
        insert into duly.products (id, name, ledger_account)
        values ('reward_' || (m ->> 'id'), 'Reward of ' || (m ->> 'name'), 'reward_expense:' || (m ->> 'id'))
        on conflict (id) do update set name = excluded.name;
    end loop;
end $$;

-- Whether a merchant may award it (X66 to X69). Limits are of a day in UTC; null is no limit.
create or replace function duly.check_reduction(m duly.merchants, p_settings jsonb, p_account_id text, p_amount_minor bigint,
    p_currency text) returns void language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    o duly.accounts;
    v_day bigint;
    v_customer bigint;
begin
    select * into o from duly.accounts where id = p_account_id and kind = 'customer';
    select coalesce(sum(amount_minor), 0), coalesce(sum(amount_minor) filter (where account_id = p_account_id), 0)
    into v_day, v_customer from duly.reductions
    where merchant_id = m.id and awarded_at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC';
    if m.id is null then
        perform duly.refuse('merchant_exists', 'merchant: there is no such merchant');
    elsif o.id is null then
        perform duly.refuse('account_exists', format('account: %s does not exist', p_account_id));
    elsif not m.is_effective then
        perform duly.refuse('merchant_effective', format('merchant: %s is not effective', m.id));
    elsif p_settings is null then
        perform duly.refuse('merchant_has_settings', format('merchant: %s has no back-end reduction settings', m.id));
    elsif not (p_settings ->> 'is_effective')::boolean then
        perform duly.refuse('reductions_effective', format('merchant: reductions of %s are not effective', m.id));
    elsif not exists (select from duly.provider_methods p join duly.providers v on v.id = p.provider_id and v.state = 'effective'
            join duly.payment_methods y on y.id = p.payment_method_id and y.is_active
            where p.payment_method_id = p_settings ->> 'method') then
        perform duly.refuse('refund_method_exists',
            format('method: %s is on no effective provider, so nothing can be refunded by it', p_settings ->> 'method'));
    elsif o.state = 'terminated' then
        perform duly.refuse('account_not_terminated', format('account: %s is terminated', o.id));
    elsif p_currency <> m.currency or p_currency <> o.currency then
        perform duly.refuse('currency_of_merchant',
            format('currency: %s must be that of merchant %s and of account %s', p_currency, m.id, o.id));
    elsif p_amount_minor % duly.charge_step(p_currency) <> 0 then
        perform duly.refuse('amount_in_steps', format('amount: the gateway takes steps of %s, not %s',
            duly.shown_amount(duly.charge_step(p_currency), p_currency), duly.shown_amount(p_amount_minor, p_currency)));
    elsif p_amount_minor > (p_settings ->> 'max_award_minor')::bigint then
        perform duly.refuse('award_limit', format('amount: %s is above the limit of an award, %s',
            duly.shown_amount(p_amount_minor, p_currency), duly.shown_amount((p_settings ->> 'max_award_minor')::bigint, p_currency)));
    elsif v_day + p_amount_minor > (p_settings ->> 'max_day_minor')::bigint then
        perform duly.refuse('day_limit', format('amount: the awards of %s today would be above the limit of a day', m.id));
    elsif v_customer + p_amount_minor > (p_settings ->> 'max_customer_day_minor')::bigint then
        perform duly.refuse('customer_limit',
            format('amount: the awards of %s to %s today would be above the limit of a customer', m.id, o.id));
    end if;
end $$;

-- Write an award down, or refuse it with the rule. The same award again is the same reduction.
create or replace function duly.open_reduction(p_award_id text, p_merchant_id text, p_account_id text, p_amount_minor bigint,
    p_currency text, p_payment_id text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.reductions;
    m duly.merchants;
    v_settings jsonb;
begin
    perform pg_advisory_xact_lock(hashtext('duly.reductions'), hashtext(p_merchant_id));
    select * into d from duly.reductions where award_id = p_award_id;
    if found then
        if (d.merchant_id, d.account_id, d.amount_minor, d.currency, coalesce(d.payment_id, ''))
            is distinct from (p_merchant_id, p_account_id, p_amount_minor, p_currency, p_payment_id) then
            perform duly.refuse('id_means_one_award', format('award: %s was used for another award', p_award_id));
        end if;
        return duly.reduction_view(d);
    end if;
    select * into m from duly.merchants where id = p_merchant_id;
    v_settings := duly.reduction_settings(m);
    perform duly.check_reduction(m, v_settings, p_account_id, p_amount_minor, p_currency);
    if p_payment_id <> '' and not exists (select from duly.financial_transactions
        where id = p_payment_id and classification = 'payment' and account_id = p_account_id and state in ('posted', 'cancelled')) then
        perform duly.refuse('payment_exists', format('payment: %s is no payment of %s', p_payment_id, p_account_id));
    end if;
    insert into duly.reductions (award_id, merchant_id, account_id, payment_id, amount_minor, currency, settings)
    values (p_award_id, p_merchant_id, p_account_id, nullif(p_payment_id, ''), p_amount_minor, p_currency, v_settings)
    returning * into d;
    return duly.reduction_view(d);
end $$;

create or replace function duly.reduction_view(d duly.reductions) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_parts jsonb;
    v_granted bigint;
    v_reserved bigint;
begin
    select coalesce(jsonb_agg(jsonb_build_object('part', p.part, 'refund_id', coalesce(p.request_id, ''),
            'payment_id', coalesce(duly.standing_payment(s.transaction_id), ''),
            'amount_minor', p.amount_minor, 'state', case when p.undone_by is not null then 'undone'
                when p.request_id is null then 'credited' else r.state end, 'code', coalesce(r.error_code, '')) order by p.part), '[]'),
        coalesce(sum(p.amount_minor) filter (where p.undone_by is null and p.credit_id is not null), 0),
        coalesce(sum(p.amount_minor) filter (where p.undone_by is null
            and (p.request_id is null or r.state not in ('rejected', 'reversed'))), 0)
    into v_parts, v_granted, v_reserved
    from duly.reduction_parts p left join duly.gateway_requests r on r.id = p.request_id
        left join duly.gateway_requests s on s.id = r.of_request_id
    where p.award_id = d.award_id;
    return jsonb_build_object('award_id', d.award_id, 'merchant_id', d.merchant_id, 'account_id', d.account_id,
        'payment_id', coalesce(d.payment_id, ''), 'amount_minor', d.amount_minor, 'currency', d.currency,
        'settings', d.settings, 'state', d.state, 'reason', d.reason, 'awarded_at', d.awarded_at, 'parts', v_parts,
        'granted_minor', v_granted, 'open_minor', d.amount_minor - v_reserved,
        'is_disputed', duly.is_sale_disputed(d), 'is_sale_returned', duly.is_sale_returned(d));
end $$;

-- The provider through which a reward goes back: where its refunds were requested, that of the sale, that of the payment
-- that would be refunded first, or of the last one; without any of these the first that is effective, which credits it.
create or replace function duly.provider_of_reduction(d duly.reductions) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(
        (select r.provider_id from duly.reduction_parts p join duly.gateway_requests r on r.id = p.request_id
            where p.award_id = d.award_id order by p.part limit 1),
        (select r.provider_id from duly.gateway_requests r where r.id = duly.payment_request_of(d.payment_id)),
        (select f.provider_id from duly.refundable_payments(d.account_id, (d.settings ->> 'is_newest_first')::boolean,
            (d.settings ->> 'max_age_days')::integer) f limit 1),
        (select r.provider_id from duly.gateway_requests r where r.account_id = d.account_id and r.kind = 'payment'
            order by r.created_at desc limit 1),
        (select v.id from duly.providers v order by v.state <> 'effective', v.id limit 1))
$$;

-- The payments that a reduction hangs on: the sale's own, and those it was refunded from.
create or replace function duly.sale_requests(d duly.reductions) returns setof text
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.payment_request_of(d.payment_id) where d.payment_id is not null
    union
    select r.of_request_id from duly.reduction_parts p join duly.gateway_requests r on r.id = p.request_id
    where p.award_id = d.award_id and p.undone_by is null and r.state not in ('rejected', 'reversed')
$$;

create or replace function duly.is_sale_disputed(d duly.reductions) returns boolean
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    return exists (select from duly.disputes x where x.request_id in (select duly.sale_requests(d))
        and x.state in ('inquiry', 'open'));
end $$;

-- Whether a payment it hangs on was cancelled or charged back, a part of it too: then the reward is not owed.
create or replace function duly.is_sale_returned(d duly.reductions) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.financial_transactions where id = duly.moved_payment(d.payment_id) and state = 'cancelled')
    or exists (select from duly.sale_requests(d) s join duly.gateway_requests p on p.id = s
        join duly.financial_transactions t on t.id = duly.moved_payment(p.transaction_id) where t.state = 'cancelled')
$$;
