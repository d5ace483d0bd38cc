-- Payouts that the bank's statement does not show as they were made: in several lines, or less a fee. A person says which lines
-- are it.

-- Take payments that a statement has put into suspense out of it, because they are parts of a payout; what they come to.
create or replace function duly.take_parts_of_payout(p duly.gateway_payouts, p_payments text[], p_actor text, p_reason text)
returns bigint language plpgsql as $$
declare
    t duly.financial_transactions;
    v_named text;
    v_sum bigint := 0;
begin
    foreach v_named in array p_payments loop
        select x.* into t from duly.financial_transactions x
        where x.id = coalesce((select n.transaction_id from duly.transaction_numbers n where n.number = v_named), v_named);
        if not found then
            perform duly.refuse('transaction_exists', format('payment: there is no transaction %s', v_named));
        end if;
        if not exists (select from duly.open_items o join duly.accounts a on a.id = t.account_id and a.kind = 'suspense'
                join duly.financial_transactions x on x.id = t.id and x.state = 'posted'
                where o.transaction_id = t.id and o.side = 'credit' and o.allocated_minor = 0)
            or t.classification <> 'payment' or t.idempotency_key not like 'bank:%' then
            perform duly.refuse('payment_is_in_suspense', format('payment: %s is no line of a bank statement that lies in suspense untouched; '
                'see suspense list', v_named));
        elsif t.currency <> p.currency then
            perform duly.refuse('currency_of_payout', format('payment: %s is in %s, and the payout in %s', v_named, t.currency, p.currency));
        end if;
        perform duly.cancel_payment('payout_line:' || t.id, t.id, p_actor => p_actor);
        perform duly.add_note(t.id, p_actor, format('It was the payout %s. %s', p.id, p_reason));
        v_sum := v_sum + t.total_minor;
    end loop;
    return v_sum;
end $$;

-- Let a payout arrive at the bank, or leave it again, by a person's word. Where the bank has credited it, `p_payments` are the lines of
-- its statement that lie in suspense; with the fee that the bank has kept they come to the payout. Where the bank was debited there are
-- none, because a statement's debits are not posted: `p_booked_on` is the day of the debit, and the fee comes on top of it.
create or replace function duly.end_payout(p_provider_id text, p_payout text, p_payments text[], p_fee_minor bigint, p_booked_on date,
    p_actor text, p_reason text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    p duly.gateway_payouts;
    v_minor bigint;
    v_lines bigint;
    v_day date := p_booked_on;
    v_key text;
begin
    -- The accounts are locked before the payout, as by a reconciliation that takes a line out of suspense.
    perform duly.lock_account(a.id) from duly.accounts a join duly.financial_transactions t on t.account_id = a.id
    where a.kind = 'suspense' and (t.id = any (p_payments) or t.id in (
        select n.transaction_id from duly.transaction_numbers n where n.number = any (p_payments)));
    select * into p from duly.gateway_payouts where provider_id = p_provider_id and id = p_payout for update;
    if not found then
        perform duly.refuse('payout_exists', format('payout: %s has no payout %s', p_provider_id, p_payout));
    end if;
    v_minor := (select x.amount_minor from duly.payouts_in_transit(p_provider_id) x where x.id = p_payout);
    if v_minor is null or p.returned_key is not null then
        perform duly.refuse('payout_is_in_transit', format('payout: nothing of %s is in transit', p_payout));
    elsif p_fee_minor < 0 then
        perform duly.refuse('fee_in_range', 'fee: must not be below 0');
    elsif v_minor < 0 and cardinality(p_payments) > 0 then
        perform duly.refuse('debit_has_no_payment', format('payment: the bank was debited for %s, which no payment shows; leave it out', p_payout));
    elsif v_minor < 0 and p_booked_on is null then
        perform duly.refuse('day_of_debit', 'on: say on which day the bank was debited');
    elsif v_minor > 0 and cardinality(p_payments) = 0 then
        perform duly.refuse('payments_of_payout', 'payment: name the payments in suspense that brought it; see suspense list');
    elsif v_minor > 0 and cardinality(p_payments) <> (select count(distinct coalesce(n.transaction_id, x.named))
            from unnest(p_payments) x (named) left join duly.transaction_numbers n on n.number = x.named) then
        perform duly.refuse('payment_named_once', 'payment: one of them is named twice');
    end if;
    v_lines := duly.take_parts_of_payout(p, p_payments, p_actor, p_reason);
    if v_minor > 0 and v_lines + p_fee_minor <> v_minor then
        perform duly.refuse('lines_come_to_payout', format('payment: %s and a fee of %s come to %s, and %s is %s',
            duly.shown_amount(v_lines, p.currency), duly.shown_amount(p_fee_minor, p.currency),
            duly.shown_amount(v_lines + p_fee_minor, p.currency), p_payout, duly.shown_amount(v_minor, p.currency)));
    end if;
    if v_day is null then
        select max(t.issued_on) into v_day from duly.financial_transactions t left join duly.transaction_numbers n on n.transaction_id = t.id
        where t.id = any (p_payments) or n.number = any (p_payments);
    end if;
    v_key := 'bank:' || p.id || case when p.arrived_key is not null then ':back' else '' end;
    perform duly.book_gateway_movement(v_key, case when v_minor > 0 then 'payout_arrived' else 'payout_withdrawn' end, p.provider_id,
        p.currency, abs(v_minor), p.id, v_day);
    if p_fee_minor > 0 then
        perform duly.book_gateway_movement(v_key || ':fee', 'payout_fee', p.provider_id, p.currency, p_fee_minor, p.id, v_day);
    end if;
    update duly.gateway_payouts set arrived_key = coalesce(arrived_key, 'ended:' || v_key),
        returned_key = case when p.arrived_key is not null then 'ended:' || v_key end
    where provider_id = p.provider_id and id = p.id;
    update duly.discrepancies set state = 'resolved', resolution = 'booked', actor = p_actor, reason = p_reason,
        closed_at = clock_timestamp()
    where provider_id = p.provider_id and object = p.id and kind in ('payout_not_arrived', 'payout_sent_back') and state = 'open';
    return jsonb_build_object('payout', p.id, 'amount_minor', v_minor, 'currency', p.currency, 'lines_minor', v_lines,
        'fee_minor', p_fee_minor, 'booked_on', v_day);
end $$;
