-- What the gateway knows an attempt by: where the idempotency key is made (duly.attempt_key). It is made of what the business
-- knows and of nothing that a restored database could count again: the same attempt has the same name whoever asks for it,
-- and two installations share none.

-- A part of a name that others follow, so that no two lists of parts make one name.
create or replace function duly.name_part(p_part text) returns text
language sql immutable as $$
    select replace(replace(p_part, '%', '%25'), '/', '%2F')
$$;

-- What the attempts of a request are about.
create or replace function duly.subject_of(r duly.gateway_requests) returns text
language sql immutable as $$
    select case r.kind
        when 'payment' then concat_ws('/', 'pay', duly.name_part(r.account_id), r.period)
        when 'card_validation' then 'card/' || r.card_id
        else 'refund/' || r.id end
$$;

-- The number of the next attempt at a receivable: over every request and channel, whatever became of the earlier ones. The
-- caller holds the account's lock.
create or replace function duly.next_number(p_account_id text, p_period text) returns integer
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(max(coalesce(a.number, a.attempt)), 0) + 1
    from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
    where r.account_id = p_account_id and r.period = p_period and r.kind = 'payment'
$$;

-- The idempotency key of an attempt. A charge and a page share their names: whichever comes second is refused by the gateway.
-- A name that no header can carry, or that is longer than the gateway takes, is known by its hash.
create or replace function duly.attempt_key(p_subject text, p_number integer) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select i.id || '/' || case
            when length(i.id || p_subject || p_number::text) <= 250 and p_subject ~ '^[!-~]+$' then p_subject
            else split_part(p_subject, '/', 1) || '/' || encode(sha256(convert_to(p_subject, 'utf8')), 'hex') end
        || '/' || p_number
    from duly.installation i
$$;

-- What every object of ours says about itself at the gateway, and what evidence is recognised by.
create or replace function duly.attempt_identity(r duly.gateway_requests) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('installation', i.id, 'purpose', r.kind, 'period', r.period) from duly.installation i
$$;

-- The gateway's ids that other attempts at the receivable have: what one of them came to says nothing about this one.
create or replace function duly.known_references(r duly.gateway_requests, a duly.gateway_attempts) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(distinct o.gateway_reference), '[]')
    from duly.gateway_requests q join duly.gateway_attempts o on o.request_id = q.id
    where q.account_id = r.account_id and q.kind = 'payment' and o.gateway_reference is not null
      and (o.request_id, o.attempt) <> (a.request_id, a.attempt)
$$;

-- The methods of a provider that are in use: its pages offer those that fit the currency.
create or replace function duly.methods_offered(p_provider_id text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(m.payment_method_id order by m.payment_method_id), '{}') from duly.provider_methods m
    join duly.payment_methods y on y.id = m.payment_method_id and y.is_active where m.provider_id = p_provider_id
$$;

-- The payment method under which a provider's payment is booked: the card's own, else the provider's first. A method is of
-- one provider (G10), and a refund is refused where its payment's method is not among those of its provider.
create or replace function duly.method_of(p_provider_id text, p_card duly.cards default null) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select m.payment_method_id from duly.provider_methods m
        join duly.payment_methods y on y.id = m.payment_method_id and y.is_active
        where m.provider_id = p_provider_id and exists (select from duly.transaction_types t
            where t.classification = 'payment' and t.is_default and t.is_active and y.id = any (t.allowed_methods))
        order by y.id = (select f.payment_method_id from duly.payment_preferences f where f.id = p_card.preference_id) desc nulls last,
            y.id <> 'card', y.id limit 1), 'card')
$$;
