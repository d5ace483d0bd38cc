-- What of a payment has moved to a merchant, what is still to be moved, and what the platform owes it.

-- What has moved for a cause and not come back: positive is with the merchant.
create or replace function duly.moved_for(p_id bigint, p_cause text) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(sum(case kind when 'transfer' then amount_minor else -amount_minor end), 0)::bigint
    from duly.merchant_transfer_moves where transfer_id = p_id and cause = p_cause and state = 'moved'
$$;

-- What is still to be moved for a cause: positive goes to the merchant, negative is taken back.
create or replace function duly.left_to_move(t duly.merchant_transfers, p_cause text) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select -case p_cause when 'refund' then t.refunded_minor else t.lost_minor end - duly.moved_for(t.id, p_cause)
$$;

-- What a merchant has of a payment more than the ledger says is its own; below zero, what it lacks.
create or replace function duly.excess_of_merchant(t duly.merchant_transfers) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select (coalesce(sum(case kind when 'transfer' then amount_minor else -amount_minor end), 0)
        - (t.captured_minor - t.refunded_minor - t.lost_minor))::bigint
    from duly.merchant_transfer_moves where transfer_id = t.id and state = 'moved'
$$;

-- What to move for a cause now. What somebody else has moved already, or the gateway in passing on another amount, is not moved again: then
-- no more goes either way than the merchant has too much, or lacks.
create or replace function duly.move_due(t duly.merchant_transfers, p_cause text) returns bigint
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_left constant bigint := duly.left_to_move(t, p_cause);
    v_excess constant bigint := duly.excess_of_merchant(t);
begin
    if v_left = 0 or duly.moved_for(t.id, 'outside') = 0 and duly.moved_for(t.id, 'payment') = t.captured_minor then return v_left; end if;
    return case when v_left < 0 then -least(-v_left, greatest(v_excess, 0)) else least(v_left, greatest(-v_excess, 0)) end;
end $$;

-- What the platform owes a merchant and has not passed on, by currency; below zero, what the merchant has too much.
create or replace function duly.owed_to_merchant(p_merchant_id text) returns table (currency text, minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select t.currency, sum(t.credit_minor - t.debit_minor)::bigint from duly.trial_balance() t
    join duly.providers p on t.ledger_account = 'merchant_payables:' || p.id
    where p.merchant_id = p_merchant_id group by t.currency having sum(t.credit_minor - t.debit_minor) <> 0 order by t.currency
$$;
