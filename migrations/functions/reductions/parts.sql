-- The parts of a reduction: planned under the account's lock, booked in the commit of what the gateway said, undone by new
-- transactions.

-- Reserve what is open of a reduction on refundable payments, over several when needed: request and draft for each
-- part. The sale's own payment alone when it is known; as a remedy, any other as well.
create or replace function duly.plan_reduction(p_award_id text, p_is_remedy boolean) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.reductions;
    v record;
    v_open bigint;
    v_part integer;
    v_take bigint;
begin
    perform duly.take_recovered_parts(p_award_id);
    select * into strict d from duly.reductions where award_id = p_award_id;
    perform from duly.account_balances where account_id = d.account_id for no key update;
    select * into strict d from duly.reductions where award_id = p_award_id for no key update;
    v_open := (duly.reduction_view(d) ->> 'open_minor')::bigint;
    select coalesce(max(part), 0) into v_part from duly.reduction_parts where award_id = p_award_id;
    for v in
        select f.*, duly.payment_request_of(f.payment_id) as request_id
        from duly.refundable_payments(d.account_id, (d.settings ->> 'is_newest_first')::boolean,
            (d.settings ->> 'max_age_days')::integer) f
        where d.payment_id is null or duly.payment_request_of(f.payment_id) = duly.payment_request_of(d.payment_id)
            or p_is_remedy
    loop
        exit when v_open <= 0 or v_part >= 100;
        -- A payment whose refund has failed once is not tried again.
        continue when exists (select from duly.reduction_parts p join duly.gateway_requests r on r.id = p.request_id
            where p.award_id = p_award_id and r.of_request_id = v.request_id);
        v_take := least(v_open, v.left_minor);
        v_part := v_part + 1;
        v_open := v_open - v_take;
        perform duly.write_refund(duly.payment_left(v.request_id), p_award_id || '.' || v_part, 'refund', v_take, 'system',
            'Reward ' || p_award_id, 'system', true);
        insert into duly.reduction_parts (award_id, part, request_id, amount_minor)
        values (p_award_id, v_part, p_award_id || '.' || v_part, v_take);
    end loop;
    update duly.reductions set state = 'refunding', closed_at = null
    where award_id = p_award_id and state in ('awarded', 'granted') returning * into d;
    select * into strict d from duly.reductions where award_id = p_award_id;
    return duly.reduction_view(d);
end $$;

-- Refunds of this reward that were recovered from the gateway after a restore, which had forgotten the reward: they are its parts.
create or replace function duly.take_recovered_parts(p_award_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    p duly.reduction_parts;
begin
    for r in
        select q.* from duly.gateway_requests q join duly.reductions d on d.award_id = p_award_id and d.account_id = q.account_id
        where q.id > p_award_id || '.' and q.id < p_award_id || '/' and q.id ~ '\.[0-9]{1,3}$' and q.kind = 'refund'
          and length(q.id) <= length(p_award_id) + 4
          and not exists (select from duly.reduction_parts x where x.request_id = q.id) order by length(q.id), q.id
    loop
        perform duly.lock_reduction(p_award_id);
        insert into duly.reduction_parts (award_id, part, request_id, amount_minor)
        values (p_award_id, substr(r.id, length(p_award_id) + 2)::integer, r.id, r.amount_minor)
        on conflict do nothing returning * into p;
        continue when not found;
        select * into strict r from duly.gateway_requests where id = r.id;
        if r.state = 'posted' then perform duly.book_part(p, r.transaction_id); end if;
    end loop;
end $$;

create or replace function duly.reward_line(p_merchant_id text, p_award_id text, p_amount_minor bigint) returns jsonb
language sql immutable as $$
    select jsonb_build_array(jsonb_build_object('product_id', 'reward_' || p_merchant_id, 'description', 'Reward ' || p_award_id,
        'quantity', 1, 'unit_price_minor', p_amount_minor, 'discount_minor', 0, 'net_minor', p_amount_minor, 'tax_minor', 0,
        'total_minor', p_amount_minor))
$$;

-- Two sides of one event settle each other, and nothing else that is open on the account.
create or replace function duly.allocate_pair(p_account_id text, p_credit_id text, p_debit_id text, p_amount_minor bigint) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.deallocate(p_credit_id);
    perform duly.deallocate(p_debit_id);
    perform duly.allocate(p_account_id, p_credit_id, p_debit_id, p_amount_minor);
    perform duly.allocate_fifo(p_account_id);
end $$;

-- The reward's expense as a credit of the customer, and the merchant's share of it as an invoice (X68).
create or replace function duly.book_part(p duly.reduction_parts, p_refund_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.reductions;
    m duly.merchants;
    v_key text := 'reduction:' || p.award_id || ':' || p.part;
    v_share bigint;
begin
    select * into strict d from duly.reductions where award_id = p.award_id;
    select * into strict m from duly.merchants where id = d.merchant_id;
    if (select state from duly.accounts where id = d.account_id) = 'terminated' then
        -- Its refund went to suspense; there a person finds it.
        update duly.reductions set decisions = decisions || format('part %s: the account has ended, see suspense', p.part)
        where award_id = d.award_id;
        return;
    end if;
    p.credit_id := (duly.create_credit_note(v_key || ':credit', d.account_id, d.currency,
        duly.reward_line(m.id, d.award_id, p.amount_minor), p_origin => 'system')).transaction_id;
    if p_refund_id is not null then
        perform duly.allocate_pair(d.account_id, p.credit_id, p_refund_id, p.amount_minor);
    end if;
    v_share := duly.chargeable_part(round(p.amount_minor * (d.settings ->> 'contribution_percent')::numeric / 100)::bigint,
        d.currency);
    -- What went back of the merchant's own money it has borne whole: the platform's part is its credit.
    if duly.is_borne_by_merchant(p.request_id, m.id) then v_share := v_share - p.amount_minor; end if;
    if v_share <> 0 and exists (select from duly.accounts where id = m.account_id and state <> 'terminated') then
        if v_share > 0 then
            p.share_id := (duly.create_invoice(v_key || ':share', m.account_id, d.currency,
                duly.reward_line(m.id, d.award_id, v_share), p_origin => 'system')).transaction_id;
        else
            p.share_id := (duly.create_credit_note(v_key || ':share', m.account_id, d.currency,
                duly.reward_line(m.id, d.award_id, -v_share), p_origin => 'system')).transaction_id;
        end if;
    end if;
    update duly.reduction_parts set credit_id = p.credit_id, share_id = p.share_id
    where award_id = p.award_id and part = p.part;
end $$;

-- Whether a refund was of the merchant's own money: made on its account, or of a payment that was passed on to it.
create or replace function duly.is_borne_by_merchant(p_refund_request_id text, p_merchant_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.gateway_requests r
        left join duly.merchant_transfers t on t.request_id = r.of_request_id
        join duly.providers p on p.id = coalesce(t.merchant_provider_id, r.provider_id)
        where r.id = p_refund_request_id and p.merchant_id = p_merchant_id)
$$;

-- A part that came back or is clawed back: the customer owes it, by an invoice on the reward's expense, and the
-- merchant no more.
create or replace function duly.unbook_part(p duly.reduction_parts, p_returned_id text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.reductions;
    v_key text := 'reduction:' || p.award_id || ':' || p.part;
begin
    if p.credit_id is null or p.undone_by is not null then return; end if;
    select * into strict d from duly.reductions where award_id = p.award_id;
    if (select state from duly.accounts where id = d.account_id) = 'terminated' then
        update duly.reductions set decisions = decisions || format('part %s: the account has ended, not taken back', p.part)
        where award_id = d.award_id;
        return;
    end if;
    p.undone_by := (duly.create_invoice(v_key || ':undone', d.account_id, d.currency,
        duly.reward_line(d.merchant_id, d.award_id, p.amount_minor), p_origin => 'system')).transaction_id;
    if p_returned_id is not null then
        perform duly.allocate_pair(d.account_id, p_returned_id, p.undone_by, p.amount_minor);
    end if;
    if exists (select from duly.financial_transactions t join duly.accounts a on a.id = t.account_id
        where t.id = p.share_id and t.state = 'posted' and a.state <> 'terminated') then
        if (select classification from duly.financial_transactions where id = p.share_id) = 'credit_note' then
            perform duly.create_invoice(v_key || ':share_cancelled', t.account_id, t.currency,
                duly.reward_line(d.merchant_id, d.award_id, t.total_minor), p_origin => 'system')
            from duly.financial_transactions t where t.id = p.share_id;
        else
            perform duly.cancel_invoice(v_key || ':share_cancelled', p.share_id, p_reason, p_origin => 'system');
        end if;
    end if;
    update duly.reduction_parts set undone_by = p.undone_by where award_id = p.award_id and part = p.part;
end $$;

-- Credit what is open of a reduction to the account: it settles what is open there, or the next invoice.
create or replace function duly.credit_reduction(p_award_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.reductions;
    p duly.reduction_parts;
    v_open bigint;
begin
    perform duly.lock_reduction(p_award_id);
    select * into strict d from duly.reductions where award_id = p_award_id for no key update;
    v_open := (duly.reduction_view(d) ->> 'open_minor')::bigint;
    if v_open > 0 then
        insert into duly.reduction_parts (award_id, part, amount_minor)
        select p_award_id, coalesce(max(part), 0) + 1, v_open from duly.reduction_parts where award_id = p_award_id returning * into p;
        perform duly.book_part(p, null);
    end if;
    return duly.reduction_view(d);
end $$;

create or replace function duly.lock_reduction(p_award_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.lock_accounts(array[d.account_id, m.account_id]) from duly.reductions d join duly.merchants m on m.id = d.merchant_id
    where d.award_id = p_award_id
$$;

-- The sale was returned: all that was granted is owed again (refused while a refund is uncertain).
create or replace function duly.claw_back_reduction(p_award_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.reductions;
begin
    perform duly.lock_reduction(p_award_id);
    select * into strict d from duly.reductions where award_id = p_award_id for no key update;
    if exists (select from duly.reduction_parts p join duly.gateway_requests r on r.id = p.request_id
        where p.award_id = p_award_id and r.state not in ('posted', 'rejected', 'reversed')) then
        perform duly.refuse('no_refund_in_flight', format('award: a refund of %s is not certain yet', p_award_id));
    end if;
    perform duly.unbook_part(p, null, 'The sale was returned') from duly.reduction_parts p
    where p.award_id = p_award_id and p.undone_by is null order by p.part;
    update duly.reductions set state = 'clawed_back', reason = 'sale_returned', closed_at = coalesce(closed_at, now())
    where award_id = p_award_id returning * into d;
    return duly.reduction_view(d);
end $$;

create or replace function duly.close_reduction(p_award_id text, p_state text, p_reason text, p_decision text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.reductions;
begin
    update duly.reductions set state = p_state, reason = p_reason, closed_at = now(),
        decisions = case when p_decision = '' then decisions else decisions || concat(
            to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z ', p_decision) end
    where award_id = p_award_id and closed_at is null;
    select * into strict d from duly.reductions where award_id = p_award_id;
    return duly.reduction_view(d);
end $$;

-- The reductions that hang on a payment: they are signalled when it changes.
create or replace function duly.reductions_of_payment(p_payment_id text) returns setof text
language sql stable security definer set search_path = duly, pg_temp as $$
    select d.award_id from duly.reductions d
    where duly.payment_request_of(d.payment_id) = duly.payment_request_of(p_payment_id) or d.payment_id = p_payment_id
    union
    select p.award_id from duly.reduction_parts p join duly.gateway_requests r on r.id = p.request_id
    where r.of_request_id = duly.payment_request_of(p_payment_id)
$$;
