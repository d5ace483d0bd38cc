-- What is owed, and who is collecting it.

create or replace function duly.refuse(p_rule text, p_message text) returns void language plpgsql as $$
begin
    raise exception using errcode = 'DU001', constraint = p_rule, message = p_message;
end $$;

-- What is still unsettled on some invoices, in minor units.
create or replace function duly.owed_on(p_invoices text[]) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(sum(amount_minor - allocated_minor), 0)::bigint
    from duly.open_items where transaction_id = any (p_invoices) and side = 'debit'
$$;

-- The card to charge: the one named, else the first active one that is flagged as recurring (G12, X6).
create or replace function duly.chargeable_card(p_account_id text, p_provider_id text, p_card_id text default '', p_not text default '')
returns duly.cards language sql stable security definer set search_path = duly, pg_temp as $$
    select c from duly.cards c
    where c.account_id = p_account_id and c.provider_id = p_provider_id and c.state = 'active'
      and c.id <> p_not
      and not exists (select from duly.cards k where k.id = p_not and k.fingerprint <> '' and k.fingerprint = c.fingerprint)
      and case when p_card_id = '' then c.is_recurring else c.id = p_card_id end
      and make_date(c.exp_year, c.exp_month, 1) + interval '1 month' > current_date
    order by c.fallback_order, c.created_at desc limit 1
$$;

-- The other cards of an account that may be charged by themselves, in their order. Tokens of one card, which have one
-- fingerprint, are one card: of several the first counts, and those of the card that was asked do not.
create or replace function duly.other_cards(p_account_id text, p_provider_id text, p_card_id text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(o.id order by o.fallback_order, o.created_at desc), '{}')
    from (select distinct on (coalesce(nullif(c.fingerprint, ''), c.id)) c.id, c.fallback_order, c.created_at
        from duly.cards c
        where c.account_id = p_account_id and c.provider_id = p_provider_id and c.state = 'active' and c.is_recurring
          and c.id <> p_card_id and make_date(c.exp_year, c.exp_month, 1) + interval '1 month' > current_date
          and not exists (select from duly.cards k
              where k.id = p_card_id and k.fingerprint <> '' and k.fingerprint = c.fingerprint)
        order by coalesce(nullif(c.fingerprint, ''), c.id), c.fallback_order, c.created_at desc) o
$$;

-- Block a card, and with it the account's other tokens of the same card. What is wrong with the data of one token, its
-- expiry or its code, says nothing about another token of newer data.
create or replace function duly.block_card(p_card_id text, p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.cards c set state = 'blocked', state_reason = p_reason from duly.cards k
    where k.id = p_card_id and c.account_id = k.account_id and c.provider_id = k.provider_id and c.state = 'active'
      and (c.id = k.id or (k.fingerprint <> '' and c.fingerprint = k.fingerprint
          and (p_reason !~ '(expir|cvc|zip|address|new_account_information|card_unavailable)'
              or (p_reason ~ 'expir' and (c.exp_year, c.exp_month) = (k.exp_year, k.exp_month)))))
$$;

-- Whether the card's network still lets it be tried after its declines; tokens of one card share what it allows.
create or replace function duly.is_within_budget(p_card duly.cards) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select count(*) < max(n.declines_max)
    from (select * from duly.card_networks where brand in (p_card.brand, '*') order by brand = '*' limit 1) n
    left join duly.gateway_attempts a on a.outcome = 'declined'
        and a.card_id in (select k.id from duly.cards k where k.account_id = p_card.account_id
            and (k.id = p_card.id or (p_card.fingerprint <> '' and k.fingerprint = p_card.fingerprint)))
        and a.sent_at > now() - make_interval(days => n.days)
$$;

create or replace function duly.is_owed(p_account_id text, p_period text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.owed_on(coalesce(
        (select invoices from duly.gateway_requests
         where account_id = p_account_id and period = p_period and kind = 'payment'),
        (select invoices from duly.collections where account_id = p_account_id and period = p_period),
        '{}')) > 0
$$;

-- What a collection is opened or resumed with: it goes on with the last attempt that was written down, and asks the
-- gateway about it first when it has no outcome. One that is opened again begins another.
create or replace function duly.collection_terms(p duly.collections) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object(
        'policy', d.document || jsonb_build_object('id', d.id, 'version', d.version),
        'time_zone', a.time_zone, 'amount_minor', p.amount_minor, 'currency', p.currency,
        'invoices', to_jsonb(p.invoices), 'attempt', coalesce(last.attempt, 1),
        'cause', coalesce(last.cause, 'scheduled'),
        'soft_declines', coalesce(last.declines, 0))
    from duly.dunning_policies d, duly.accounts a
    left join lateral (
        select t.attempt::integer, t.cause, (select count(*) from duly.gateway_attempts b
                where b.request_id = r.id and b.attempt < t.attempt and b.outcome = 'declined'
                  and b.cause = 'scheduled')::integer as declines
        from duly.gateway_requests r join duly.gateway_attempts t on t.request_id = r.id
        where r.account_id = p.account_id and r.period = p.period and r.kind = 'payment'
        order by t.attempt desc limit 1) last on true
    where d.id = p.policy_id and d.version = p.policy_version and d.segment = p.policy_segment and a.id = p.account_id
$$;

-- The run that would have handed a receivable over and never did: null where there is none.
create or replace function duly.run_of_receivable(p_account_id text, p_period text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(
        (select r.run_id from duly.gateway_requests r
         where r.account_id = p_account_id and r.period = p_period and r.kind = 'payment'),
        (select i.run_id from duly.run_items i join duly.process_runs p on p.id = i.run_id
         where i.account_id = p_account_id and i.outcome in ('in_dunning', 'unknown') and p.period = p_period
           and p.kind = 'payment' limit 1))
$$;

-- The attempt that a collection begins with which somebody has opened again.
create or replace function duly.next_attempt_of(p duly.collections) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('attempt', coalesce(max(t.attempt), 0) + 1, 'cause', 'scheduled')
    from duly.gateway_requests r join duly.gateway_attempts t on t.request_id = r.id
    where r.account_id = p.account_id and r.period = p.period and r.kind = 'payment'
$$;

-- Open again what somebody cancelled: the same receivable, unless others collect its invoices by now.
create or replace function duly.reopen_collection(p duly.collections, p_owner text, p_run_id text) returns duly.collections
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_collection duly.collections := p;
begin
    if exists (select from duly.owned_invoices w where w.invoice_id = any (p.invoices) and w.account_id = p.account_id) then
        perform duly.refuse('one_owner', format('what %s owed for %s is being collected by others', p.account_id, p.period));
    end if;
    update duly.collections set owner = p_owner, run_id = coalesce(nullif(p_run_id, ''), run_id), stage = 'collecting',
        reason = '', closed_at = null, amount_minor = duly.owed_on(invoices)
    where account_id = p.account_id and period = p.period returning * into v_collection;
    -- Its draft was rejected with it: the next attempt makes another.
    update duly.gateway_requests set state = 'pending', error_code = '', executed_at = null, transaction_id = null
    where account_id = p.account_id and period = p.period and kind = 'payment' and state = 'rejected'
      and error_code = 'cancelled';
    return v_collection;
end $$;

-- Take a receivable over. The same owner may ask again and gets the same terms. Temporal runs one workflow of its id at a
-- time, so whoever asks for one that is open follows an owner that was stopped, and goes on from the rows. What is
-- closed stays so (rule one_owner), unless somebody cancelled it.
create or replace function duly.open_collection(
    p_account_id text, p_period text, p_provider_id text, p_run_id text, p_invoices text[], p_owner text
) returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_collection duly.collections;
    v_invoices text[];
    v_policy duly.dunning_policies;
    v_run_id text;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account %s does not exist', p_account_id));
    end if;
    select * into v_collection from duly.collections where account_id = p_account_id and period = p_period;
    if found then
        if v_collection.closed_at is not null and v_collection.reason = 'cancelled' and v_collection.owner <> p_owner then
            v_collection := duly.reopen_collection(v_collection, p_owner, p_run_id);
            return duly.collection_terms(v_collection) || duly.next_attempt_of(v_collection);
        elsif v_collection.closed_at is not null and v_collection.owner <> p_owner then
            perform duly.refuse('one_owner', format('%s of %s was collected already', p_period, p_account_id));
        end if;
        update duly.collections set owner = p_owner
        where account_id = p_account_id and period = p_period and owner <> p_owner;
        return duly.collection_terms(v_collection);
    end if;
    v_run_id := coalesce(nullif(p_run_id, ''), duly.run_of_receivable(p_account_id, p_period), '');
    v_invoices := duly.invoices_to_collect(p_account_id, p_period, v_run_id, p_invoices);
    select p.* into v_policy from duly.dunning_policies p
    where p.id = coalesce(
        (select d.dunning_policy_id from duly.process_runs r join duly.run_definitions d on d.id = r.definition_id
         where r.id = v_run_id), 'standard')
      and p.segment in ('', coalesce((select a.segment from duly.accounts a where a.id = p_account_id), ''))
    order by p.segment = '', p.version desc limit 1;
    if v_invoices = '{}' and v_run_id = '' then
        -- Nothing is owed, so nothing is taken over: what may come to be owed in the period finds it free.
        select p_account_id, p_period, v_policy.id, v_policy.version, v_policy.segment, a.currency, 0, '{}'
        into v_collection.account_id, v_collection.period, v_collection.policy_id, v_collection.policy_version,
            v_collection.policy_segment, v_collection.currency, v_collection.amount_minor, v_collection.invoices
        from duly.accounts a where a.id = p_account_id;
        return duly.collection_terms(v_collection);
    end if;
    insert into duly.collections
        (account_id, period, provider_id, run_id, owner, policy_id, policy_version, policy_segment, currency, amount_minor, invoices)
    select p_account_id, p_period, p_provider_id, nullif(v_run_id, ''), p_owner, v_policy.id, v_policy.version,
           v_policy.segment, a.currency, duly.owed_on(v_invoices), v_invoices
    from duly.accounts a where a.id = p_account_id
    returning * into v_collection;
    return duly.collection_terms(v_collection);
end $$;

create or replace function duly.invoices_to_collect(p_account_id text, p_period text, p_run_id text, p_invoices text[])
returns text[] language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_invoices text[];
begin
    select r.invoices into v_invoices from duly.gateway_requests r
    where r.account_id = p_account_id and r.period = p_period and r.kind = 'payment';
    if found then return v_invoices; end if;
    select c.invoices into v_invoices from duly.collections c where c.account_id = p_account_id and c.period = p_period;
    if found then return v_invoices; end if;
    select i.invoices into v_invoices from duly.run_items i where i.run_id = p_run_id and i.member_id = p_account_id;
    if found then return v_invoices; end if;
    select coalesce(array_agg(o.transaction_id order by o.sort_on, o.account_version), '{}') into v_invoices
    from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
    -- Invoices alone: what a refund left owing is nobody's to charge to the card it went to.
    where o.account_id = p_account_id and o.side = 'debit' and o.allocated_minor < o.amount_minor
      and t.classification = 'invoice' and (p_invoices = '{}' or o.transaction_id = any (p_invoices))
      and not exists (select from duly.owned_invoices w where w.invoice_id = o.transaction_id);
    if p_invoices <> '{}' and cardinality(v_invoices) < cardinality(p_invoices) then
        perform duly.refuse('invoices_collectable', format(
            'of the invoices %s some are not unsettled invoices of %s, or are being collected', p_invoices, p_account_id));
    end if;
    return v_invoices;
end $$;

-- What the policy says becomes of the account: suspended, its debt written off, or handed over to whoever reads the
-- list.
create or replace function duly.apply_give_up_action(p_collection duly.collections) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_type text;
    v_invoice text;
begin
    if p_collection.action = 'suspend' then
        perform duly.set_account_state(id, 'suspended') from duly.accounts
        where id = p_collection.account_id and state = 'active';
    elsif p_collection.action = 'write_off' then
        select id into v_type from duly.transaction_types where classification = 'write_off' and is_default;
        foreach v_invoice in array p_collection.invoices loop
            if duly.owed_on(array[v_invoice]) > 0 then
                perform duly.write_off('given_up:' || v_invoice, v_invoice, v_type, 'bad_debt', p_origin => 'system');
            end if;
        end loop;
    end if;
end $$;

-- Let a receivable go. Refused (rule no_attempt_in_flight) while an attempt may still succeed.
create or replace function duly.close_collection(p_account_id text, p_period text, p_stage text, p_reason text, p_action text)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_request duly.gateway_requests;
    v_collection duly.collections;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into v_request from duly.gateway_requests
    where account_id = p_account_id and period = p_period and kind = 'payment'
      and state in ('pending', 'under_processing', 'unknown') for update;
    if found then
        if exists (select from duly.gateway_attempts
                   where request_id = v_request.id and not duly.is_final(outcome)) then
            perform duly.refuse('no_attempt_in_flight', format('%s has an attempt whose outcome nobody knows', v_request.id));
        end if;
        perform duly.reject_payment(v_request.transaction_id, p_reason);
        update duly.gateway_requests set state = 'rejected', error_code = p_reason, executed_at = now()
        where id = v_request.id;
    end if;
    update duly.collections set stage = p_stage, reason = p_reason, action = p_action, closed_at = now()
    where account_id = p_account_id and period = p_period and closed_at is null
    returning * into v_collection;
    if found then
        perform duly.apply_give_up_action(v_collection);
        perform duly.write_closing_message(v_collection);
    end if;
end $$;
