-- Providers whose requests go to a merchant's own account (`Stripe-Account`). Which account that is never changes, for an idempotency
-- key under another one is another request, and its customers and cards are not there.

-- Let a provider be a merchant's, once it is in the document; return whether that is new.
create or replace function duly.assign_provider(p_provider_id text, p_merchant_id text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v duly.providers;
begin
    select * into strict v from duly.providers where id = p_provider_id for no key update;
    if v.merchant_id is not distinct from p_merchant_id then return false; end if;
    -- Whoever makes a customer there at this moment refers to the provider, and is waited for.
    perform from duly.providers where id = p_provider_id for update;
    if v.merchant_id is not null or exists (select from duly.gateway_customers where provider_id = v.id)
        or exists (select from duly.merchant_connections where provider_id = v.id) then
        perform duly.refuse('merchant_is_fixed', format('merchant: provider %s is in use as it is: make another provider', v.id));
    elsif not exists (select from duly.merchants where id = p_merchant_id) then
        perform duly.refuse('merchant_exists', format('merchant: there is no merchant %s: name it in a document for `merchants apply`', p_merchant_id));
    end if;
    update duly.providers set merchant_id = p_merchant_id where id = v.id;
    perform duly.bind_providers(p_merchant_id);
    return true;
end $$;

-- Bind the merchant's account to the provider that waits for it. Each account has one. What came of the account before is delivered now.
create or replace function duly.bind_providers(p_merchant_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.providers p set gateway_account = c.gateway_account, platform_id = c.provider_id
    from duly.merchant_connections c
    where c.merchant_id = p_merchant_id and c.gateway_account is not null
      and p.id = (select w.id from duly.providers w where w.merchant_id = p_merchant_id and w.gateway_account is null order by w.id limit 1)
      and not exists (select from duly.providers o where o.gateway_account = c.gateway_account);
    update duly.gateway_events e set provider_id = w.provider_id, state = 'waiting', reason = '', tries = 0, next_try_at = now()
    from duly.merchant_connections c, lateral (
        select x.* from duly.gateway_events x
        where x.gateway_account = c.gateway_account and x.gateway_account <> '' and x.state in ('waiting', 'needs_review')) x,
        lateral (select duly.provider_of_event(x.provider_id, x.gateway_account, x.subject) as provider_id) w
    where c.merchant_id = p_merchant_id and e.id = x.id and w.provider_id is not null
      and (x.reason = 'unknown_account' or x.provider_id <> w.provider_id)
$$;

-- Why nothing new may be asked of a provider, with what helps; empty when it may. A merchant that the platform pays is charged by nobody.
create or replace function duly.why_not_effective(p_provider_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(nullif(duly.why_not_connected(p_provider_id), ''), (select format('merchant %s is paid out of what the platform takes '
            '(flow destination): charge its customers through %s', m.id, p.platform_id)
        from duly.providers p join duly.merchants m on m.id = p.merchant_id
        where p.id = p_provider_id and m.flow = 'destination'), '')
$$;

-- Why a provider is not in use, or its merchant not ready to be paid; empty when both are.
create or replace function duly.why_not_connected(p_provider_id text) returns text
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v duly.providers;
    c duly.merchant_connections;
begin
    select * into v from duly.providers where id = p_provider_id;
    if v.id is null then
        return format('there is no provider %s: name it in a document for `definitions apply`', p_provider_id);
    elsif v.state <> 'effective' then
        return format('%s is not effective', v.id);
    elsif not duly.is_own_mode(v.mode) then
        return format('%s is in %s mode, and the gateway worker''s key is not', v.id, v.mode);
    elsif v.merchant_id is null then
        return '';
    end if;
    select * into c from duly.merchant_connections where merchant_id = v.merchant_id;
    return case
        when not (select takes_payments from duly.merchants where id = v.merchant_id) then
            format('merchant %s is not switched on for payments: `merchants enable %s`', v.merchant_id, v.merchant_id)
        when c.gateway_account is null then
            format('merchant %s is not connected: `merchants connect %s`', v.merchant_id, v.merchant_id)
        when v.gateway_account is distinct from c.gateway_account then
            format('%s is of another account than merchant %s has now: make another provider for it', v.id, v.merchant_id)
        when c.state = 'disconnected' then
            format('merchant %s is disconnected: `merchants reconnect %s`', v.merchant_id, v.merchant_id)
        when c.state <> 'successful' then
            format('the account of merchant %s is %s: `merchants show %s`', v.merchant_id, c.state, v.merchant_id)
        else '' end;
end $$;

-- Whether nothing new may be taken through a provider, whoever asks: then a page that is open is closed as soon as it is read.
create or replace function duly.is_stopped(p_provider_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.providers where id = p_provider_id
        and (state <> 'effective' or merchant_id is not null and duly.why_not_effective(id) <> ''))
$$;

-- Receivables with a page that may be open although nothing new may be taken through its provider, as long as the gateway shows us its
-- account: account, period, and the payment request that asks for it, if one does. Who looks after one closes its page when it reads it.
create or replace function duly.stopped_pages(p_limit integer) returns table (account_id text, period text, payment_request_id text)
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_stopped constant text[] := array(select p.id from duly.providers p where duly.is_stopped(p.id) and (p.state <> 'effective'
        or duly.is_provider_reachable(p.id)));
begin
    if v_stopped = '{}' and not exists (select from duly.merchants where flow = 'destination') then return; end if;
    return query
    select c.account_id, c.period, coalesce((duly.payment_request_of_receivable(c.account_id, c.period)).id, '')
    from duly.collections c
    join duly.gateway_requests r on r.account_id = c.account_id and r.period = c.period and r.kind = 'payment'
    join duly.gateway_attempts a on a.request_id = r.id and not duly.is_final(a.outcome)
    where c.closed_at is null and a.channel = 'hosted_page' and (r.provider_id = any (v_stopped)
        or a.merchant_provider <> '' and duly.why_not_connected(a.merchant_provider) <> ''
        or a.merchant_provider <> duly.destination_of(c.account_id, r.provider_id))
      -- A bank debit that was given on its page is waited for.
      and coalesce(a.gateway_reference, '') not like 'pi\_%'
    order by c.account_id, c.period limit p_limit;
end $$;

-- Whether what has begun may go on at a provider, such as giving back money: also on an account that takes nothing new, as long as
-- the gateway lets us see it.
create or replace function duly.is_provider_reachable(p_provider_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.providers p where p.id = p_provider_id and p.state = 'effective' and duly.is_own_mode(p.mode)
        and (p.merchant_id is null or p.gateway_account is not null and not exists (select from duly.merchant_connections c
            where c.gateway_account = p.gateway_account and c.state = 'disconnected' and c.reason = 'shut_out')))
$$;

-- The provider to which an event belongs: that of the account on which it happened. Null where nothing of ours is there.
create or replace function duly.provider_of_event(p_provider_id text, p_gateway_account text, p_subject text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case
        when p_gateway_account = '' then p_provider_id
        when p_subject = 'merchant' then coalesce(
            (select c.provider_id from duly.merchant_connections c where c.gateway_account = p_gateway_account), p_provider_id)
        else (select p.id from duly.providers p where p.gateway_account = p_gateway_account) end
$$;

-- A provider, and those of the merchants that are connected through it, or were with an account they had before: whoever receives its
-- events receives theirs.
create or replace function duly.providers_through(p_provider_id text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select array[p_provider_id] || array(select p.id from duly.providers p
        where p.platform_id = p_provider_id and p.gateway_account is not null order by p.id)
$$;
