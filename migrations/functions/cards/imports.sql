-- Cards and customers that a list brings from a gateway where others kept them until now (duly import).

-- What of a card a file may change, in words.
create or replace function duly.card_in_words(p_brand text, p_last4 text, p_year smallint, p_month smallint, p_is_recurring boolean,
    p_order smallint)
returns text language sql immutable set search_path = duly, pg_temp as $$
    select format('%s %s until %s-%s, order %s%s', p_brand, p_last4, p_year, lpad(p_month::text, 2, '0'), p_order,
        case when p_is_recurring then ', recurring' else '' end)
$$;

-- Keep a batch of imported cards, each with its customer at the gateway. Repeating it changes nothing; what is changed of a card
-- that was there is kept with who. A card's state is not the file's business: one that was blocked since stays blocked.
-- Refused: a customer or a card of another account (G7).
create or replace function duly.import_cards(p_provider_id text, p_method text, p_rows jsonb, p_actor text default 'import')
returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_other text;
begin
    if not exists (select from duly.provider_methods where provider_id = p_provider_id and payment_method_id = p_method) then
        perform duly.refuse('method_on_provider',
            format('method: %s is not among the payment methods of provider %s', p_method, p_provider_id));
    end if;
    insert into duly.payment_preferences (account_id, payment_method_id, is_default)
    select distinct r.account_id, p_method, not exists (
        select from duly.payment_preferences p where p.account_id = r.account_id and p.is_default)
    from jsonb_to_recordset(p_rows) as r (account_id text)
    on conflict (account_id, payment_method_id) do nothing;

    insert into duly.gateway_customers (provider_id, account_id, customer_reference)
    select distinct p_provider_id, r.account_id, r.customer
    from jsonb_to_recordset(p_rows) as r (account_id text, customer text)
    on conflict do nothing;
    select format('customer: %s of %s is not its customer at %s', r.customer, r.account_id, p_provider_id) into v_other
    from jsonb_to_recordset(p_rows) as r (account_id text, customer text)
    where not exists (select from duly.gateway_customers g where g.provider_id = p_provider_id
        and g.account_id = r.account_id and g.customer_reference = r.customer) limit 1;
    if found then
        perform duly.refuse('customer_of_one_account', v_other);
    end if;

    insert into duly.account_changes (account_id, changes, actor, reason)
    select v.account_id, jsonb_build_object('card', jsonb_build_object('was', v.was, 'is', v.becomes)), p_actor, 'imported'
    from (select c.account_id,
            duly.card_in_words(c.brand, c.last4, c.exp_year, c.exp_month, c.is_recurring, c.fallback_order) as was,
            duly.card_in_words(r.brand, r.last4, r.exp_year, r.exp_month, r.is_recurring, r.fallback_order) as becomes
        from jsonb_to_recordset(p_rows) as r (account_id text, token text, brand text, last4 text, exp_month smallint,
            exp_year smallint, is_recurring boolean, fallback_order smallint)
        join duly.cards c on c.token = r.token and c.account_id = r.account_id) v
    where v.was <> v.becomes;

    insert into duly.cards as c (account_id, preference_id, provider_id, token, brand, last4, exp_month, exp_year,
        is_recurring, fallback_order)
    select r.account_id, p.id, p_provider_id, r.token, r.brand, r.last4, r.exp_month, r.exp_year, r.is_recurring,
        r.fallback_order
    from jsonb_to_recordset(p_rows) as r (account_id text, token text, brand text, last4 text, exp_month smallint,
        exp_year smallint, is_recurring boolean, fallback_order smallint)
    join duly.payment_preferences p on p.account_id = r.account_id and p.payment_method_id = p_method
    on conflict (token) do update set brand = excluded.brand, last4 = excluded.last4, exp_month = excluded.exp_month,
        exp_year = excluded.exp_year, is_recurring = excluded.is_recurring, fallback_order = excluded.fallback_order
    where c.account_id = excluded.account_id;
    select format('token: a card of %s is a card of another account', r.account_id) into v_other
    from jsonb_to_recordset(p_rows) as r (account_id text, token text)
    join duly.cards c on c.token = r.token and c.account_id <> r.account_id limit 1;
    if found then
        perform duly.refuse('card_of_account', v_other);
    end if;
end $$;
