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

-- What a collection is to bring in: what the gateway takes of what is asked for, else the rest that it does not take.
create or replace function duly.collected_of(p_owed bigint, p_currency text) returns bigint
language sql immutable as $$
    select coalesce(nullif(duly.chargeable_part(p_owed, p_currency), 0), p_owed)
$$;

-- The card to charge: the one named, else the first active one that is flagged as recurring (G12, X6). At a provider of bank
-- debits it is the mandate, in the form of a card of the brand `mandate`.
create or replace function duly.chargeable_card(p_account_id text, p_provider_id text, p_card_id text default '', p_not text default '')
returns duly.cards language sql stable security definer set search_path = duly, pg_temp as $$
    (select c from duly.cards c
    where c.account_id = p_account_id and c.provider_id = p_provider_id and c.state = 'active'
      and c.id <> p_not
      and not exists (select from duly.charge_blocks b where b.kind = 'card' and b.value = c.fingerprint and duly.is_in_force(b))
      and not exists (select from duly.cards k where k.id = p_not and k.fingerprint <> '' and k.fingerprint = c.fingerprint)
      and case when p_card_id = '' then c.is_recurring else c.id = p_card_id end
      and make_date(c.exp_year, c.exp_month, 1) + interval '1 month' > current_date
    order by c.fallback_order, c.created_at desc limit 1)
    union all
    select jsonb_populate_record(null::duly.cards, jsonb_build_object('id', m.id, 'account_id', m.account_id, 'provider_id',
        m.provider_id, 'preference_id', m.preference_id, 'token', m.id, 'brand', 'mandate', 'fingerprint', '', 'last4', right(m.iban, 4)))
    from duly.mandates m
    where m.account_id = p_account_id and m.provider_id = p_provider_id and duly.may_be_debited(m)
      and p_card_id in ('', m.id) and m.id <> p_not
    limit 1
$$;

-- The other cards of an account that may be charged by themselves, in their order. Tokens of one card, which have one
-- fingerprint, are one card: of several the first counts, and those of the card that was asked do not.
create or replace function duly.other_cards(p_account_id text, p_provider_id text, p_card_id text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(o.id order by o.fallback_order, o.created_at desc), '{}')
    from (select distinct on (coalesce(nullif(c.fingerprint, ''), c.id)) c.id, c.fallback_order, c.created_at
        from duly.cards c
        where c.account_id = p_account_id and c.provider_id = p_provider_id and c.state = 'active' and c.is_recurring
          and not exists (select from duly.charge_blocks b where b.kind = 'card' and b.value = c.fingerprint and duly.is_in_force(b))
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

-- Whether there is anything to wait for: a rest of less than a step is no reason to ask a customer.
create or replace function duly.is_owed(p_account_id text, p_period text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.chargeable_part(duly.owed_to(p_account_id, p_period, coalesce(
        (select invoices from duly.gateway_requests
         where account_id = p_account_id and period = p_period and kind = 'payment'),
        (select invoices from duly.collections where account_id = p_account_id and period = p_period),
        '{}')), (select currency from duly.accounts where id = p_account_id)) > 0
      -- Who asked for an amount asks for no rest of it afterwards.
      and not exists (select from duly.collections
          where account_id = p_account_id and period = p_period and asked_minor is not null and closed_at is not null)
      and not duly.is_let_go(p_account_id, p_period)
    or duly.is_prepayment_awaited(p_account_id, p_period)
$$;

-- The attempts of a receivable, in order, with what the policy counts them by. An attempt on another card follows a decline
-- at once: a policy waits at least as long as this before it tries again, and then begins with the first card.
create or replace function duly.attempts_of_receivable(p_account_id text, p_period text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object('attempt', t.attempt, 'cause', t.cause, 'outcome', t.outcome,
        'card_id', coalesce(t.card_id, ''), 'code', t.code, 'decline_code', t.decline_code, 'advice_code', t.advice_code,
        'is_other_card', coalesce(t.cause = 'scheduled' and t.before = 'declined' and t.card_before <> t.card_id
            and t.started_at < t.before_at + interval '10 minutes', false)) order by t.attempt), '[]')
    from (select a.*, lag(a.outcome) over w as before, lag(a.card_id) over w as card_before, lag(a.finished_at) over w as before_at
        from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
        where r.account_id = p_account_id and r.period = p_period and r.kind = 'payment'
        window w as (order by a.attempt)) t
$$;

-- What a collection is opened or resumed with: it goes on with the last attempt that was written down, and asks the
-- gateway about it first when it has no outcome. One that is opened again begins another.
create or replace function duly.collection_terms(p duly.collections) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object(
        'policy', d.document || jsonb_build_object('id', d.id, 'version', d.version),
        'time_zone', a.time_zone, 'amount_minor', p.amount_minor, 'currency', p.currency,
        'invoices', to_jsonb(p.invoices), 'has_rest', p.rest_until is not null, 'attempt', coalesce(last.attempt, 1),
        'cause', coalesce(last.cause, 'scheduled'),
        'soft_declines', coalesce(last.declines, 0), 'attempts', duly.attempts_of_receivable(p.account_id, p.period))
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
         where i.account_id = p_account_id and i.outcome in ('in_dunning', 'unknown') and p.kind = 'payment'
           and coalesce(nullif(i.receivable, ''), duly.month_of_period(p.period)) = p_period limit 1))
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
    if duly.is_claimed_by_others(p.account_id, p.period, p.invoices)
        and duly.owed_to(p.account_id, p.period, p.invoices) = 0 then
        perform duly.refuse('one_owner', format('what %s owed for %s is being collected by others', p.account_id, p.period));
    end if;
    update duly.collections set owner = p_owner, run_id = coalesce(nullif(p_run_id, ''), run_id), stage = 'collecting',
        reason = '', closed_at = null,
        amount_minor = duly.collected_of(coalesce(duly.prepaid_amount(account_id, period),
            least(asked_minor, duly.owed_to(account_id, period, invoices))), currency)
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
    p_account_id text, p_period text, p_provider_id text, p_run_id text, p_invoices text[], p_owner text,
    p_asked bigint default null, p_asked_currency text default ''
) returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_collection duly.collections;
    v_part record;
    v_policy duly.dunning_policies;
    v_run_id text;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account %s does not exist', p_account_id));
    elsif p_asked is not null and p_asked_currency <> (select currency from duly.accounts where id = p_account_id) then
        perform duly.refuse('currency_of_account', format('currency: %s is not kept in %s', p_account_id, p_asked_currency));
    end if;
    if (duly.payment_request_of_receivable(p_account_id, p_period)).id is not null then
        perform duly.refuse('one_owner', format('period: %s of %s is asked for by a link', p_period, p_account_id));
    end if;
    select * into v_collection from duly.collections where account_id = p_account_id and period = p_period;
    if found then
        if p_asked <> coalesce(v_collection.asked_minor, 0) then
            perform duly.refuse('one_amount', format('amount_minor: %s of %s asks for %s already, not for %s', p_period,
                p_account_id, coalesce(duly.shown_amount(v_collection.asked_minor, v_collection.currency), 'all'),
                duly.shown_amount(p_asked, v_collection.currency)));
        end if;
        if v_collection.provider_id <> p_provider_id then
            -- What was asked of one provider is found there alone: the other one would say that nothing had happened.
            perform duly.refuse('provider_of_receivable', format('provider: %s of %s is collected through %s, not %s',
                p_period, p_account_id, v_collection.provider_id, p_provider_id));
        elsif v_collection.closed_at is not null and v_collection.reason = 'cancelled' and v_collection.owner <> p_owner then
            v_collection := duly.reopen_collection(v_collection, p_owner, p_run_id);
            return duly.collection_terms(v_collection) || duly.next_attempt_of(v_collection);
        elsif v_collection.closed_at is not null and v_collection.owner <> p_owner then
            perform duly.refuse('one_owner', format('%s of %s was collected already', p_period, p_account_id));
        end if;
        update duly.collections set owner = p_owner
        where account_id = p_account_id and period = p_period and owner <> p_owner;
        return duly.collection_terms(v_collection) || case when v_collection.closed_at is not null and v_collection.stage = 'given_up'
            then jsonb_build_object('given_up', v_collection.reason) else '{}' end;
    end if;
    if p_asked is not null and exists (select from duly.gateway_requests
            where account_id = p_account_id and period = p_period and kind = 'payment') then
        perform duly.refuse('one_amount', format('amount_minor: %s of %s was asked for already', p_period, p_account_id));
    end if;
    v_run_id := coalesce(nullif(p_run_id, ''), duly.run_of_receivable(p_account_id, p_period), '');
    select * into v_part from duly.part_to_collect(p_account_id, p_period, v_run_id, p_invoices, p_asked);
    if v_part.invoices = '{}' and v_run_id = '' then
        -- Nothing is owed, so nothing is taken over: what may come to be owed in the period finds it free.
        v_policy := duly.policy_of(p_account_id, v_run_id);
        select p_account_id, p_period, v_policy.id, v_policy.version, v_policy.segment, a.currency, 0, '{}'
        into v_collection.account_id, v_collection.period, v_collection.policy_id, v_collection.policy_version,
            v_collection.policy_segment, v_collection.currency, v_collection.amount_minor, v_collection.invoices
        from duly.accounts a where a.id = p_account_id;
        return duly.collection_terms(v_collection);
    end if;
    return duly.collection_terms(duly.insert_collection(p_account_id, p_period, p_provider_id, v_run_id, p_owner,
        v_part.invoices, v_part.rest_until, p_asked => p_asked));
end $$;

-- The newest policy for whom a run, or a service, collects.
create or replace function duly.policy_of(p_account_id text, p_run_id text, p_policy_id text default 'standard') returns duly.dunning_policies
language sql stable security definer set search_path = duly, pg_temp as $$
    select p from duly.dunning_policies p left join duly.accounts a on a.id = p_account_id
    where p.id = coalesce(
        (select d.dunning_policy_id from duly.process_runs r join duly.run_definitions d on d.id = r.definition_id
         where r.id = p_run_id), p_policy_id)
      and (p.segment = '' or duly.is_of_segment(p.segment, a))
    order by duly.segment_rank(p.segment, a), p.segment, p.version desc limit 1
$$;

create or replace function duly.insert_collection(p_account_id text, p_period text, p_provider_id text, p_run_id text, p_owner text,
    p_invoices text[], p_rest_until bigint, p_follows text default '', p_asked bigint default null,
    p_policy_id text default 'standard')
returns duly.collections language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_policy duly.dunning_policies := duly.policy_of(p_account_id, p_run_id, p_policy_id);
    v_collection duly.collections;
begin
    insert into duly.collections (account_id, period, provider_id, run_id, owner, policy_id, policy_version, policy_segment,
        currency, amount_minor, invoices, rest_until, follows, asked_minor)
    select p_account_id, p_period, p_provider_id, nullif(p_run_id, ''), p_owner, v_policy.id, v_policy.version,
           v_policy.segment, a.currency, duly.collected_of(coalesce(p_asked, duly.owed_to(p_account_id, p_period, p_invoices)),
               a.currency), p_invoices, p_rest_until, p_follows, p_asked
    from duly.accounts a where a.id = p_account_id
    returning * into v_collection;
    return v_collection;
end $$;

-- What a receivable is made of: what it claims already, else what is free of its member of a run, of the invoices named, or of
-- all. `rest_until`: there was more than one receivable holds.
create or replace function duly.part_to_collect(p_account_id text, p_period text, p_run_id text, p_invoices text[],
    p_asked bigint default null, out invoices text[], out rest_until bigint)
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_member duly.run_items;
    v_part record;
begin
    select r.invoices into invoices from duly.gateway_requests r
    where r.account_id = p_account_id and r.period = p_period and r.kind = 'payment';
    if found then
        rest_until := (duly.member_of(p_account_id, p_period, p_run_id)).rest_until;
        return;
    end if;
    select c.invoices, c.rest_until into invoices, rest_until from duly.collections c
    where c.account_id = p_account_id and c.period = p_period;
    if found then return; end if;
    v_member := duly.member_of(p_account_id, p_period, p_run_id);
    if cardinality(v_member.invoices) = 1 and p_asked is null then
        invoices := duly.claimable_one(p_account_id, p_period, v_member.invoices[1]);
        rest_until := v_member.rest_until;
        return;
    end if;
    select * into v_part from duly.claimable(p_account_id, p_period,
        case when v_member.member_id is not null then v_member.invoices when p_invoices <> '{}' then p_invoices end,
        p_leaves_plans => v_member.member_id is null, p_asked => p_asked);
    invoices := v_part.invoices;
    rest_until := coalesce(v_part.rest_until, v_member.rest_until);
    if v_member.member_id is null and p_invoices <> '{}' and v_part.of_all < cardinality(p_invoices) then
        perform duly.refuse('invoices_collectable', format(
            'of the invoices %s some are not unsettled invoices of %s, or are being collected', p_invoices, p_account_id));
    elsif p_asked is not null and p_asked > duly.owed_to(p_account_id, p_period, invoices) then
        -- Without the first condition what is owed would be added up for a payment that asks for no amount, too.
        perform duly.refuse('amount_collectable', format('amount_minor: %s is more than the %s that may be asked for of %s',
            duly.shown_amount(p_asked, a.currency), duly.shown_amount(duly.owed_to(p_account_id, p_period, invoices), a.currency), a.id))
        from duly.accounts a where a.id = p_account_id;
    end if;
end $$;
