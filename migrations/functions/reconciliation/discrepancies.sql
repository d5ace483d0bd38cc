-- Discrepancies: written once, seen again by later rounds, and ended by what both sides say or by a person.

create or replace function duly.discrepancy_view(d duly.discrepancies) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select to_jsonb(d) || jsonb_build_object('number', coalesce((
        select n.number from duly.transaction_numbers n where n.transaction_id = d.transaction_id), ''))
$$;

-- Write a discrepancy down, or note that it is still there. One that is mended is written too: it did happen.
create or replace function duly.note_discrepancy(p_provider_id text, p_kind text, p_object text, p_state text,
    p_account_id text default '', p_transaction_id text default '', p_amount_minor bigint default 0,
    p_currency text default '', p_evidence jsonb default '{}', p_reconciliation_id text default null)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_id text;
begin
    -- What was mended, or decided by a person, is not a new difference because it is looked at again.
    select id into v_id from duly.discrepancies
    where provider_id = p_provider_id and kind = p_kind and object = p_object
      and (state = 'open' or state in ('mended', 'resolved') and (evidence @> p_evidence
          or evidence <@ p_evidence and evidence <> '{}'))
    order by state = 'open' desc, first_seen_at desc limit 1;
    if found then
        update duly.discrepancies set last_seen_at = clock_timestamp(),
            evidence = case when state = 'open' then p_evidence else evidence end,
            state = case when state = 'open' then p_state else state end,
            closed_at = case when state = 'open' and p_state <> 'open' then clock_timestamp() else closed_at end
        where id = v_id;
        return v_id;
    end if;
    insert into duly.discrepancies (provider_id, kind, object, state, account_id, transaction_id, amount_minor, currency,
        evidence, reconciliation_id, closed_at)
    values (p_provider_id, p_kind, p_object, p_state, coalesce(p_account_id, ''), coalesce(p_transaction_id, ''),
        p_amount_minor, p_currency, p_evidence, p_reconciliation_id, case when p_state <> 'open' then clock_timestamp() end)
    on conflict (provider_id, kind, object) where state = 'open' do update set last_seen_at = clock_timestamp()
    returning id into v_id;
    return v_id;
end $$;

-- End the open discrepancies on which both sides agree by now.
create or replace function duly.close_discrepancies(p_provider_id text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_closed integer;
begin
    update duly.discrepancies d set state = 'gone', closed_at = clock_timestamp()
    where d.provider_id = p_provider_id and d.state = 'open' and case
        when d.kind = 'double_charge' then exists (
            select from duly.gateway_requests r
            where r.provider_id = d.provider_id and r.kind = 'payment' and r.transaction_id = d.transaction_id
              and (duly.payment_left(r.id)).left_minor = 0)
        when d.kind like 'missing\_%' then exists (
            select from duly.gateway_movements m
            where m.provider_id = d.provider_id and m.source = d.object and m.kind = substr(d.kind, 9) and m.state = 'matched')
        -- It is booked, and a person has to agree with the customer on what they have twice.
        when d.kind in ('balance', 'double_refund') then false
        when d.kind in ('payout_sent_back', 'payout_not_returned') then exists (select from duly.gateway_payouts p
            where p.provider_id = d.provider_id and p.id = d.object and p.returned_key is not null
              and duly.payout_came_back_on(p) is not null)
        when d.kind = 'payout_lines' then exists (select from duly.gateway_payouts p
            where p.provider_id = d.provider_id and p.id = d.object and p.lines_minor = p.amount_minor)
        when d.kind = 'payout_not_arrived' then exists (select from duly.gateway_payouts p
            where p.provider_id = d.provider_id and p.id = d.object
              and (p.arrived_key is not null or p.status in ('failed', 'canceled') or duly.is_paid_to_merchant(p)))
        else not exists (
            select from duly.gateway_movements m
            where m.provider_id = d.provider_id and m.state = 'open' and (m.id = d.object or m.source = d.object))
            and exists (select from duly.gateway_movements m
                where m.provider_id = d.provider_id and (m.id = d.object or m.source = d.object)) end;
    get diagnostics v_closed = row_count;
    return v_closed;
end $$;

-- End a discrepancy by a person's decision. `explained`: nothing is booked, its movements count as explained by the reason.
-- `booked`: what moved is booked to an account, or to suspense where none is given; only money that nobody has booked.
create or replace function duly.resolve_discrepancy(p_id text, p_resolution text, p_account_id text, p_actor text,
    p_reason text)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.discrepancies;
    m duly.gateway_movements;
    r duly.gateway_requests;
begin
    -- Movements, then the account, then what is listed: whoever compares at this moment locks them in the same order.
    select * into d from duly.discrepancies where id = p_id;
    perform duly.lock_movements_of(d.provider_id, d.object);
    perform duly.lock_movement(d.provider_id, d.object);
    perform duly.lock_accounts(array[p_account_id]);
    select * into d from duly.discrepancies where id = p_id for no key update;
    if not found then
        perform duly.refuse('discrepancy_exists', format('there is no discrepancy %s', p_id));
    elsif d.state <> 'open' then
        perform duly.refuse('discrepancy_is_open', format('%s is %s', p_id, d.state));
    elsif p_resolution not in ('explained', 'booked') then
        perform duly.refuse('resolution_is_known', format('resolution: %s is neither explained nor booked', p_resolution));
    elsif p_resolution = 'booked' and d.kind <> 'foreign_charge' then
        perform duly.refuse('booked_by_command', format('resolution: %s of kind %s is not booked by this command; its remedy '
            'says how', p_id, d.kind));
    elsif p_account_id <> '' and not exists (select from duly.accounts where id = p_account_id) then
        perform duly.refuse('account_exists', format('account: there is no account %s', p_account_id));
    end if;
    if p_resolution = 'booked' then
        select * into strict m from duly.gateway_movements
        where provider_id = d.provider_id and source = d.object and kind = 'charge' and state = 'open' limit 1;
        if p_account_id <> '' and duly.account_of_found(d.provider_id, '', p_account_id, m.currency) <> p_account_id then
            perform duly.refuse('account_can_hold_it', format('account: %s is terminated, or not in %s; leave it out, and the '
                'money goes to the suspense account', p_account_id, m.currency));
        end if;
        r := duly.adopt_payment(d.provider_id, '', p_account_id, d.evidence ->> 'payment_reference', d.object,
            m.amount_minor, m.currency, p_found => d.evidence);
        d.transaction_id := r.transaction_id;
        perform duly.match_source(d.provider_id, d.object, 'charge');
    else
        -- Nothing can be booked of what the ledger cannot express, and nothing more is expected of it.
        update duly.gateway_expectations e set movement = x.id, settled_minor = x.amount_minor, settled_currency = x.currency,
            fee_minor = 0, fulfilled_at = clock_timestamp()
        from duly.gateway_movements x
        where d.kind = 'unknown_currency' and x.provider_id = d.provider_id and x.source = d.object and x.state = 'open'
          and x.currency = lower(x.currency) and e.provider_id = x.provider_id and e.object = x.source and e.kind = x.kind
          and e.movement is null;
        update duly.gateway_movements set state = 'explained', explanation = p_id
        where provider_id = d.provider_id and (source = d.object or id = d.object) and state = 'open';
    end if;
    update duly.discrepancies set state = 'resolved', resolution = p_resolution, actor = p_actor, reason = p_reason,
        transaction_id = d.transaction_id, closed_at = clock_timestamp()
    where id = p_id returning * into d;
    return duly.discrepancy_view(d);
end $$;
