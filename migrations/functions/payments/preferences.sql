-- Payment preferences decide how an account pays (G3, G4, G9): a method of a gateway's is charged by runs, any other one is the
-- customer's to pay by.

-- How people know a preference (F90).
create or replace function duly.preference_number(p_preference_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select 'PP-' || number from duly.payment_preferences where id = p_preference_id
$$;

-- The method by which an account pays that a provider does not handle, or the other provider through which it pays for its merchant: its
-- runs leave the account alone. Null: the provider may charge it, or it has no preference, and its cards decide. Who prefers the wallet is
-- paid from there, and the rest by a card.
create or replace function duly.pays_otherwise(p_account_id text, p_provider_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select f.payment_method_id from duly.payment_preferences f
        join duly.payment_methods w on w.id = f.payment_method_id and w.ledger_account <> 'wallet_clearing'
        where f.account_id = p_account_id and f.is_default and not exists (select from duly.provider_methods m
            where m.payment_method_id = f.payment_method_id and m.provider_id = p_provider_id)),
        duly.pays_through(p_account_id, p_provider_id))
$$;

-- Whether an account pays by itself: no gateway handles its method.
create or replace function duly.pays_by_itself(p_account_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.payment_preferences f
        join duly.payment_methods w on w.id = f.payment_method_id and w.ledger_account <> 'wallet_clearing'
        where f.account_id = p_account_id and f.is_default and not exists (select from duly.provider_methods m
            where m.payment_method_id = f.payment_method_id))
$$;

-- Make a method the one by which an account pays from now on; null: it has no preference. Returns what it was.
create or replace function duly.prefer_method(p_account_id text, p_method text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_account duly.accounts;
    v_was text;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into v_account from duly.accounts where id = p_account_id and kind = 'customer';
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    elsif v_account.state = 'terminated' then
        perform duly.refuse('account_not_terminated', format('account: %s is terminated', p_account_id));
    end if;
    select payment_method_id into v_was from duly.payment_preferences where account_id = p_account_id and is_default;
    if v_was is not distinct from p_method then return v_was; end if;
    if p_method is not null and not exists (select from duly.payment_methods where id = p_method and is_active) then
        perform duly.refuse('method_exists', format('method: %s is not configured, or not active', p_method));
    elsif exists (select from duly.provider_methods m where m.payment_method_id = p_method and not exists (
            select from duly.provider_currencies c where c.provider_id = m.provider_id and c.currency = v_account.currency)) then
        perform duly.refuse('currency_taken', format('method: the provider of %s does not take %s', p_method, v_account.currency));
    end if;
    update duly.payment_preferences set is_default = false where account_id = p_account_id and is_default;
    insert into duly.payment_preferences (account_id, payment_method_id, is_default)
    select p_account_id, p_method, true where p_method is not null
    on conflict (account_id, payment_method_id) do update set is_default = true;
    return v_was;
end $$;

-- The same, kept with who and why.
create or replace function duly.set_preferred_method(p_account_id text, p_method text, p_actor text default 'system',
    p_reason text default '')
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_was text := duly.prefer_method(p_account_id, p_method);
begin
    if v_was is distinct from p_method then
        perform duly.note_account_change(p_account_id,
            jsonb_build_object('payment_method', jsonb_build_object('was', v_was, 'is', p_method)),
            coalesce(nullif(p_actor, ''), 'system'), coalesce(nullif(p_reason, ''), 'not said'));
    end if;
end $$;

-- The lists of a provider are those of the document: what it does not name is taken away. What was paid by a method goes on
-- being refunded by it. Says whether anything was there to take away.
create or replace function duly.keep_provider_lists(p_provider_id text, p_currencies text[], p_methods text[]) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_currencies integer;
    v_methods integer;
begin
    delete from duly.provider_currencies where provider_id = p_provider_id and currency <> all (p_currencies);
    get diagnostics v_currencies = row_count;
    delete from duly.provider_methods where provider_id = p_provider_id and payment_method_id <> all (p_methods);
    get diagnostics v_methods = row_count;
    return v_currencies + v_methods > 0;
end $$;
