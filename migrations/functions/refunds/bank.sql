-- Refunds by bank transfer: a month's list for the bank (F120).

-- Draft a month's refunds, all in one commit. Under the accounts' locks: what a gateway's run or another export has
-- drafted meanwhile is left out, so that a credit goes back once. Returns how many are new.
create or replace function duly.draft_bank_refunds(p_reason text, p_actor text, p_refunds jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v record;
    v_drafted integer := 0;
begin
    perform duly.lock_accounts(array(select x ->> 'account_id' from jsonb_array_elements(p_refunds -> 'rows') x));
    for v in
        select x ->> 'key' as key, b.account_id, x ->> 'currency' as currency,
            least((x ->> 'amount_minor')::bigint, -b.balance_minor - duly.refunds_drafted(b.account_id)) as amount_minor
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
