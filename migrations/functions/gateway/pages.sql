-- The gateway's pages, on which customers pay.

-- Keep the id of the page that an attempt opened, so that its end can be looked up, and the payment by it when it is paid.
create or replace function duly.record_page(p_request_id text, p_attempt integer, p_gateway_reference text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_attempts set gateway_reference = p_gateway_reference, page_reference = p_gateway_reference
    where request_id = p_request_id and attempt = p_attempt and outcome is null and channel = 'hosted_page'
$$;

-- The open collection behind a link that was sent to a customer.
create or replace function duly.collection_of_link(p_token text) returns table (account_id text, period text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select c.account_id, c.period from duly.collections c where c.link_token = p_token and c.closed_at is null
      and not exists (select from duly.payment_requests q where q.account_id = c.account_id and q.period = c.period)
$$;

-- What a page shows and offers besides its amount. It is fixed with its attempt: the same key must mean the same page, whatever is
-- configured meanwhile.
create or replace function duly.page_shown(p_account_id text, p_period text, p_provider_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('title', coalesce((duly.payment_request_of_receivable(p_account_id, p_period)).title, ''),
        'methods', duly.methods_offered(p_provider_id), 'brand', duly.page_brand(p_provider_id))
$$;

-- The brand of the pages on a provider's account: that of the seller whose payments go there. Nothing where there is none: a page of a
-- merchant's account is never the house's.
create or replace function duly.page_brand(p_provider_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select jsonb_build_object('name', s.name, 'color', s.color, 'background_color', s.background_color,
        'logo_url', s.logo_url) from duly.providers p
        join duly.sellers s on s.merchant_id is not distinct from p.merchant_id where p.id = p_provider_id), '{}')
$$;

-- The colours that the account of a merchant begins with: its seller's. Nothing where it has none.
create or replace function duly.brand_of_merchant(p_merchant_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select jsonb_build_object('color', s.color, 'background_color', s.background_color)
        from duly.sellers s where s.merchant_id = p_merchant_id), '{}')
$$;
