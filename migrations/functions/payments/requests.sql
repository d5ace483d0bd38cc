-- Payment requests: a payment by a link. A request is a receivable of its own, with a claim on the invoices that it names, so that
-- nobody else asks for them; without invoices it is on account, and claims nothing. What is paid on its page is an attempt like any.

create or replace function duly.payment_request_of_receivable(p_account_id text, p_period text) returns duly.payment_requests
language sql stable security definer set search_path = duly, pg_temp as $$
    select q from duly.payment_requests q where q.account_id = p_account_id and q.period = p_period
$$;

-- What is to be paid now: less than was asked for once something of it was paid or credited elsewhere, and nothing once it was
-- paid on a page, also before the request has ended.
create or replace function duly.payable_now(q duly.payment_requests) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select case
        when q.closed_at is not null then 0
        when exists (select from duly.gateway_requests r where r.account_id = q.account_id and r.period = q.period
            and r.kind = 'payment' and r.state = 'posted') then 0
        when cardinality(q.invoices) = 0 then q.amount_minor
        else (select duly.chargeable_part(least(c.asked_minor, duly.owed_to(q.account_id, q.period, c.invoices)), q.currency)
            from duly.collections c where c.account_id = q.account_id and c.period = q.period)
    end
$$;

create or replace function duly.payment_request_view(q duly.payment_requests) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('request_id', q.id, 'account_id', q.account_id, 'period', q.period, 'provider', q.provider_id,
        'title', q.title, 'amount_minor', q.amount_minor, 'payable_minor', duly.payable_now(q), 'currency', q.currency,
        'least_minor', coalesce(q.least_minor, 0), 'most_minor', coalesce(q.most_minor, 0), 'has_payers', cardinality(q.payers) > 0,
        'expires_at', q.expires_at, 'is_mailed', q.is_mailed, 'state', q.state, 'reason', q.end_reason,
        'time_zone', a.time_zone, 'attempt', coalesce(last.attempt, 0),
        'has_open_attempt', last.attempt is not null and not duly.is_final(last.outcome))
    from duly.accounts a
    join duly.collections c on c.account_id = q.account_id and c.period = q.period
    left join lateral (select t.attempt::integer, t.outcome from duly.gateway_requests r
        join duly.gateway_attempts t on t.request_id = r.id
        where r.account_id = q.account_id and r.period = q.period and r.kind = 'payment'
        order by t.attempt desc limit 1) last on true
    where a.id = q.account_id
$$;

-- Why nothing can be asked for through a provider; empty where it can. Rule and message.
create or replace function duly.refuse_unpayable(p_account_id text, p_provider_id text, p_amount_minor bigint, p_currency text)
returns void language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_minimum bigint;
begin
    if not exists (select from duly.providers where id = p_provider_id and state = 'effective') then
        perform duly.refuse('provider_effective', format('provider: there is no effective provider %s', p_provider_id));
    elsif exists (select from duly.providers where id = p_provider_id and gateway = 'sepa_debit') then
        perform duly.refuse('provider_of_pages', format('provider: %s has no pages to pay on', p_provider_id));
    elsif duly.why_no_destination(p_account_id, p_provider_id) <> '' then
        perform duly.refuse('merchant_effective', format('account: %s', duly.why_no_destination(p_account_id, p_provider_id)));
    end if;
    perform duly.refuse_stopped(p_provider_id);
    perform duly.refuse_blocked(p_account_id, p_field => 'account_id');
    select minimum_minor into v_minimum from duly.provider_currencies
    where provider_id = p_provider_id and currency = p_currency;
    if not found then
        perform duly.refuse('currency_of_provider', format('currency: provider %s does not take %s', p_provider_id, p_currency));
    elsif duly.chargeable_part(p_amount_minor, p_currency) <> p_amount_minor or p_amount_minor < greatest(v_minimum, 1) then
        perform duly.refuse('amount_at_least', format('amount_minor: the provider does not take %s: %s or more, in steps of %s',
            duly.shown_amount(p_amount_minor, p_currency), duly.shown_amount(v_minimum, p_currency),
            duly.shown_amount(duly.charge_step(p_currency), p_currency)));
    end if;
    perform duly.refuse_above_maximum(p_amount_minor, p_currency);
end $$;

-- The payment on the page of a request that a restored database has forgotten, and that its recovery has written down again. The month
-- in the receivable's name is that in which it was made first.
create or replace function duly.paid_before_restore(p_account_id text, p_provider_id text, p_id text) returns duly.gateway_requests
language sql stable security definer set search_path = duly, pg_temp as $$
    select r from duly.gateway_requests r
    where r.account_id = p_account_id and r.provider_id = p_provider_id and r.kind = 'payment' and r.state = 'posted'
      and substr(r.period, 8) = '-' || p_id
      and not exists (select from duly.collections c where c.account_id = r.account_id and c.period = r.period)
      and exists (select from duly.gateway_attempts a where a.request_id = r.id and a.channel = 'hosted_page' and a.outcome = 'succeeded')
    order by r.executed_at limit 1
$$;

-- Make a request, or return it as it was made before. `period` is the name of its receivable, of which a repeat takes the first.
-- Its files are of the same commit. Refused, with nothing written: other terms under the same id, or more than nobody else claims.
create or replace function duly.create_payment_request(p_id text, p_account_id text, p_provider_id text, p_title text,
    p_description text, p_asked bigint, p_currency text, p_invoices text[], p_valid_days integer, p_sender text,
    p_sender_email text, p_reason text, p_is_mailed boolean, p_least bigint default null, p_most bigint default null,
    p_payers text[] default '{}', p_owner_name text default '', p_owner_email text default '',
    p_valid_seconds integer default null, p_file_names text[] default '{}', p_file_types text[] default '{}',
    p_file_contents bytea[] default '{}')
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests;
    a duly.accounts;
    r duly.gateway_requests;
    v_period text;
    v_invoices text[];
    v_claimed text[] := '{}';
    v_amount bigint := coalesce(p_asked, p_least);
    v_valid interval := make_interval(secs => coalesce(p_valid_seconds, p_valid_days * 86400));
begin
    if p_owner_name <> '' and exists (select from duly.currencies where code = p_currency) then
        -- Who has no account gets one, in the commit of the request: what is refused below leaves none behind.
        perform duly.create_account(p_account_id, jsonb_build_object('currency', p_currency, 'owner_name', p_owner_name,
            'email', nullif(p_owner_email, ''), 'locale', 'en', 'time_zone', 'UTC'), p_sender,
            'asked for a payment by the link of ' || p_id);
    end if;
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into a from duly.accounts where id = p_account_id and kind = 'customer';
    if not found then
        perform duly.refuse('account_exists', format('account_id: there is no account %s', p_account_id));
    end if;
    v_invoices := array(select coalesce(n.transaction_id, u.name) from unnest(p_invoices) with ordinality u (name, place)
        left join duly.transaction_numbers n on n.number = u.name order by u.place);
    select * into q from duly.payment_requests where id = p_id;
    if found then
        if (q.account_id, q.provider_id, q.title, q.description, q.asked_minor, q.invoices, q.expires_at - q.created_at, q.sender_email, q.is_mailed,
                q.least_minor, q.most_minor, q.payers)
            is distinct from (p_account_id, p_provider_id, p_title, p_description, p_asked, v_invoices, v_valid, p_sender_email,
                p_is_mailed, p_least, p_most, p_payers) then
            perform duly.refuse('id_means_one_request', format('request_id: %s was given to another request, of %s', p_id, q.account_id));
        end if;
        perform duly.attach_files_to_request(p_id, p_file_names, p_file_types, p_file_contents, p_sender);
        return duly.payment_request_view(q);
    end if;
    r := duly.paid_before_restore(p_account_id, p_provider_id, p_id);
    v_period := coalesce(r.period, to_char(now() at time zone a.time_zone, 'YYYY-MM') || '-' || p_id);
    if r.id is not null then
        -- Whoever asks again hears that it was paid, and nobody pays twice: its workflow ends it at once.
        v_amount := r.amount_minor;
    elsif a.state = 'terminated' then
        perform duly.refuse('account_not_terminated', format('account_id: %s is terminated', p_account_id));
    elsif coalesce(p_asked, p_most) is not null and p_currency <> a.currency then
        perform duly.refuse('currency_of_account', format('currency: %s is not kept in %s', p_account_id, p_currency));
    elsif coalesce(p_asked, p_most) is null and cardinality(v_invoices) = 0 then
        perform duly.refuse('something_asked', 'amount_minor: say how much, or which invoices');
    elsif exists (select from duly.collections where account_id = p_account_id and period = v_period)
        or exists (select from duly.gateway_requests where account_id = p_account_id and period = v_period and kind = 'payment') then
        perform duly.refuse('one_owner', format('request_id: %s of %s is a receivable already; take another id', v_period, p_account_id));
    end if;
    perform duly.require_sending(p_provider_id);
    if r.id is null and p_is_mailed and cardinality(p_payers) = 0 and coalesce(a.email, '') = '' then
        perform duly.refuse('address_known', format('account_id: %s has no e-mail address to send the link to', p_account_id));
    end if;
    if r.id is null and cardinality(v_invoices) > 0 then
        select invoices into v_claimed from duly.part_to_collect(p_account_id, v_period, '', v_invoices, p_asked);
        v_amount := coalesce(p_asked, duly.chargeable_part(duly.owed_to(p_account_id, v_period, v_claimed), a.currency));
    end if;
    perform duly.refuse_unpayable(p_account_id, p_provider_id, each, a.currency)
    from unnest(array_remove(array[v_amount, p_least, p_most], null)) each where r.id is null;
    insert into duly.payment_requests (id, account_id, period, provider_id, title, description, asked_minor, currency, invoices,
        amount_minor, valid_days, sender, sender_email, reason, is_mailed, created_at, expires_at, least_minor, most_minor, payers)
    values (p_id, p_account_id, v_period, p_provider_id, p_title, p_description, p_asked, a.currency, v_invoices, v_amount,
        -- Its moment is the transaction's, so that how long it is good is exactly between the two.
        ceil(extract(epoch from v_valid) / 86400)::integer, p_sender, p_sender_email, p_reason, p_is_mailed, now(), now() + v_valid,
        p_least, p_most, p_payers)
    returning * into q;
    perform duly.attach_files_to_request(p_id, p_file_names, p_file_types, p_file_contents, p_sender);
    perform duly.insert_collection(p_account_id, v_period, p_provider_id, '', 'payment-request/' || p_id, v_claimed, null,
        p_asked => case when coalesce(p_asked, p_most, r.amount_minor) is not null then v_amount end, p_policy_id => 'by_hand');
    if r.id is null and p_is_mailed then
        perform duly.write_request_message(q, 'new', 'new');
    end if;
    return duly.payment_request_view(q);
end $$;

-- The message with the link: of a new request, a reminder, once more, or because the bank has said no. What it says of the request, and
-- whether it has a link, is judged when it is sent (duly.standing_of_request).
create or replace function duly.write_request_message(q duly.payment_requests, p_reason text, p_transition text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    -- The account's holder, or each of several payers.
    select duly.write_message('payment_requested', q.account_id, q.period, '', jsonb_build_object('amount_minor',
        case when q.closed_at is null then coalesce(nullif(duly.payable_now(q), 0), q.amount_minor) else q.amount_minor end,
        'currency', q.currency, 'reason', p_reason, 'at', q.expires_at, 'payer', payer, 'least_minor', q.least_minor,
        'most_minor', q.most_minor), concat_ws('-', p_transition, nullif(payer, 0)))
    from generate_series(least(1, cardinality(q.payers)), cardinality(q.payers)) payer
$$;

-- What a payer can be told of a request at this moment: its state once it is over, also before its workflow has ended it; `stopped` while
-- nothing new may be taken through its provider; else `open`.
create or replace function duly.standing_of_request(q duly.payment_requests) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case
        when q.id is null then ''
        when q.closed_at is not null then q.state
        when duly.payable_now(q) = 0 then 'paid'
        when q.expires_at <= now() then 'expired'
        when duly.is_stopped(q.provider_id) then 'stopped'
        else 'open' end
$$;

create or replace function duly.send_payment_request(p_id text, p_reason text, p_transition text, p_actor text default '',
    p_because text default '')
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests;
begin
    select * into strict q from duly.payment_requests where id = p_id;
    if q.closed_at is not null then return; end if;
    if p_actor <> '' and cardinality(q.payers) = 0 and coalesce((select email from duly.accounts where id = q.account_id), '') = '' then
        perform duly.refuse('address_known', format('account: %s has no e-mail address', q.account_id));
    elsif p_actor <> '' and duly.is_stopped(q.provider_id) then
        perform duly.refuse('provider_effective', format('provider: %s', duly.why_not_effective(q.provider_id)));
    end if;
    perform duly.write_request_message(q, p_reason, p_transition);
    if p_actor <> '' then
        update duly.payment_requests set decisions = decisions
            || concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z sent again, says ', p_actor, ': ', p_because)
        where id = p_id;
    end if;
end $$;

-- A bank debit answers days later: until then it is processing, and open again when the bank says no.
create or replace function duly.note_request_processing(p_account_id text, p_period text, p_is_processing boolean) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.payment_requests set state = case when p_is_processing then 'processing' else 'open' end
    where account_id = p_account_id and period = p_period and closed_at is null
      and state <> case when p_is_processing then 'processing' else 'open' end
$$;

-- A payment on a request's page that came to nothing, in the commit that records it: a page itself only ends, so that it was a bank debit,
-- given days before. Its payer believes to have paid, whatever has become of the request since.
create or replace function duly.note_request_failure(p_request duly.gateway_requests, p_attempt duly.gateway_attempts) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests;
    v_was_given boolean;
begin
    select * into q from duly.payment_requests where account_id = p_request.account_id and period = p_request.period for no key update;
    if not found then return; end if;
    v_was_given := p_attempt.outcome = 'declined' or q.state = 'processing';
    update duly.payment_requests set state = 'open' where id = q.id and state = 'processing' and closed_at is null;
    if v_was_given and q.is_mailed then
        perform duly.write_request_message(q, 'failed', 'failed-' || p_attempt.attempt);
    end if;
end $$;

-- End a request: `expired` or `withdrawn`, unless its money came meanwhile: whoever has paid has paid. Refused (rule
-- no_attempt_in_flight) while an attempt may still succeed. A repeat returns how it ended.
create or replace function duly.end_payment_request(p_id text, p_state text, p_reason text, p_actor text default '',
    p_because text default '')
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests;
    r duly.gateway_requests;
begin
    select * into strict q from duly.payment_requests where id = p_id;
    perform from duly.account_balances where account_id = q.account_id for no key update;
    select * into strict q from duly.payment_requests where id = p_id for no key update;
    if q.closed_at is not null then return duly.payment_request_view(q); end if;
    select * into r from duly.gateway_requests
    where account_id = q.account_id and period = q.period and kind = 'payment' and state = 'posted';
    if r.id is not null then
        p_state := 'paid';
        p_reason := 'paid';
        -- A page of an amount that was chosen earlier may have been the one that was paid.
        update duly.payment_requests set amount_minor = r.amount_minor where id = p_id and most_minor is not null;
    end if;
    perform duly.close_collection(q.account_id, q.period, case p_state when 'paid' then 'settled' else 'given_up' end, p_reason, 'nothing');
    update duly.payment_requests set state = p_state, end_reason = p_reason, closed_at = clock_timestamp(),
        decisions = case when p_actor = '' then decisions else decisions
            || concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z withdrawn, says ', p_actor, ': ', p_because) end
    where id = p_id returning * into q;
    if p_state = 'paid' and cardinality(q.payers) > 0 then
        -- Whoever of them has paid has a receipt in it, and the others need not.
        perform duly.write_request_message(q, 'settled', 'settled');
    end if;
    if r.id is not null then
        -- All who look after payments hear of it, and who has asked for it (X63).
        perform duly.write_message('request_paid', q.account_id, q.period, '', jsonb_build_object('amount_minor', r.amount_minor,
            'currency', r.currency, 'payment_id', r.transaction_id, 'workflow', 'payment-request/' || q.id));
        if q.sender_email <> '' then
            perform duly.write_message('request_paid', q.account_id, q.period, '', jsonb_build_object('amount_minor', r.amount_minor,
                'currency', r.currency, 'payment_id', r.transaction_id, 'workflow', 'payment-request/' || q.id, 'to', 'sender'),
                'sender');
        end if;
    end if;
    return duly.payment_request_view(q);
end $$;

create or replace function duly.payment_request_by_id(p_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.payment_request_view(q) from duly.payment_requests q where q.id = p_id
$$;

-- The payer behind a request, and the customer that the gateway has of them; empty where it has none yet.
create or replace function duly.payer_of_request(p_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('account_id', q.account_id, 'provider', q.provider_id,
        'installation', (select id from duly.installation), 'is_effective', duly.is_provider_effective(q.provider_id),
        'customer', coalesce((select g.customer_reference from duly.gateway_customers g
            where g.account_id = q.account_id and g.provider_id = q.provider_id), ''))
    from duly.payment_requests q where q.id = p_id
$$;
