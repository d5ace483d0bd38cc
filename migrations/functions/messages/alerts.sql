-- Alerts to operators (S22, S24, S40 to S42), each once by its id: found in sets, after a run or with a collection's step.

-- Tell operators of accounts that were declined several times within the window (S41): once a window.
create or replace function duly.alert_of_failures(p_accounts text[]) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_rule duly.alert_rules;
    v_failing text[];
begin
    select * into v_rule from duly.alert_rules;
    select array_agg(f.account_id order by f.account_id) into v_failing from (
        select r.account_id from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
        where r.account_id = any (p_accounts) and r.kind = 'payment' and a.outcome = 'declined'
          and a.finished_at > now() - make_interval(days => v_rule.failures_days)
        group by r.account_id having count(*) >= v_rule.failures_min) f;
    if v_failing is null then return; end if;
    -- Two collections of one account may look at the same moment: under its lock one of them finds the other's alert.
    perform from duly.account_balances where account_id = any (v_failing) order by account_id for no key update;
    insert into duly.messages (id, audience, kind, account_id, period, parameters)
    select concat_ws('/', 'several_failures', f.account_id, f.period, f.attempt), 'operator', 'several_failures',
        f.account_id, f.period, jsonb_build_object('failures', f.failures, 'days', v_rule.failures_days)
    from (
        select distinct on (r.account_id) r.account_id, r.period, a.attempt, count(*) over (partition by r.account_id) as failures
        from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
        where r.account_id = any (v_failing) and r.kind = 'payment' and a.outcome = 'declined'
          and a.finished_at > now() - make_interval(days => v_rule.failures_days)
        order by r.account_id, a.finished_at desc) f
    where not exists (
        select from duly.messages m
        where m.account_id = f.account_id and m.kind = 'several_failures' and m.audience = 'operator'
          and m.created_at > now() - make_interval(days => v_rule.failures_days))
    on conflict (id) do nothing;
end $$;

-- Tell operators of amounts far above the mean of the account's last payments (S42): once a receivable.
create or replace function duly.alert_of_amounts(p_accounts text[], p_period text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.messages (id, audience, kind, account_id, period, run_id, parameters)
    select concat_ws('/', 'unusual_amount', r.account_id, r.period), 'operator', 'unusual_amount', r.account_id, r.period,
        coalesce(r.run_id, ''), jsonb_build_object('amount_minor', r.amount_minor, 'currency', r.currency,
            'usual_minor', round(usual.mean)::bigint, 'payments', usual.payments)
    from duly.alert_rules rule
    cross join duly.gateway_requests r
    cross join lateral (
        select avg(p.amount_minor) as mean, count(*) as payments from (
            select b.amount_minor from duly.gateway_requests b
            where b.account_id = r.account_id and b.kind = 'payment' and b.state = 'posted' and b.currency = r.currency
              and b.id <> r.id and b.created_at <= r.created_at
            order by b.executed_at desc limit 12) p) usual
    where r.account_id = any (p_accounts) and r.period = p_period and r.kind = 'payment'
      and usual.payments >= rule.unusual_payments_min and r.amount_minor > rule.unusual_factor * usual.mean
    on conflict (id) do nothing
$$;

-- Tell operators how many payments of a run failed, and why (S22): once a run.
create or replace function duly.alert_of_run(p_run_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.write_message('payments_failed', '', '', r.id, jsonb_build_object('members', f.members, 'reasons', f.reasons), r.id)
    from duly.process_runs r cross join lateral (
        select sum(g.members)::bigint as members, jsonb_object_agg(g.reason, g.members) as reasons from (
            select case when i.reason = '' then i.outcome else i.reason end as reason, count(*) as members
            from duly.run_items i
            where i.run_id = r.id and i.outcome in ('in_dunning', 'unknown', 'parked') group by 1) g) f
    where r.id = p_run_id and r.kind = 'payment' and f.members > 0
$$;

-- Look for alerts among the next members of a run, by keyset; empty at the end.
create or replace function duly.alert_of_members(p_run_id text, p_after text, p_limit integer) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_period text;
    v_all text[];
    v_failed text[];
begin
    select duly.month_of_period(period) into v_period from duly.process_runs where id = p_run_id and kind = 'payment';
    select array_agg(m.member_id order by m.member_id), array_agg(m.member_id) filter (where m.outcome = 'in_dunning')
    into v_all, v_failed from (
        select member_id, outcome from duly.run_items
        where run_id = p_run_id and member_id > p_after order by member_id limit p_limit) m;
    if v_period is null or v_all is null then return ''; end if;
    perform duly.alert_of_amounts(v_all, v_period);
    perform duly.alert_of_blocked(p_run_id, v_period, v_all);
    perform duly.alert_of_failures(coalesce(v_failed, '{}'));
    return v_all[cardinality(v_all)];
end $$;

-- Write the message of a collection's step, and the alerts it gives rise to; return what there is to send about it.
create or replace function duly.notify(p_account_id text, p_period text, p_kind text, p_transition text, p_parameters jsonb) returns text[]
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_run_id text;
    v_is_alert boolean := p_kind = 'needs_review';
begin
    select run_id into v_run_id from duly.collections where account_id = p_account_id and period = p_period;
    if p_kind <> '' and (v_is_alert or duly.notifies_customer(p_account_id, p_period, v_run_id)) then
        perform duly.write_message(p_kind, p_account_id, p_period, v_run_id, p_parameters, p_transition);
    end if;
    -- A run reports its failures in one message; what no run began has a message of its own.
    if v_run_id is null and p_kind in ('declined', 'card_needed', 'action_required') then
        perform duly.write_message('payment_failed', p_account_id, p_period, '', p_parameters);
    end if;
    perform duly.alert_of_failures(array[p_account_id]);
    perform duly.alert_of_amounts(array[p_account_id], p_period);
    return array(select id from duly.messages where account_id = p_account_id and state = 'pending' order by id);
end $$;

-- Tell operators of a payment that the gateway suspects: once for each of its warnings and reviews, however often the event comes.
create or replace function duly.alert_of_fraud(p_request_id text, p_object_id text, p_type text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.write_message('fraud_suspected', r.account_id, '', r.run_id, jsonb_build_object('amount_minor', r.amount_minor,
        'currency', r.currency, 'payment_id', r.transaction_id, 'request', r.id, 'object', p_object_id, 'type', p_type), p_object_id)
    from duly.gateway_requests r where r.id = p_request_id
$$;

-- What has become of a payment that is suspected: `disputed`, all of it `refunded`, or nothing yet. An inquiry may still end by a refund.
create or replace function duly.standing_of_suspected(p_request_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case
        when exists (select from duly.disputes d where d.request_id = r.id and d.state not in ('inquiry', 'closed')) then 'disputed'
        when r.amount_minor <= (select coalesce(sum(b.amount_minor), 0) from duly.gateway_requests b
            where b.of_request_id = r.id and b.state not in ('rejected', 'reversed')) then 'refunded'
        else '' end
    from duly.gateway_requests r where r.id = p_request_id
$$;

-- Tell operators of money for invoices that were written off, in the commit that books it: once a payment, by hand, by a bank's file or by
-- a gateway. What a bank leaves of a payment that it takes back is no new money.
create or replace function duly.alert_of_written_off(t duly.financial_transactions) returns void language plpgsql as $$
declare
    v_numbers text[];
begin
    select array_agg(n.number order by n.number) into v_numbers
    from duly.financial_transactions i join duly.transaction_numbers n on n.transaction_id = i.id
    where i.id = any (t.addressed_invoice_ids) and i.state = 'written_off';
    if v_numbers is null or t.type_id = 'payment_kept' then return; end if;
    perform duly.write_message('written_off_paid', t.account_id, '', '', jsonb_build_object('amount_minor', t.total_minor,
        'currency', t.currency, 'payment_id', t.id, 'object', array_to_string(v_numbers[:20], ', ')), t.id);
end $$;
