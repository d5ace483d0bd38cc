-- A platform's fee that went back, as its event names it: both books are looked at when it comes, and not on the next day.

-- The fee that an event of the platform's own account is about. With refunds of ours it comes, too.
create or replace function duly.fee_of_event(e duly.gateway_events) returns text[]
language sql stable as $$
    select array[e.object_id, e.provider_id] where e.type = 'application_fee.refunded' and e.gateway_account = '' and e.object_id <> ''
$$;

-- Match what has gone back of a charge's fee on the platform's account; return what nobody has expected: its sources, CHARGE/fr_...
create or replace function duly.match_fee_refunds(p_platform_id text, p_charge text) returns text[]
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m record;
    v_open text[] := '{}';
begin
    perform duly.name_fee_refunds(p_platform_id);
    for m in
        select distinct x.source, x.kind from duly.gateway_movements x
        where x.provider_id = p_platform_id and x.state = 'open' and x.kind = 'application_fee_refund'
          and x.source >= p_charge || '/' and x.source < p_charge || '0' order by 1
    loop
        if not duly.match_source(p_platform_id, m.source, m.kind) then
            v_open := v_open || m.source;
        end if;
    end loop;
    return v_open;
end $$;

-- Match what went back of a fee on the platform's account, once it has been read. What no refund of ours explains is looked for on the
-- merchant's account: `wake` says by whom. Waiting: nothing is known of the charge, whose movement may come later.
create or replace function duly.check_fee(p_platform_id text, p_fee text, p_charge text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_provider text;
begin
    if duly.match_fee_refunds(p_platform_id, p_charge) = '{}' then return jsonb_build_object('outcome', 'matched'); end if;
    -- Of what the platform passes on it is the account to which it went.
    select coalesce(x.merchant_provider_id, r.provider_id) into v_provider from duly.gateway_expectations t
    join duly.gateway_requests r on r.transaction_id = t.payment_id and r.kind = 'payment'
    left join duly.merchant_transfers x on x.request_id = r.id
    where t.provider_id = p_platform_id and t.object = p_charge and t.kind = 'application_fee';
    if v_provider is null then return jsonb_build_object('outcome', 'waiting'); end if;
    return jsonb_build_object('outcome', 'matched', 'wake', 'check/' || v_provider || '/' || p_charge || '/' || p_fee);
end $$;

-- What of a charge's fee may have gone back by itself, for whoever reads the merchant's account, the unexplained first: of parts of one
-- amount any may have been taken for the one that a refund of ours gave back, for within a second nothing tells their order.
create or replace function duly.unexplained_fee_refunds(p_provider_id text, p_charge text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    with part as (
        select x.source, x.amount_minor, bool_or(x.state = 'open') as is_open from duly.gateway_movements x
        where x.provider_id = duly.platform_of(p_provider_id) and x.kind = 'application_fee_refund'
          and x.source >= p_charge || '/' and x.source < p_charge || '0'
        group by x.source, x.amount_minor)
    select coalesce(array_agg(p.source order by p.is_open desc, p.source), '{}') from part p
    where exists (select from part o where o.is_open and o.amount_minor = p.amount_minor)
      and not exists (select from duly.gateway_expectations e where e.provider_id = p_provider_id and e.kind = 'application_fee_refund'
        and e.object in (p.source, split_part(p.source, '/', 2)))
$$;
