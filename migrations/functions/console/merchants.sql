-- Whose customer an account is: a merchant's, as long as all that it has at gateways is at that merchant's account.

create or replace function duly.note_merchants_customer() returns trigger
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_merchant text := (select merchant_id from duly.providers where id = new.provider_id);
    v_is_shared boolean;
begin
    -- Two providers at once see each other.
    perform pg_advisory_xact_lock(hashtextextended('merchant_customer:' || new.account_id, 0));
    if v_merchant is null then
        update duly.merchant_customers set merchant_id = null where account_id = new.account_id and merchant_id is not null;
        return null;
    end if;
    v_is_shared := exists (select from duly.gateway_customers g join duly.providers p on p.id = g.provider_id
        where g.account_id = new.account_id and p.merchant_id is distinct from v_merchant);
    insert into duly.merchant_customers (account_id, merchant_id)
    values (new.account_id, case when not v_is_shared then v_merchant end)
    on conflict (account_id) do update set merchant_id =
        case when merchant_customers.merchant_id = excluded.merchant_id then excluded.merchant_id end;
    return null;
end $$;

create or replace trigger notes_merchants_customer after insert on duly.gateway_customers
    for each row execute function duly.note_merchants_customer();
