-- A payment request that is paid by a card on file (X62): who may says so, with why.

-- Keep who pays a request by which card, and return that card. Refused, with nothing written: it is over, its merchant takes nothing,
-- or no card of the account may be charged.
create or replace function duly.note_card_payment(p_id text, p_card_id text, p_actor text, p_because text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests;
    v_card duly.cards;
    v_decision text;
begin
    select * into strict q from duly.payment_requests where id = p_id for no key update;
    if q.closed_at is not null then
        perform duly.refuse('payment_request_open', format('request_id: %s is over', p_id));
    end if;
    perform duly.refuse_stopped(q.provider_id);
    v_card := duly.card_of_order(q.account_id, q.provider_id, p_card_id, '');
    if v_card.id is null then
        perform duly.refuse('card_required', format('card_id: %s has no card at %s that may be charged%s; register one, or send the link',
            q.account_id, q.provider_id, coalesce(' under ' || nullif(p_card_id, ''), '')));
    end if;
    v_decision := concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z charged to ', v_card.id, ', says ', p_actor, ': ', p_because);
    -- Whoever repeats the call has said it once.
    update duly.payment_requests set decisions = decisions || v_decision
    where id = p_id and decisions[cardinality(decisions)] is distinct from v_decision;
    return v_card.id;
end $$;
