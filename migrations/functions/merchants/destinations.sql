-- Payments that a platform takes on its own account for a merchant (destination charges): whose customers pay so, and where an attempt's
-- money goes on to. It is frozen with the attempt, as its fee is.

-- The merchant for which an account's payments are taken; null where they are the platform's own.
create or replace function duly.merchant_of_payer(p_account_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select merchant_id from duly.merchant_payers where account_id = p_account_id and ended_at is null
$$;

-- Through which other provider an account pays for its merchant than a given one; null: it pays for none, or through this one. Runs of the
-- given one leave the account alone.
create or replace function duly.pays_through(p_account_id text, p_provider_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select c.provider_id from duly.merchant_payers y join duly.merchant_connections c on c.merchant_id = y.merchant_id
    where y.account_id = p_account_id and y.ended_at is null and c.provider_id <> p_provider_id
$$;

-- The merchant's provider to whose account payments of an account through a provider go on; empty where they stay.
create or replace function duly.destination_of(p_account_id text, p_provider_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select p.id from duly.merchant_payers y join duly.merchant_connections c on c.merchant_id = y.merchant_id
        join duly.providers p on p.merchant_id = y.merchant_id and p.gateway_account = c.gateway_account
        where y.account_id = p_account_id and y.ended_at is null and c.provider_id = p_provider_id), '')
$$;

-- Why nothing may be taken of an account for its merchant, with what helps; empty when it may, or when it pays the platform itself.
create or replace function duly.why_no_destination(p_account_id text, p_provider_id text) returns text
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_merchant constant text := duly.merchant_of_payer(p_account_id);
    v_destination constant text := duly.destination_of(p_account_id, p_provider_id);
    c duly.merchant_connections;
begin
    if v_merchant is null then return ''; end if;
    select * into c from duly.merchant_connections where merchant_id = v_merchant;
    return case
        when c.gateway_account is null then format('merchant %s is not connected: `merchants connect %s`', v_merchant, v_merchant)
        when c.provider_id <> p_provider_id then
            format('account %s pays for merchant %s, which is paid through %s, not %s', p_account_id, v_merchant, c.provider_id, p_provider_id)
        when v_destination = '' then
            format('merchant %s has no provider of its account: name one with its `merchant` in a document for `definitions apply`', v_merchant)
        else duly.why_not_connected(v_destination) end;
end $$;

-- Let an account's payments be taken for a merchant from now on (P5); return whether that was so already.
create or replace function duly.assign_payer(p_merchant_id text, p_account_id text, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.merchants;
    o duly.accounts;
    v_before text;
begin
    select * into m from duly.merchants where id = p_merchant_id for no key update;
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into o from duly.accounts where id = p_account_id and kind = 'customer';
    v_before := duly.merchant_of_payer(p_account_id);
    if m.id is null then
        perform duly.refuse('merchant_exists', format('merchant: there is no merchant %s: name it in a document for `merchants apply`', p_merchant_id));
    elsif m.flow <> 'destination' then
        perform duly.refuse('flow_is_destination', format('merchant: %s is paid on its own account (flow direct): let its customers have '
            'their cards at its own provider', m.id));
    elsif o.id is null then
        perform duly.refuse('account_exists', format('account: there is no customer''s account %s', p_account_id));
    elsif exists (select from duly.merchants where account_id = o.id) then
        perform duly.refuse('account_is_customers', format('account: on %s the platform bills merchant %s: what it pays is the platform''s own',
            o.id, (select min(id) from duly.merchants where account_id = o.id)));
    elsif o.currency <> m.currency then
        perform duly.refuse('currency_of_merchant', format('account: %s pays in %s, and merchant %s is paid in %s', o.id, o.currency, m.id, m.currency));
    elsif v_before <> m.id then
        perform duly.refuse('account_pays_one_merchant', format('account: %s pays for merchant %s: `merchants release %s %s`', o.id, v_before,
            v_before, o.id));
    elsif v_before = m.id then
        return true;
    end if;
    insert into duly.merchant_payers (merchant_id, account_id, assigned_by, assigned_because) values (m.id, o.id, p_actor, p_reason);
    perform duly.note_whose_customer(o.id);
    return false;
end $$;

-- From now on an account's payments are the platform's own again; return whether that was so. What was taken before goes on as it began.
create or replace function duly.release_payer(p_merchant_id text, p_account_id text, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_before text;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    v_before := duly.merchant_of_payer(p_account_id);
    if not exists (select from duly.merchants where id = p_merchant_id) then
        perform duly.refuse('merchant_exists', format('merchant: there is no merchant %s', p_merchant_id));
    elsif not exists (select from duly.accounts where id = p_account_id and kind = 'customer') then
        perform duly.refuse('account_exists', format('account: there is no customer''s account %s', p_account_id));
    elsif v_before <> p_merchant_id then
        perform duly.refuse('account_pays_merchant', format('account: %s pays for merchant %s, not for %s', p_account_id, v_before, p_merchant_id));
    end if;
    update duly.merchant_payers set ended_at = clock_timestamp(), ended_by = p_actor, ended_because = p_reason
    where merchant_id = p_merchant_id and account_id = p_account_id and ended_at is null;
    perform duly.note_whose_customer(p_account_id);
    return v_before is null;
end $$;

-- Refuse to change how, and in which currency, a merchant is paid: the flow once it has an account, which was made for it, and both while
-- accounts pay for it; and to bill it on an account that pays for a merchant.
create or replace function duly.require_flow(p_merchant_id text, p_flow text, p_currency text, p_account_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.merchants;
    v_payers constant bigint := (select count(*) from duly.merchant_payers where merchant_id = p_merchant_id and ended_at is null);
begin
    -- Whoever assigns an account at this moment has the merchant's row, or waits for it.
    select * into m from duly.merchants where id = p_merchant_id for no key update;
    perform from duly.account_balances where account_id = p_account_id for no key update;
    if m.flow <> p_flow and exists (select from duly.merchant_connections c where c.merchant_id = m.id) then
        perform duly.refuse('flow_is_fixed', format('flow: merchant %s is connected already, and its account was made for the other flow: '
            'make another merchant', p_merchant_id));
    elsif (m.flow, m.currency) is distinct from (p_flow, p_currency) and v_payers > 0 then
        perform duly.refuse('merchant_has_payers', format('%s: %s account(s) pay for merchant %s as it is: `merchants release` them first',
            case when m.flow <> p_flow then 'flow' else 'currency' end, v_payers, m.id));
    elsif duly.merchant_of_payer(p_account_id) is not null then
        perform duly.refuse('account_is_customers', format('account: %s pays for merchant %s: the platform cannot bill merchant %s on it',
            p_account_id, duly.merchant_of_payer(p_account_id), p_merchant_id));
    end if;
end $$;
