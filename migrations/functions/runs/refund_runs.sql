-- Refund runs: once a day, rewards that are due and accounts in credit get their money back through the gateway (X67, F120).

-- Fix who is in a refund run, once a day and provider: rewards whose provider it is, and accounts in credit as far as what
-- they paid through it can go back.
create or replace function duly.freeze_refund_run(p_run_id text, p_provider_id text, p_day date,
    p_over_nobody boolean default true) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_members integer;
begin
    insert into duly.refund_runs (id, provider_id, day) values (p_run_id, p_provider_id, p_day) on conflict (id) do nothing;
    if not found then return (select members from duly.refund_runs where id = p_run_id); end if;
    insert into duly.refund_run_items (run_id, member_id, kind, account_id, award_id, currency, amount_minor)
    select p_run_id, 'reward/' || d.award_id, 'reward', d.account_id, d.award_id, d.currency, d.amount_minor
    from duly.reductions d
    where d.state = 'awarded' and d.awarded_at + make_interval(days => (d.settings ->> 'hold_days')::integer) <= now()
      and not duly.is_sale_disputed(d) and duly.provider_of_reduction(d) = p_provider_id;
    if (select refunds_credit from duly.refund_rules) and duly.may_refund_credit() then
        insert into duly.refund_run_items (run_id, member_id, kind, account_id, currency, amount_minor)
        select p_run_id, 'credit/' || a.id, 'credit', a.id, a.currency, duly.chargeable_part(o.open_minor, a.currency)
        from duly.account_balances b join duly.accounts a on a.id = b.account_id and a.kind = 'customer' and a.state <> 'terminated'
        cross join lateral (select sum(f.left_minor)::bigint as left_minor from duly.refundable_payments(a.id, true, null) f
            where f.provider_id = p_provider_id) f
        cross join lateral (select least(-b.balance_minor - duly.not_refundable(a.id), f.left_minor) as open_minor) o
        where b.balance_minor < 0 and f.left_minor > 0 and duly.chargeable_part(o.open_minor, a.currency) > 0;
    end if;
    select count(*) into v_members from duly.refund_run_items where run_id = p_run_id;
    if v_members = 0 and not p_over_nobody then
        perform duly.refuse('somebody_is_due', format('%s is over nobody; over_nobody closes it all the same', p_run_id));
    end if;
    update duly.refund_runs set members = v_members where id = p_run_id;
    return v_members;
end $$;

-- The next members of a run by keyset. What goes back to an account in credit is reserved on its payments, once.
create or replace function duly.refund_page(p_run_id text, p_after text, p_limit integer)
returns table (member_id text, kind text, account_id text, award_id text, refunds jsonb)
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.plan_credit_refund(i) from duly.refund_run_items i
    where i.run_id = p_run_id and i.kind = 'credit' and i.refund_ids = '{}' and i.member_id in (
        select x.member_id from duly.refund_run_items x where x.run_id = p_run_id and x.member_id > p_after
        order by x.member_id limit p_limit);
    return query
    select i.member_id, i.kind, i.account_id, coalesce(i.award_id, ''), coalesce((
        select jsonb_agg(jsonb_build_object('refund_id', r.id, 'payment_id', duly.standing_payment(p.transaction_id),
            'amount_minor', r.amount_minor, 'provider', r.provider_id) order by r.id)
        from duly.gateway_requests r join duly.gateway_requests p on p.id = r.of_request_id where r.id = any (i.refund_ids)), '[]')
    from duly.refund_run_items i where i.run_id = p_run_id and i.member_id > p_after order by i.member_id limit p_limit;
end $$;

-- Reserve what an account has in credit on its payments through the run's provider. Under the account's lock: what the
-- bank's file or another provider's run has reserved meanwhile is left out.
create or replace function duly.plan_credit_refund(i duly.refund_run_items) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v record;
    v_provider text;
    v_open bigint;
    v_ids text[] := '{}';
    v_id text;
begin
    select provider_id into strict v_provider from duly.refund_runs where id = i.run_id;
    perform from duly.account_balances where account_id = i.account_id for no key update;
    select duly.chargeable_part(least(i.amount_minor, -balance_minor - duly.not_refundable(i.account_id)), i.currency)
    into v_open from duly.account_balances where account_id = i.account_id and duly.may_refund_credit();
    for v in select f.*, duly.payment_request_of(f.payment_id) as request_id
        from duly.refundable_payments(i.account_id, true, null) f where f.provider_id = v_provider
    loop
        exit when coalesce(v_open, 0) <= 0;
        -- A restored database that plans the day again makes the same names.
        v_id := 'credit_' || left(encode(sha256(convert_to(concat_ws('/', i.run_id, i.account_id, cardinality(v_ids) + 1),
            'utf8')), 'hex'), 32);
        perform duly.write_refund(duly.payment_left(v.request_id), v_id, 'refund', least(v_open, v.left_minor), 'system',
            'Negative balance, ' || i.run_id, 'system', true);
        v_ids := v_ids || v_id;
        v_open := v_open - least(v_open, v.left_minor);
    end loop;
    update duly.refund_run_items set refund_ids = v_ids where run_id = i.run_id and member_id = i.member_id;
end $$;

-- What of an account's credit is to go back already: refunds that are drafted, whoever pays them.
create or replace function duly.refunds_drafted(p_account_id text) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(sum(total_minor), 0)::bigint from duly.financial_transactions
    where account_id = p_account_id and classification = 'refund' and state = 'draft'
$$;

-- What has become of the members of a refund run behind one: as it is now while it goes on, as it was certified once it is over. `to_do`:
-- nothing has been asked for yet.
create or replace function duly.refund_run_members(p_run_id text, p_after text default '', p_limit integer default null)
returns table (member_id text, kind text, account_id text, award_id text, currency text, amount_minor bigint, refund_ids text[],
    refunded_minor bigint, outcome text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.member_id, m.kind, m.account_id, m.award_id, m.currency, m.amount_minor, m.refund_ids,
        coalesce(x.refunded_minor, m.refunded_minor), coalesce(m.outcome, x.outcome)
    from (select * from duly.refund_run_items i where i.run_id = p_run_id and i.member_id > p_after order by i.member_id limit p_limit) m
    left join lateral (
        select coalesce(sum(r.amount_minor) filter (where r.state = 'posted'), 0)::bigint as refunded_minor,
            case when bool_or(r.state in ('unknown', 'under_processing', 'pending')) then 'under_way'
                when bool_or(r.state = 'posted') then 'refunded'
                when bool_or(p.award_id is not null and p.request_id is null) then 'credited'
                when m.kind = 'reward' and bool_and(d.state = 'clawed_back') then 'clawed_back'
                when bool_or(r.state in ('rejected', 'reversed')) then 'rejected' else 'to_do' end as outcome
        from (select) one
        left join duly.reductions d on d.award_id = m.award_id
        left join duly.reduction_parts p on p.award_id = m.award_id
        left join duly.gateway_requests r on r.id = p.request_id or r.id = any (m.refund_ids)) x on m.outcome is null
    order by m.member_id
$$;

-- What the members of a refund run have come to, by kind, outcome and currency.
create or replace function duly.refund_run_totals(p_run_id text)
returns table (kind text, outcome text, currency text, members bigint, amount_minor bigint, settled_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.kind, m.outcome, m.currency, count(*), sum(m.amount_minor)::bigint, sum(m.refunded_minor)::bigint
    from duly.refund_run_members(p_run_id) m group by 1, 2, 3 order by 1, 2, 3
$$;

-- Close a refund run: what had become of every member by then, and a seal over all. `left`: no payment could be refunded.
create or replace function duly.certify_refund_run(p_run_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    u duly.refund_runs;
    v_seal text;
begin
    select * into strict u from duly.refund_runs where id = p_run_id for no key update;
    if u.certificate is not null then return u.certificate; end if;
    update duly.refund_run_items i set refunded_minor = x.refunded_minor,
        outcome = case when x.outcome = 'to_do' then 'left' else x.outcome end
    from duly.refund_run_members(p_run_id) x where i.run_id = p_run_id and i.member_id = x.member_id;
    select encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', member_id, currency, amount_minor, refunded_minor, outcome),
        E'\n' order by member_id), ''), 'utf8')), 'hex') into v_seal from duly.refund_run_items where run_id = p_run_id;
    update duly.refund_runs set completed_at = now(), certificate = jsonb_build_object('run_id', id, 'day', day,
        'members', members, 'sha256', v_seal, 'totals', (select coalesce(jsonb_agg(t order by t.kind, t.outcome, t.currency), '[]')
            from (select kind, outcome, currency, count(*) as members, sum(amount_minor)::bigint as amount_minor,
                sum(refunded_minor)::bigint as refunded_minor from duly.refund_run_items where run_id = p_run_id group by 1, 2, 3) t))
    where id = p_run_id returning * into u;
    return u.certificate;
end $$;
