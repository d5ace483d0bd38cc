-- Money that moved at the gateway and that nobody had booked: it becomes a request like any other, so that refunds,
-- disputes and events find it on their usual ways.

-- Whose money it is: the customer's account at the gateway, else the account that our own metadata names, as long as it can
-- hold the money; else the suspense account of the currency.
create or replace function duly.account_of_found(p_provider_id text, p_customer text, p_account_id text, p_currency text)
returns text language plpgsql as $$
declare
    v_account text;
begin
    select account_id into v_account from duly.gateway_customers
    where provider_id = p_provider_id and customer_reference = p_customer;
    select a.id into v_account from duly.accounts a
    where a.id = coalesce(v_account, p_account_id) and a.state <> 'terminated' and a.currency = p_currency;
    return coalesce(v_account, duly.system_account('suspense', p_currency));
end $$;

-- By which method money came that the gateway has: one of the gateway's own name, else of the kind that it is of. A method of the
-- provider's goes first: of no other will a refund be asked. Money by a method that is none of ours is listed and not guessed.
create or replace function duly.method_of_found(p_provider_id text, p_found jsonb) returns text
language plpgsql stable as $$
declare
    v_method text;
begin
    select y.id into v_method from duly.payment_methods y
    left join duly.provider_methods m on m.payment_method_id = y.id and m.provider_id = p_provider_id
    where y.id in (p_found ->> 'method_type', p_found ->> 'method')
    order by m.provider_id is null, y.id <> p_found ->> 'method_type' limit 1;
    if v_method is null then
        perform duly.refuse('method_is_known', format('method: it was paid by %s, which is no payment method here; apply a definition of '
            'that name', coalesce(nullif(p_found ->> 'method_type', ''), 'a method that the gateway does not name')));
    end if;
    return v_method;
end $$;

-- The invoices of an account whose numbers the gateway keeps with a payment; none where it names none, or none that is known here.
create or replace function duly.invoices_numbered(p_account_id text, p_numbers text[]) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(t.id order by x.place), '{}') from unnest(p_numbers) with ordinality x (number, place)
    join duly.transaction_numbers n on n.number = x.number
    join duly.financial_transactions t on t.id = n.transaction_id and t.account_id = p_account_id
$$;

-- The draft of money that has moved already. No rule of a person's entry refuses it: the account may be terminated since, the
-- method out of use, an invoice cancelled. It is posted as any other draft of the gateway's.
create or replace function duly.draft_moved(p_key text, p_classification duly.classification, p_account_id text,
    p_amount_minor bigint, p_currency text, p_method text, p_provider_id text, p_invoices text[] default '{}',
    p_issue_reason text default null)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    t duly.financial_transactions;
begin
    t.request_hash := duly.request_hash('moved', p_classification::text, p_account_id, p_amount_minor::text, p_currency,
        p_provider_id);
    t.id := duly.made_before(p_key, t.request_hash);
    if t.id is not null then return t.id; end if;
    select (clock_timestamp() at time zone time_zone)::date into strict t.issued_on from duly.accounts where id = p_account_id;
    select id into strict t.type_id from duly.transaction_types where classification = p_classification
    order by is_default desc, is_active desc, id limit 1;
    select coalesce(array_agg(x.id order by x.place), '{}') into t.addressed_invoice_ids
    from unnest(p_invoices) with ordinality x (id, place)
    join duly.financial_transactions i on i.id = x.id and i.account_id = p_account_id and duly.is_payable(i);
    t.id := 'ft_' || nextval('duly.financial_transaction_ids');
    t.idempotency_key := p_key;
    t.classification := p_classification;
    t.account_id := p_account_id;
    t.currency := p_currency;
    t.total_minor := p_amount_minor;
    t.state := 'draft';
    t.method := p_method;
    t.provider := p_provider_id;
    t.issue_reason := p_issue_reason;
    t.origin := 'system';
    t.actor := 'system';
    perform duly.insert_header(t);
    return t.id;
end $$;

-- Book a payment that was taken without a request of ours, and return its request; a repeat returns it again. Its movement
-- is expected as any other; where its fee is given that is booked at once.
create or replace function duly.adopt_payment(p_provider_id text, p_customer text, p_account_id text, p_payment_reference text,
    p_charge_reference text, p_amount_minor bigint, p_currency text, p_fee_minor bigint default null, p_found jsonb default '{}')
returns duly.gateway_requests language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    a duly.gateway_attempts;
    v_account text := duly.account_of_found(p_provider_id, p_customer, p_account_id, p_currency);
    -- Where the gateway says that its money went on to.
    v_destination constant text := coalesce((select id from duly.providers where gateway_account = p_found ->> 'destination'), '');
    v_payment text;
begin
    perform from duly.account_balances where account_id = v_account for no key update;
    select * into r from duly.gateway_requests
    where provider_id = p_provider_id and gateway_reference = p_payment_reference and kind = 'payment';
    if found then return r; end if;
    v_payment := duly.draft_moved('found:' || p_payment_reference, 'payment', v_account, p_amount_minor, p_currency,
        duly.method_of_found(p_provider_id, p_found), p_provider_id, duly.invoices_numbered(v_account,
            array(select jsonb_array_elements_text(p_found -> 'invoices'))));
    insert into duly.gateway_requests (id, kind, provider_id, account_id, period, transaction_id, amount_minor, currency,
        state, gateway_reference, asked_because, executed_at)
    values ('found/' || p_payment_reference, 'payment', p_provider_id, v_account,
        'found/' || p_payment_reference, v_payment, p_amount_minor, p_currency, 'posted', p_payment_reference,
        'found at the gateway', clock_timestamp())
    returning * into r;
    insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, channel, token, customer, payment_id,
        amount_minor, application_fee_minor, refunds_application_fee, merchant_provider, outcome, gateway_reference, charge_reference,
        finished_at)
    values (r.id, 1, 'found:' || p_payment_reference, 'manual', 'hosted_page', '', p_customer, v_payment, p_amount_minor,
        coalesce((p_found ->> 'application_fee_minor')::bigint, 0), duly.refunds_application_fee(coalesce(nullif(v_destination, ''), p_provider_id)),
        v_destination, 'succeeded', p_payment_reference, p_charge_reference, clock_timestamp()) returning * into a;
    perform duly.post_gateway_payment(v_payment, p_payment_reference);
    perform duly.expect_movement(p_provider_id, p_charge_reference, 'charge', v_account, v_payment, p_amount_minor,
        p_currency);
    perform duly.owe_merchant(r, a);
    if p_fee_minor is not null then
        perform duly.book_movement(p_provider_id, p_charge_reference, 'charge', jsonb_build_object('reference',
            'fee:' || p_payment_reference, 'amount_minor', p_amount_minor, 'currency', p_currency, 'fee_minor', p_fee_minor));
    end if;
    return r;
end $$;

-- Write down a refund that was made without a request of ours, as one that is under way: what the gateway says of it is
-- recorded by duly.record_refund as ever. Null: it is of no payment of ours, or of more than is left of it.
create or replace function duly.adopt_refund(p_provider_id text, p_payment_reference text, p_refund_reference text,
    p_amount_minor bigint, p_currency text)
returns duly.gateway_requests language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    v duly.payment_left;
    v_draft text;
    v_method text;
begin
    select * into r from duly.gateway_requests
    where provider_id = p_provider_id and gateway_reference = p_payment_reference and kind = 'payment';
    if not found or r.currency <> p_currency then return null; end if;
    v := duly.payment_left(r.id);
    perform from duly.account_balances where account_id = v.account_id for no key update;
    select * into r from duly.gateway_requests where id = p_refund_reference;
    if found then return r; end if;
    v := duly.payment_left(v.request_id);
    if v.request_id is null or p_amount_minor > v.left_minor then return null; end if;
    select method into v_method from duly.financial_transactions where id = v.transaction_id;
    v_draft := duly.draft_moved('refund:' || p_refund_reference, 'refund', v.account_id, p_amount_minor, v.currency, v_method,
        p_provider_id, p_issue_reason => 'Refunded at the gateway');
    insert into duly.gateway_requests (id, kind, provider_id, account_id, transaction_id, of_request_id, amount_minor,
        currency, asked_because)
    values (p_refund_reference, 'refund', p_provider_id, v.account_id, v_draft, v.request_id, p_amount_minor, v.currency,
        'found at the gateway')
    returning * into r;
    insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, channel, token, customer, payment_id,
        amount_minor, gateway_reference)
    values (r.id, 1, 'found:' || p_refund_reference, 'manual', 'refund', '', '', v.transaction_id, p_amount_minor,
        p_refund_reference);
    return r;
end $$;
