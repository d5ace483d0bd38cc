-- The amount of a request that is the payer's to choose.

-- Keep whose link opens the page, and what that payer has chosen: the next page asks for it. Refused beyond the limits, and what a gateway does not take. A
-- page that is open asks for what was chosen before, and is closed before another is opened; who pays it all the same has paid.
create or replace function duly.note_page_order(p_id text, p_amount bigint, p_payer integer) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests;
begin
    select * into strict q from duly.payment_requests where id = p_id;
    perform from duly.account_balances where account_id = q.account_id for no key update;
    select * into strict q from duly.payment_requests where id = p_id for no key update;
    update duly.payment_requests set opened_by = p_payer where id = p_id and opened_by <> p_payer and closed_at is null;
    if q.closed_at is null and q.amount_minor <> p_amount and (q.most_minor is not null or p_amount <> 0) then
        if q.most_minor is null then
            perform duly.refuse('amount_within_limits', format('amount_minor: request %s asks for a fixed amount', p_id));
        elsif p_amount not between q.least_minor and q.most_minor then
            perform duly.refuse('amount_within_limits', format('amount_minor: must be from %s to %s',
                duly.shown_amount(q.least_minor, q.currency), duly.shown_amount(q.most_minor, q.currency)));
        end if;
        perform duly.refuse_unpayable(q.account_id, q.provider_id, p_amount, q.currency);
        update duly.payment_requests set amount_minor = p_amount where id = p_id returning * into q;
        update duly.collections set amount_minor = p_amount, asked_minor = p_amount
        where account_id = q.account_id and period = q.period;
    end if;
    return duly.payment_request_view(q);
end $$;
