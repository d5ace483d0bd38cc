-- Refunds by bank transfer: a month's list for the bank (F120).

-- Draft a month's refunds, all in one commit. Under the accounts' locks: what a gateway's run or another export has
-- drafted meanwhile is left out, so that a credit goes back once. Returns how many are new.
create or replace function duly.draft_bank_refunds(p_reason text, p_actor text, p_refunds jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v record;
    v_drafted integer := 0;
    v_period text;
begin
    -- A month is one decision: what the schedule has drafted for it takes nobody in, and has no file before its release.
    v_period := split_part(p_refunds -> 'rows' -> 0 ->> 'key', ':', 2);
    perform pg_advisory_xact_lock(hashtextextended('bank_refunds:' || v_period, 0));
    perform duly.require_no_missing_refund_file();
    if exists (select from duly.bank_refund_months m where m.period = v_period and m.state in ('waiting', 'rejected')) then
        perform duly.refuse('month_is_released', format('%s was drafted by the schedule: duly refunds release', v_period));
    end if;
    perform duly.lock_accounts(array(select x ->> 'account_id' from jsonb_array_elements(p_refunds -> 'rows') x));
    for v in
        select x ->> 'key' as key, b.account_id, x ->> 'currency' as currency,
            least((x ->> 'amount_minor')::bigint, -b.balance_minor - duly.not_refundable(b.account_id)) as amount_minor
        from jsonb_array_elements(p_refunds -> 'rows') x
        join duly.account_balances b on b.account_id = x ->> 'account_id' order by b.account_id
    loop
        continue when v.amount_minor <= 0;
        perform duly.create_refund(v.key, v.account_id, v.amount_minor, v.currency, 'bank_transfer', p_draft => true,
            p_issue_reason => p_reason, p_origin => 'system', p_actor => p_actor);
        v_drafted := v_drafted + 1;
    end loop;
    return v_drafted;
end $$;

create or replace function duly.bank_refund_month(p_period text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('period', m.period, 'state', m.state, 'refunds', m.refunds, 'actor', m.actor, 'reason', m.reason)
    from duly.bank_refund_months m where m.period = p_period
$$;

-- Draft a month's refunds for the schedule, once, in one commit; they wait for a person. What somebody has exported by
-- hand before is that person's decision, and nobody is added to it.
create or replace function duly.open_bank_refunds(p_period text, p_reason text, p_refunds jsonb) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_before integer;
    v_drafted integer := 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('bank_refunds:' || p_period, 0));
    if not exists (select from duly.bank_refund_months where period = p_period) then
        perform duly.require_no_missing_refund_file();
        select count(*) into v_before from duly.financial_transactions t
            where t.idempotency_key >= format('refund:%s:', p_period) and t.idempotency_key < format('refund:%s;', p_period);
        if v_before = 0 then
            v_drafted := duly.draft_bank_refunds(p_reason, 'system', p_refunds);
        end if;
        insert into duly.bank_refund_months (period, state, refunds, decided_at, actor, reason)
        values (p_period, case when v_before > 0 then 'released' when v_drafted > 0 then 'waiting' else 'empty' end,
            v_before + v_drafted, case when v_before > 0 then clock_timestamp() end,
            case when v_before > 0 then 'system' else '' end,
            case when v_before > 0 then 'exported by hand before' else '' end);
    end if;
    return duly.bank_refund_month(p_period);
end $$;

-- A person's decision about a month that waits. Rejecting a month rejects what waits in it: the credit comes with the next month.
-- The same decision again is the first one's.
create or replace function duly.decide_bank_refunds(p_period text, p_state text, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.bank_refund_months;
    v record;
begin
    -- As `refunds adopt` has it: what is adopted at this moment is at the bank, and is not rejected.
    perform pg_advisory_xact_lock(hashtextextended('bank_refunds:' || p_period, 0));
    select * into m from duly.bank_refund_months where period = p_period for update;
    perform duly.require_no_missing_refund_file();
    if m.period is null or m.state not in ('waiting', p_state) then
        perform duly.refuse('bank_refunds_wait', format('the refunds of %s are %s, so there is nothing to decide', p_period,
            coalesce(m.state, 'not drafted')));
    end if;
    if m.state = 'waiting' then
        if p_state = 'rejected' then
            for v in select t.id, t.account_id from duly.financial_transactions t where t.state = 'draft'
                -- What is at the bank is the bank's to answer.
                and not exists (select from duly.refunds_at_bank b where b.transaction_id = t.id)
                and t.idempotency_key >= format('refund:%s:', p_period) and t.idempotency_key < format('refund:%s;', p_period)
                order by t.account_id
            loop
                perform duly.reject_refund(v.id, 'declined');
            end loop;
        end if;
        update duly.bank_refund_months set state = p_state, decided_at = clock_timestamp(), actor = p_actor, reason = p_reason
            where period = p_period;
    end if;
    return duly.bank_refund_month(p_period);
end $$;

-- Operators are asked for a month's release, while it waits; each `time` is one message.
create or replace function duly.ask_for_bank_release(p_period text, p_time integer, p_found jsonb) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.write_message('bank_refunds_wait', '', p_period, '', p_found, p_time::text)
    from duly.bank_refund_months where period = p_period and state = 'waiting'
$$;
