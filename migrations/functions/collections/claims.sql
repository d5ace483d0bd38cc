-- A receivable is a name and a claim on invoices, or on an amount of them (amounts.sql). Claims are written and deleted with the
-- collection and the request of a receivable, under the account's lock, by triggers: nobody can forget them.

create or replace function duly.claim_invoices() returns trigger language plpgsql as $$
declare
    v_asked bigint;
    v_claimed bigint := 0;
    v_other text;
begin
    if tg_table_name = 'collections' then
        v_asked := new.asked_minor;
    end if;
    if v_asked is null then
        insert into duly.claims (invoice_id, account_id, period)
        select distinct u.id, new.account_id, new.period from unnest(new.invoices) u (id)
        on conflict do nothing;
        get diagnostics v_claimed = row_count;
    else
        perform duly.claim_amount(new.account_id, new.period, new.invoices, v_asked);
    end if;
    -- The others were claimed before: by the same receivable's collection or request, or by somebody else.
    if v_claimed < cardinality(new.invoices) then
        select format('%s is part of %s of %s', c.invoice_id, c.period, c.account_id) into v_other from duly.claims c
        where c.invoice_id = any (new.invoices) and (c.account_id, c.period) <> (new.account_id, new.period)
          and c.amount_minor is null and not exists (select from duly.claims o
              where o.invoice_id = c.invoice_id and o.account_id = new.account_id and o.period = new.period) limit 1;
        if found then
            perform duly.refuse('one_owner', 'invoices: ' || v_other);
        end if;
    end if;
    return null;
end $$;

-- A receivable lets its invoices go once it has neither an open collection nor an open request.
create or replace function duly.release_invoices() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'gateway_requests' then
        if new.state = 'posted' then
            perform duly.use_claims(new.account_id, new.period);
        end if;
    end if;
    delete from duly.claims w
    where w.account_id = new.account_id and w.period = new.period
      and not exists (select from duly.collections c
          where c.account_id = new.account_id and c.period = new.period and c.closed_at is null)
      and not exists (select from duly.gateway_requests r
          where r.account_id = new.account_id and r.period = new.period and r.kind = 'payment'
            and r.state in ('pending', 'under_processing', 'unknown'));
    return null;
end $$;

-- So many invoices one request pays at most (INVOICES_AT_MOST in models/collections/collection.py): its booking, its
-- workflow's history and its answer are bounded by it.
create or replace function duly.invoices_at_most() returns bigint language sql immutable parallel safe as 'select 5000::bigint';

-- How many of so many invoices the next receivable takes: all, or as many as each of the fewest receivables that hold them, so
-- that no small rest is left.
create or replace function duly.part_of(p_count bigint) returns bigint language sql immutable parallel safe as $$
    select ceil(greatest(p_count, 1)::numeric / ceil(greatest(p_count, 1)::numeric / duly.invoices_at_most()))::bigint
$$;

-- The first name for a receivable of a month that nobody has used.
create or replace function duly.free_name(p_account_id text, p_period text) returns text
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_name text;
begin
    for n in 2..1000000 loop
        v_name := left(p_period, 7) || '-' || n;
        exit when not exists (select from duly.collections c where c.account_id = p_account_id and c.period = v_name)
            and not exists (select from duly.gateway_requests r
                where r.account_id = p_account_id and r.period = v_name and r.kind = 'payment')
            and not exists (select from duly.run_items i where i.account_id = p_account_id and i.receivable = v_name);
    end loop;
    return v_name;
end $$;

-- A run's member under the name of what the run collects from it: its month, or another name once somebody else has collected
-- under that. Chosen once, under the account's lock, before the first attempt. Null: it is no member, or asks under a name of its own.
create or replace function duly.named_member(p_account_id text, p_period text, p_run_id text) returns duly.run_items
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    i duly.run_items;
begin
    if length(p_period) > 7 then return null; end if;
    select * into i from duly.run_items where run_id = p_run_id and member_id = p_account_id;
    if i.receivable is distinct from '' then return i; end if;
    i.receivable := p_period;
    if exists (select from duly.gateway_requests r where r.account_id = p_account_id and r.period = p_period
            and r.kind = 'payment' and r.run_id is distinct from p_run_id)
        or exists (select from duly.collections c where c.account_id = p_account_id and c.period = p_period
            and c.run_id is distinct from p_run_id) then
        i.receivable := duly.free_name(p_account_id, p_period);
        update duly.run_items set receivable = i.receivable where run_id = p_run_id and member_id = p_account_id;
    end if;
    return i;
end $$;

-- The member of a run that a receivable is collected for; null where there is none.
create or replace function duly.member_of(p_account_id text, p_period text, p_run_id text) returns duly.run_items
language sql stable security definer set search_path = duly, pg_temp as $$
    select i from duly.run_items i
    where i.run_id = p_run_id and i.member_id = p_account_id and coalesce(nullif(i.receivable, ''), left(p_period, 7)) = p_period
$$;

-- Whether others claim some of the invoices.
create or replace function duly.is_claimed_by_others(p_account_id text, p_period text, p_invoices text[]) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.claims w
        where w.invoice_id = any (p_invoices) and (w.account_id, w.period) <> (p_account_id, p_period))
$$;

-- The oldest unsettled invoices that a receivable may claim, as many as it holds: of those named, else of all. `rest_until`
-- is the account's posting up to which more was left. `of_all` counts what it was chosen from. What a run has planned is its
-- own, unless the plan itself is carried out: of two runs that planned the same, the first that comes has it. Who asks for
-- an amount takes as many as it needs, of which the last may be more.
create or replace function duly.claimable(p_account_id text, p_period text, p_invoices text[], p_until bigint default null,
    p_leaves_plans boolean default true, p_asked bigint default null, out invoices text[], out rest_until bigint, out of_all bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(x.id order by x.place) filter (where case when p_asked is null then x.place <= duly.part_of(x.of_all)
            else x.place <= duly.invoices_at_most() and x.before_minor < p_asked end), '{}'),
        max(x.account_version) filter (where p_asked is null and duly.part_of(x.of_all) < x.of_all), count(*)
    from (
        select o.transaction_id as id, o.account_version, row_number() over oldest as place, count(*) over () as of_all,
            sum(f.free_minor) over oldest - f.free_minor as before_minor
        from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
        left join duly.claimed_by_others(p_account_id, p_period) w on w.invoice_id = o.transaction_id
        cross join lateral (select o.amount_minor - o.allocated_minor - coalesce(w.claimed_minor, 0) as free_minor) f
        -- Invoices alone: what a refund left owing is nobody's to charge to the card it went to.
        where o.account_id = p_account_id and o.side = 'debit' and o.allocated_minor < o.amount_minor
          and t.classification = 'invoice' and (p_until is null or o.account_version <= p_until)
          and (p_invoices is null or o.transaction_id in (select unnest(p_invoices)))
          and f.free_minor > 0 and w.has_owner is not true
          and not (p_leaves_plans and o.transaction_id in (
              select unnest(i.invoices) from duly.run_items i where i.account_id = p_account_id and i.outcome is null))
        window oldest as (order by o.sort_on, o.account_version)) x
$$;

-- The same for the one invoice of a member of a run, which is most of them: by keys, without ordering anything.
create or replace function duly.claimable_one(p_account_id text, p_period text, p_invoice_id text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select array[o.transaction_id]
        from duly.open_items o join duly.financial_transactions t on t.id = o.transaction_id
        cross join lateral (select coalesce(sum(w.amount_minor), 0) as claimed_minor, bool_or(w.amount_minor is null) as has_owner
            from duly.claims w
            where w.invoice_id = o.transaction_id and w.account_id = p_account_id and w.period <> p_period) w
        where o.transaction_id = p_invoice_id and o.account_id = p_account_id and o.side = 'debit'
          and t.classification = 'invoice' and o.amount_minor - o.allocated_minor > w.claimed_minor and w.has_owner is not true), '{}')
$$;

-- What one receivable was too small for: the next one, of the oldest that is left. Its row is written before anybody works on
-- it, and a repeat finds it again. Null: nothing is left but less than a step, or the one before was not paid.
create or replace function duly.open_next_part(p_account_id text, p_period text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.gateway_requests;
    c duly.collections;
    n duly.collections;
    v_part record;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into n from duly.collections where account_id = p_account_id and follows = p_period;
    if found then
        return case when n.closed_at is null then n.period end;
    end if;
    select * into c from duly.collections where account_id = p_account_id and period = p_period;
    select * into r from duly.gateway_requests where account_id = p_account_id and period = p_period and kind = 'payment';
    if c.stage is distinct from 'settled' and (c.stage is not null or r.state is distinct from 'posted') then
        return null;
    end if;
    n.rest_until := coalesce(c.rest_until, (select i.rest_until from duly.run_items i
        where i.run_id = r.run_id and i.member_id = p_account_id and coalesce(nullif(i.receivable, ''), left(p_period, 7)) = p_period));
    if n.rest_until is null then return null; end if;
    n.period := duly.free_name(p_account_id, p_period);
    select * into v_part from duly.claimable(p_account_id, n.period, null, n.rest_until);
    if duly.chargeable_part(duly.owed_to(p_account_id, n.period, v_part.invoices), coalesce(c.currency, r.currency)) = 0 then return null; end if;
    n := duly.insert_collection(p_account_id, n.period, coalesce(c.provider_id, r.provider_id), coalesce(c.run_id, r.run_id, ''),
        '', v_part.invoices, v_part.rest_until, p_period);
    return n.period;
end $$;
