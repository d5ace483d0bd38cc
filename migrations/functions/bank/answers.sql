-- What a bank says of debits, once: refused before money moved, brought by a statement, taken back after that. The outcome of the
-- attempt and all that follows in the ledger are in the same commit, whatever its collection is doing.

-- A debit comes to nothing: what was asked is owed, and goes on by the dunning policy.
create or replace function duly.refuse_debit(p_id text, p_code text, p_suspends boolean default false) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.debits;
begin
    perform from duly.account_balances b join duly.debits x on x.account_id = b.account_id where x.id = p_id for no key update of b;
    select * into d from duly.debits where id = p_id for update;
    if not found then
        perform duly.refuse('debit_exists', format('reference: there is no debit %s', p_id));
    elsif d.state = 'rejected' then
        return 'unchanged';
    elsif d.state in ('collected', 'returned') then
        perform duly.refuse('debit_waits', format('reference: %s is %s already: its statement says what became of it', p_id, d.state));
    end if;
    update duly.debits set state = 'rejected', code = p_code, answered_at = clock_timestamp() where id = p_id;
    if d.batch_id is not null then
        update duly.debit_batches set state = 'sent', sent_at = coalesce(sent_at, clock_timestamp()) where id = d.batch_id;
        -- The bank has not taken the change of account over: the next file names it again.
        update duly.mandates m set is_amended = true where m.id = d.mandate_id and (d.written ->> 'is_amended')::boolean;
        -- What was refused before it was collected was no use of the mandate.
        update duly.mandates m set state = 'signed', last_used_on = null
        where m.id = d.mandate_id and m.state = 'active' and not exists (select from duly.debits o
            where o.mandate_id = m.id and o.state in ('exported', 'collected', 'returned'));
    end if;
    if p_suspends then perform duly.suspend_mandate(d.mandate_id, p_code); end if;
    perform duly.record_outcome(d.request_id, d.attempt, 'declined', p_gateway_reference => d.id, p_code => p_code);
    return 'rejected';
end $$;

create or replace function duly.suspend_mandate(p_id text, p_code text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.mandates set state = 'suspended', state_reason = p_code where id = p_id and state in ('signed', 'active')
$$;

-- The debits that a line of a statement is about; none where that is not certain. One is named by its end-to-end id and has the
-- line's amount. A credit may be of a whole payment information or file: then what is not refused of it comes to the amount, or all of it.
create or replace function duly.debits_of_line(p_currency text, p_amount_minor bigint, p_named text[], p_batches text[], p_is_return boolean)
returns text[] language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_found text[];
begin
    if p_is_return then
        -- The bank takes its charges, and perhaps interest to the payer's bank, with the money; of several debits in one line for all.
        return coalesce((select array_agg(id order by id) from duly.debits where id = any (p_named) and currency = p_currency
            and (state = 'collected' or state = 'rejected' and duly.brought_for_refused(id) is not null) having count(*) = (select count(distinct x) from unnest(p_named) x)
                and sum(amount_minor) <= -p_amount_minor), '{}');
    end if;
    select array_agg(d.id order by d.id) into v_found from duly.debits d
    join duly.gateway_attempts a on a.request_id = d.request_id and a.attempt = d.attempt
    where (d.id = any (p_named) or cardinality(p_named) = 0 and (d.payment_information = any (p_batches) or d.batch_id = any (p_batches)))
      and d.currency = p_currency and d.state = 'exported' and not duly.is_final(a.outcome)
    having sum(d.amount_minor) = p_amount_minor;
    return coalesce(v_found, duly.debits_with_refused(p_currency, p_amount_minor, p_named, p_batches));
end $$;

-- Book the debits that a line of a statement brings or takes back, once by the line's key: {reference, accounts, is_known}. Null:
-- it is about none for certain, and is treated as any other line. Two imports of one statement may ask at the same moment.
create or replace function duly.receive_debits(p_key text, p_currency text, p_amount_minor bigint, p_booked_on date, p_named text[],
    p_batches text[], p_code text default '', p_suspends boolean default false)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_line duly.debit_lines;
    v_is_return boolean := p_amount_minor < 0;
    v_found text[];
    v_provider text;
    v_charges bigint;
    v_moved bigint;
    v_refused text[];
    d duly.debits;
begin
    v_found := duly.debits_of_line(p_currency, p_amount_minor, p_named, p_batches, v_is_return);
    if cardinality(v_found) > 0 then
        -- In one go: whoever else locks several accounts does so in the same order.
        perform duly.lock_accounts(array(select account_id from duly.debits where id = any (v_found)
            union select t.account_id from duly.debits x join duly.gateway_requests r on r.id = x.request_id
                cross join lateral duly.successors_of_payment(r.transaction_id) s
                join duly.financial_transactions t on t.id = s.id where v_is_return and x.id = any (v_found)
            union select t.account_id from unnest(v_found) x (id) cross join lateral duly.successors_of_payment(duly.brought_for_refused(x.id)) s
                join duly.financial_transactions t on t.id = s.id where v_is_return));
    end if;
    select * into v_line from duly.debit_lines where key = p_key;
    if found then
        return jsonb_build_object('reference', v_line.reference, 'is_known', true, 'accounts', (select
            coalesce(jsonb_agg(distinct account_id), '[]') from duly.debits
            where id = v_line.reference or batch_id = v_line.reference or payment_information = v_line.reference));
    elsif cardinality(v_found) = 0 then
        if v_is_return then perform duly.refuse_return(p_currency, -p_amount_minor, p_named); end if;
        return null;
    end if;
    -- Another line may have come first.
    if v_found is distinct from duly.debits_of_line(p_currency, p_amount_minor, p_named, p_batches, v_is_return) then return null; end if;
    select provider_id into strict v_provider from duly.debits where id = v_found[1];
    if v_is_return then
        perform duly.require_charges(v_found, -p_amount_minor);
        v_charges := -p_amount_minor - (select sum(amount_minor) from duly.debits where id = any (v_found));
    end if;
    insert into duly.debit_lines (key, provider_id, reference, amount_minor, currency, booked_on)
    values (p_key, v_provider, case when cardinality(v_found) = 1 then v_found[1] else coalesce(p_batches[1], v_found[1]) end,
        p_amount_minor, p_currency, p_booked_on)
    returning * into v_line;
    update duly.debits set brought_by = case when v_is_return then brought_by else p_key end,
        taken_back_by = case when v_is_return then p_key else taken_back_by end where id = any (v_found);
    -- What of the line is a payment of suspense moves by that, and the rest through the provider's clearing.
    v_refused := array(select id from duly.debits where id = any (v_found) and state = 'rejected' order by id);
    v_moved := abs(p_amount_minor) - (select coalesce(sum(amount_minor), 0) from duly.debits where id = any (v_refused));
    for d in select * from duly.debits where id = any (v_found) order by account_id, id for update loop
        if d.state = 'rejected' and v_is_return then
            perform duly.take_back_refused(d);
            if v_charges > 0 then
                perform duly.book_gateway_fee('debit:' || d.id || ':charges', d.provider_id, d.currency, v_charges, d.id, p_booked_on);
            end if;
            v_charges := 0;
        elsif v_is_return then
            -- Which of several reasons is whose nobody knows here.
            perform duly.return_debit(d, v_charges, p_booked_on, case when cardinality(v_found) = 1 then p_code else '' end,
                p_suspends and cardinality(v_found) = 1);
            v_charges := 0;
        elsif d.state <> 'rejected' then
            perform duly.collect_debit(d);
        end if;
    end loop;
    -- Suspense is the last account that anybody locks.
    if not v_is_return then
        perform duly.keep_for_refused(x, p_booked_on) from duly.debits x where x.id = any (v_refused) order by x.id;
    end if;
    if v_moved > 0 then
        perform duly.book_gateway_movement('debits:' || md5(p_key), case when v_is_return then 'debits_returned' else 'debits_collected' end,
            v_provider, p_currency, v_moved, v_line.reference, p_booked_on);
    end if;
    return jsonb_build_object('reference', v_line.reference, 'is_known', false, 'refused', to_jsonb(v_refused),
        'is_suspense', v_moved = 0 and not v_is_return, 'accounts', (select
        jsonb_agg(distinct account_id) from duly.debits where id = any (v_found)));
end $$;

-- A line takes back what names debits of ours, and cannot be booked as they stand: whoever imports it is to know, for nothing else in the
-- books says that the money is gone.
create or replace function duly.refuse_return(p_currency text, p_taken_minor bigint, p_named text[]) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    d duly.debits;
begin
    select * into d from duly.debits where id = any (p_named)
    order by state <> 'collected' desc, id limit 1;
    if d.id is null then return; end if;
    perform duly.refuse('debit_was_collected', format('reference: %s takes back %s: %s', duly.shown_amount(p_taken_minor, p_currency), d.id,
        case d.state when 'collected' then format('it brought %s, and a debit is taken back whole', duly.shown_amount(d.amount_minor, d.currency))
            when 'returned' then 'it was taken back already'
            when 'rejected' then 'it was refused, and nothing of it is here to be taken back'
            else 'import the statement that brought its money, then this one again' end));
end $$;

-- A bank's charges have a bound: what is far above its debit is not that debit alone, and a person looks at it.
create or replace function duly.require_charges(p_ids text[], p_taken_minor bigint) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v record;
begin
    select sum(d.amount_minor)::bigint as amount_minor, min(d.currency) as currency, min(c.charges_limit) as charges_limit, count(*) as debits,
        string_agg(d.id, ', ' order by d.id) as ids into strict v
    from duly.debits d join duly.creditors c on c.id = d.provider_id where d.id = any (p_ids);
    -- SEPA is in euros, which have two decimals.
    if p_taken_minor - v.amount_minor > v.charges_limit::numeric * 100 * v.debits then
        perform duly.refuse('charges_within_limit', format('amount: %s was taken back for %s of %s: more than the limit of charges, %s',
            duly.shown_amount(p_taken_minor, v.currency), v.ids, duly.shown_amount(v.amount_minor, v.currency), v.charges_limit));
    end if;
end $$;

-- The money has come: the payment is posted, and its request is over.
create or replace function duly.collect_debit(d duly.debits) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.debits set state = 'collected', answered_at = clock_timestamp() where id = d.id;
    update duly.debit_batches set state = 'sent', sent_at = coalesce(sent_at, clock_timestamp()) where id = d.batch_id;
    perform duly.record_outcome(d.request_id, d.attempt, 'succeeded', p_gateway_reference => d.id, p_movement => jsonb_build_object(
        'reference', d.id || ':collected', 'amount_minor', d.amount_minor, 'fee_minor', 0, 'currency', d.currency));
end $$;

-- The money was taken back: what stands of the payment is cancelled, so that it is owed again, and what the bank charges is ours.
create or replace function duly.return_debit(d duly.debits, p_charges_minor bigint, p_booked_on date, p_code text, p_suspends boolean)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
begin
    select * into strict r from duly.gateway_requests where id = d.request_id;
    perform duly.lock_accounts_of_payment(r.transaction_id, r.account_id);
    update duly.debits set state = 'returned', code = p_code, answered_at = clock_timestamp() where id = d.id;
    perform duly.return_standing('debit:' || d.id || ':returned', r.transaction_id, d.amount_minor, d.id || ':returned',
        'Debit returned: ' || coalesce(nullif(p_code, ''), 'no reason given'), 'system', 'system');
    if p_charges_minor > 0 then
        perform duly.book_gateway_fee('debit:' || d.id || ':charges', d.provider_id, d.currency, p_charges_minor, d.id, p_booked_on);
    end if;
    if p_suspends then perform duly.suspend_mandate(d.mandate_id, p_code); end if;
end $$;

-- A bank refuses a whole file, or one payment information of it: so are its debits that have no answer of their own.
create or replace function duly.refuse_debits_of(p_named text, p_code text, p_excepted text[]) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_found text[];
begin
    select array_agg(id order by account_id, id) into v_found from duly.debits
    where p_named in (batch_id, payment_information) and state in ('exported', 'rejected') and id <> all (p_excepted);
    if v_found is null then
        perform duly.refuse('batch_exists', format('batch: there is no debit that waits in %s', p_named));
    end if;
    return (select jsonb_agg(jsonb_build_object('id', x, 'became', duly.refuse_debit(x, p_code))) from unnest(v_found) x);
end $$;
