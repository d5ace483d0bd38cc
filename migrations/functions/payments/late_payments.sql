-- Money that comes for a payment request that is over: the page was closed by the gateway's word, and paid all the same.

-- Order its refund, where the rule says so, and return the refund's id; null: it is kept. What was booked just now is `p_found`, and
-- `p_request` is what the page was opened for. A repeat orders nothing.
create or replace function duly.refund_late_payment(p_request duly.gateway_requests, p_found duly.gateway_requests) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests := duly.payment_request_of_receivable(p_request.account_id, p_request.period);
    v duly.payment_left := duly.payment_left(p_found.id);
    v_id text := 'late-' || p_found.gateway_reference;
begin
    if q.id is null or q.closed_at is null or (select late_payments from duly.refund_rules) <> 'refund' then
        return null;
    elsif exists (select from duly.gateway_requests where id = v_id) then
        return v_id;
    elsif v.request_id is null or v.left_minor <= 0 or v.is_disputed
        or (select state from duly.accounts where id = v.account_id) = 'terminated' then
        -- What is not refunded by itself is kept, and for a person.
        return null;
    end if;
    perform duly.write_refund(v, v_id, 'refund', v.left_minor, 'refund_rules',
        format('paid after payment request %s was over (%s)', q.id, q.end_reason), 'system', true);
    return v_id;
end $$;
