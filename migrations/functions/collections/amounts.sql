-- What a receivable may ask for of its invoices. A claim has an amount, or takes all that others do not claim: at most one such
-- on an invoice, and the others' amounts never come to more than was open when they were claimed.

-- What others claim of an account's invoices: amounts, and whether one of them takes the rest.
create or replace function duly.claimed_by_others(p_account_id text, p_period text)
returns table (invoice_id text, claimed_minor bigint, has_owner boolean)
language sql stable security definer set search_path = duly, pg_temp as $$
    select w.invoice_id, coalesce(sum(w.amount_minor), 0)::bigint, bool_or(w.amount_minor is null)
    from duly.claims w where w.account_id = p_account_id and w.period <> p_period group by w.invoice_id
$$;

-- Whether an attempt of a claim's receivable is under way: what it was sent for is not called back.
create or replace function duly.is_sent(w duly.claims) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id
        where r.account_id = w.account_id and r.period = w.period and r.kind = 'payment'
          and r.state in ('pending', 'under_processing', 'unknown') and not duly.is_final(a.outcome))
$$;

-- What a receivable may ask for now: of each invoice what it claims, at most what is open. When less is open than is claimed, for
-- a credit or a transfer came in between, claims that are under way come first, then the older ones. Without a claim: what
-- nobody else claims. One invoice that nobody claims by an amount is asked for as it is open.
create or replace function duly.owed_to(p_account_id text, p_period text, p_invoices text[]) returns bigint
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_owed bigint;
begin
    if cardinality(p_invoices) = 1 then
        select i.amount_minor - i.allocated_minor into v_owed from duly.open_items i
        where i.transaction_id = p_invoices[1] and i.side = 'debit' and (select true from duly.claims w
            where w.invoice_id = i.transaction_id and w.amount_minor is not null limit 1) is null;
        if found then return v_owed; end if;
    end if;
    return (select coalesce(sum(least(coalesce(own.amount_minor, i.open_minor), greatest(i.open_minor - coalesce(o.before_minor, 0), 0))),
        0)::bigint
    from (select transaction_id, amount_minor - allocated_minor as open_minor from duly.open_items
        where transaction_id = any (p_invoices) and side = 'debit' and allocated_minor < amount_minor) i
    -- By the invoice alone: an index over the receivable would be read from end to end for each of its invoices.
    left join duly.claims own on own.invoice_id = i.transaction_id
        and row(own.account_id, own.period) is not distinct from row(p_account_id, p_period)
    left join lateral (select sum(w.amount_minor) as before_minor from duly.claims w
        where w.invoice_id = i.transaction_id and w.amount_minor > 0
          and (w.account_id, w.period) <> (p_account_id, p_period)
          and (own.amount_minor is null or (w.claimed_at, w.period) < (own.claimed_at, own.period) or duly.is_sent(w)))
        o on true);
end $$;

-- A receivable that asks for an amount has got it: it asks for nothing more, while its collection is being closed.
create or replace function duly.use_claims(p_account_id text, p_period text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.claims set amount_minor = 0
    where account_id = p_account_id and period = p_period and amount_minor > 0
$$;

-- Claim an amount of some invoices, in the order of the array, each as far as nobody else claims it: of some that may be nothing.
create or replace function duly.claim_amount(p_account_id text, p_period text, p_invoices text[], p_asked bigint) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.claims (invoice_id, account_id, period, amount_minor)
    select f.id, p_account_id, p_period, greatest(least(f.free_minor, p_asked - f.before_minor), 0)
    from (select u.id, x.free_minor, sum(x.free_minor) over (order by u.place) - x.free_minor as before_minor
        from unnest(p_invoices) with ordinality u (id, place)
        join duly.open_items o on o.transaction_id = u.id and o.side = 'debit'
        left join duly.claimed_by_others(p_account_id, p_period) w on w.invoice_id = u.id
        cross join lateral (select case when w.has_owner then 0
            else greatest(o.amount_minor - o.allocated_minor - coalesce(w.claimed_minor, 0), 0) end as free_minor) x) f
    on conflict do nothing
$$;
