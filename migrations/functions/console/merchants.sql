-- Whose customer an account is: a merchant's, as long as all that it has at gateways is at that merchant's account, or was taken for it.

-- The merchant whose customer an account is; null where it is several ones', the house's, or at no gateway. At the platform it is that for
-- which the account is assigned, as long as nothing was asked of it there for anybody else.
create or replace function duly.whose_customer(p_account_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case when count(distinct coalesce(x.merchant_id, '')) = 1 then max(x.merchant_id) end from (
        select coalesce(p.merchant_id, (
            select y.merchant_id from duly.merchant_payers y join duly.merchant_connections c on c.merchant_id = y.merchant_id
            where y.account_id = p_account_id and y.ended_at is null and c.provider_id = p.id and not exists (
                select from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
                where r.account_id = p_account_id and r.kind = 'payment' and r.provider_id = p.id and not exists (
                    select from duly.providers o where o.id = a.merchant_provider and o.merchant_id = y.merchant_id)))) as merchant_id
        from duly.gateway_customers g join duly.providers p on p.id = g.provider_id where g.account_id = p_account_id) x
$$;

-- Write down whose customer an account is by now. Of who never was a merchant's nothing is written.
create or replace function duly.note_whose_customer(p_account_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_merchant text;
begin
    -- Two providers at once see each other.
    perform pg_advisory_xact_lock(hashtextextended('merchant_customer:' || p_account_id, 0));
    v_merchant := duly.whose_customer(p_account_id);
    if v_merchant is null then
        update duly.merchant_customers set merchant_id = null where account_id = p_account_id and merchant_id is not null;
    else
        insert into duly.merchant_customers (account_id, merchant_id) values (p_account_id, v_merchant)
        on conflict (account_id) do update set merchant_id = excluded.merchant_id;
    end if;
end $$;

create or replace function duly.note_merchants_customer() returns trigger
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform duly.note_whose_customer(new.account_id);
    return null;
end $$;

create or replace trigger notes_merchants_customer after insert on duly.gateway_customers
    for each row execute function duly.note_merchants_customer();
