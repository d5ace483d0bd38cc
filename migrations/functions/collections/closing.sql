-- How a collection ends, and what then becomes of the account.

-- Whether its collection has let a receivable go: what is owed stays owed, and whoever still runs for it asks for nothing more.
create or replace function duly.is_let_go(p_account_id text, p_period text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.collections
        where account_id = p_account_id and period = p_period and stage = 'given_up' and closed_at is not null)
$$;

-- What the policy says becomes of the account: suspended, its debt written off, or handed over to whoever reads the
-- list.
create or replace function duly.apply_give_up_action(p_collection duly.collections) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if p_collection.action = 'suspend' then
        perform duly.set_account_state(id, 'suspended') from duly.accounts
        where id = p_collection.account_id and state = 'active';
    elsif p_collection.action = 'write_off' then
        perform duly.write_off_given_up(p_collection.account_id, p_collection.period, cardinality(p_collection.invoices));
    end if;
end $$;

-- Whether what a collection lets go stays owed although its policy would write it off: a person has given it up, and what people write off has
-- a limit. `transactions write-off` does it, within that.
create or replace function duly.stays_owed(p_reason text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select p_reason = 'operator_gave_up' and duly.is_limited('write_off')
$$;

-- Write off the oldest of what a collection that is given up still owns, so many invoices in one commit, and return how many
-- it was: none is the end, and of who asked for an amount no invoice is.
-- A top-up that was only requested is withdrawn instead, when the collection is let go. Refused (rule no_attempt_in_flight) while an attempt may still succeed.
create or replace function duly.write_off_given_up(p_account_id text, p_period text, p_limit integer, p_reason text default '') returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_type text;
    v_invoices text[];
begin
    if duly.stays_owed(p_reason) then return 0; end if;
    perform from duly.account_balances where account_id = p_account_id for no key update;
    perform duly.refuse_attempt_in_flight(p_account_id, p_period);
    select id into v_type from duly.transaction_types where classification = 'write_off' and is_default;
    v_invoices := array(select o.transaction_id
        from duly.collections c join duly.open_items o on o.transaction_id = any (c.invoices)
        where c.account_id = p_account_id and c.period = p_period and c.asked_minor is null and o.side = 'debit' and o.allocated_minor < o.amount_minor
          and not exists (select from duly.wallet_top_ups u where u.invoice_id = o.transaction_id and u.state = 'requested')
        order by o.sort_on, o.account_version limit p_limit);
    perform duly.write_off('given_up:' || u.id, u.id, v_type, 'bad_debt', p_origin => 'system') from unnest(v_invoices) u (id);
    return cardinality(v_invoices);
end $$;

create or replace function duly.refuse_attempt_in_flight(p_account_id text, p_period text) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_request_id text;
begin
    select r.id into v_request_id from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
    where r.account_id = p_account_id and r.period = p_period and r.kind = 'payment'
      and r.state in ('pending', 'under_processing', 'unknown') and not duly.is_final(a.outcome);
    if found then
        perform duly.refuse('no_attempt_in_flight', format('%s has an attempt whose outcome nobody knows', v_request_id));
    end if;
end $$;

-- Let a receivable go. Refused (rule no_attempt_in_flight) while an attempt may still succeed. Who has no open row has
-- nothing to let go: a workflow that went on while its database was restored to before the row would reject the request
-- that the supervisor hands over anew.
create or replace function duly.close_collection(p_account_id text, p_period text, p_stage text, p_reason text, p_action text)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_request duly.gateway_requests;
    v_collection duly.collections;
    v_had_top_ups boolean;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    perform from duly.collections where account_id = p_account_id and period = p_period and closed_at is null;
    if not found then return; end if;
    select * into v_request from duly.gateway_requests
    where account_id = p_account_id and period = p_period and kind = 'payment'
      and state in ('pending', 'under_processing', 'unknown') for no key update;
    if found then
        perform duly.refuse_attempt_in_flight(p_account_id, p_period);
        -- One that was opened again after a Cancel has no draft before its next attempt.
        if v_request.transaction_id is not null then perform duly.reject_payment(v_request.transaction_id, p_reason); end if;
        update duly.gateway_requests set state = 'rejected', error_code = p_reason, executed_at = now()
        where id = v_request.id;
    end if;
    if p_action = 'write_off' and duly.stays_owed(p_reason) then p_action := 'nothing'; end if;
    update duly.collections set stage = p_stage, reason = p_reason, action = p_action, closed_at = now()
    where account_id = p_account_id and period = p_period and closed_at is null
    returning * into v_collection;
    if p_stage = 'given_up' and (duly.payment_request_of_receivable(p_account_id, p_period)).id is null then
        -- Of who asked for top-ups alone, or has paid the rest, nothing is owed any more: nobody is suspended for it.
        -- What was written off is settled too.
        v_had_top_ups := duly.give_up_top_ups(v_collection);
        if v_had_top_ups and not exists (select from duly.open_items o where o.transaction_id = any (v_collection.invoices)
                and (o.allocated_minor < o.amount_minor or exists (select from duly.financial_transactions w
                    where w.idempotency_key = 'given_up:' || o.transaction_id))) then
            update duly.collections set action = 'nothing' where account_id = p_account_id and period = p_period
            returning * into v_collection;
        end if;
    end if;
    perform duly.apply_give_up_action(v_collection);
    perform duly.write_closing_message(v_collection);
end $$;
