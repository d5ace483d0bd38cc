-- Promotional value is not paid out: what an account has in credit because of vouchers and wallet credits that were given away pays
-- what it owes, and goes back to nobody in money. What was bought is the customer's (decision 0218). Value is followed through whatever
-- it was made into: a wallet's credit, a voucher that it has bought, a credit note for what it has paid.

-- How much of what has settled an invoice was given. Of each credit what was given settles first, in the order of its allocations; a
-- refund settles nothing here. `p_path`: documents that are asked about already, for a voucher may pay for its own batch; what would
-- take more steps than anybody's purchases counts as bought.
create or replace function duly.given_in(p_invoice_id text, p_path text[] default '{}') returns bigint language plpgsql stable as $$
declare
  a record;
  v_given bigint := 0;
begin
  if p_invoice_id is null or p_invoice_id = any (p_path) or cardinality(p_path) > 12 then return 0; end if;
  for a in select x.credit_id, x.amount_minor, x.id from duly.current_allocations x
    join duly.financial_transactions t on t.id = x.credit_id
    where x.debit_id = p_invoice_id and (t.classification = 'credit_note' and t.addressed_invoice_ids <> '{}'
      or exists (select from duly.payment_methods m where m.id = t.method and m.ledger_account in ('wallet_clearing', 'voucher_clearing')))
  loop
    v_given := v_given + greatest(0, least(a.amount_minor, duly.given_of(a.credit_id, p_path || p_invoice_id)
      - duly.settled_by(a.credit_id, a.id)));
  end loop;
  return v_given;
end $$;

-- What a credit has settled, but for refunds; `p_before`: by allocations before that one.
create or replace function duly.settled_by(p_credit_id text, p_before bigint default null) returns bigint language sql stable as $$
  select coalesce(sum(a.amount_minor), 0)::bigint from duly.current_allocations a
    join duly.financial_transactions d on d.id = a.debit_id and d.classification <> 'refund'
    where a.credit_id = p_credit_id and (p_before is null or a.id < p_before)
$$;

-- How much of a payment or credit note was given: the payment of a voucher that was given away, of one that was bought by given value, of
-- what it has bought; of a payment from the wallet what it has used of such credits; of a credit note what of its invoice.
create or replace function duly.given_of(p_credit_id text, p_path text[] default '{}') returns bigint language plpgsql stable as $$
declare
  t duly.financial_transactions;
  x duly.voucher_transactions;
  w duly.wallet_transactions;
begin
  if p_credit_id = any (p_path) then return 0; end if;
  select * into t from duly.financial_transactions where id = p_credit_id;
  if t.classification = 'credit_note' then
    -- Several notes for an invoice give back what was given before what was bought.
    return least(t.total_minor::bigint, (select coalesce(sum(greatest(0, duly.given_in(i, p_path || t.id) - n.before_minor)), 0)
      from unnest(t.addressed_invoice_ids) i
      cross join lateral (select coalesce(sum(o.total_minor), 0)::bigint as before_minor from duly.financial_transactions o
        where o.account_id = t.account_id and o.classification = 'credit_note' and o.state = 'posted'
          and o.account_version < t.account_version and i = any (o.addressed_invoice_ids)) n));
  end if;
  select * into x from duly.voucher_transactions where transaction_id = t.id and kind = 'redeemed';
  if x.id is not null then return duly.given_of_voucher(x, p_path || t.id); end if;
  select * into w from duly.wallet_transactions where transaction_id = t.id and direction = 'debit' and voids_id is null;
  if w.id is null then return 0; end if;
  return (select coalesce(sum(greatest(0, least(u.amount_minor::bigint, duly.given_of_wallet_credit(c, p_path || t.id) - b.before_minor))), 0)
    from duly.wallet_uses u join duly.wallet_transactions c on c.id = u.credit_id
    -- What of the credit was used before, and not given back.
    cross join lateral (select coalesce(sum(e.amount_minor), 0)::bigint as before_minor from duly.wallet_uses e
      join duly.wallet_transactions f on f.id = e.transaction_id
      where e.credit_id = c.id and f.wallet_version < w.wallet_version and f.voids_id is null
        and not exists (select from duly.wallet_transactions v where v.voids_id = f.id)) b
    where u.transaction_id = w.id);
end $$;

-- How much of a wallet's credit was given: a present whole, of a top-up what of its invoice.
create or replace function duly.given_of_wallet_credit(w duly.wallet_transactions, p_path text[]) returns bigint language sql stable as $$
  select case when w.transaction_id is null then w.amount_minor::bigint
    else least(w.amount_minor::bigint, duly.given_in(w.transaction_id, p_path)) end
$$;

-- How much of a voucher that was redeemed was given: one that was given away whole, of a batch that was bought what of its invoice, the
-- first that are redeemed at first.
create or replace function duly.given_of_voucher(x duly.voucher_transactions, p_path text[]) returns bigint language sql stable as $$
  select case when b.account_id is null then x.amount_minor::bigint
    else greatest(0, least(x.amount_minor::bigint, duly.given_in(i.transaction_id, p_path) - (
      select coalesce(sum(o.amount_minor), 0)::bigint from duly.voucher_transactions o
        where o.batch_id = b.id and o.kind = 'redeemed' and (o.posted_at, o.id) < (x.posted_at, x.id)))) end
  from duly.voucher_batches b join duly.voucher_transactions i on i.batch_id = b.id and i.kind = 'issued' where b.id = x.batch_id
$$;

-- The credits of an account that have brought promotional value, and what of it has settled nothing yet. A refund settles nothing here:
-- whoever refunds by hand takes what was bought. Who has never paid by a voucher or wallet has none.
create or replace function duly.promotional_payments(p_account_id text)
returns table (transaction_id text, left_minor bigint) language sql stable as $$
  with paid as materialized (
      select x.transaction_id as id from duly.voucher_transactions x where x.account_id = p_account_id and x.kind = 'redeemed'
      union all
      select w.transaction_id from duly.wallet_transactions w
        where w.account_id = p_account_id and w.direction = 'debit' and w.voids_id is null and w.transaction_id is not null),
  credits as materialized (
      select t.id, t.total_minor::bigint from paid p join duly.financial_transactions t on t.id = p.id
      union all
      select t.id, t.total_minor::bigint from duly.financial_transactions t
        where t.account_id = p_account_id and t.classification = 'credit_note' and t.state = 'posted'
          and t.addressed_invoice_ids <> '{}' and exists (select from paid))
  select c.id, greatest(0, duly.given_of(c.id) - s.settled_minor)::bigint from credits c
    cross join lateral (select duly.settled_by(c.id) as settled_minor) s where c.total_minor > s.settled_minor
$$;

-- What of an account's credit is promotional.
create or replace function duly.promotional_credit(p_account_id text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(sum(p.left_minor), 0)::bigint from duly.promotional_payments(p_account_id) p
$$;

-- What of an account's credit no run and no file refunds: what drafts refund already, and what is promotional.
create or replace function duly.not_refundable(p_account_id text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select duly.refunds_drafted(p_account_id) + duly.promotional_credit(p_account_id)
$$;

-- A refund settles what was bought before what was given, whichever is older: what is given goes on paying what is owed.
create or replace function duly.allocate_refund(t duly.financial_transactions) returns void language sql as $$
  insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
    select t.account_id, x.transaction_id, t.id, least(x.bought_minor, t.total_minor - x.up_to + x.bought_minor)
      from (select o.transaction_id, b.bought_minor, (sum(b.bought_minor) over (order by o.sort_on, o.account_version))::bigint as up_to
          from duly.open_items o
          left join duly.promotional_payments(t.account_id) p on p.transaction_id = o.transaction_id
          cross join lateral (values (o.amount_minor - o.allocated_minor - least(coalesce(p.left_minor, 0), o.amount_minor - o.allocated_minor)))
            b (bought_minor)
          where o.account_id = t.account_id and o.side = 'credit' and b.bought_minor > 0) x
      where x.up_to - x.bought_minor < t.total_minor;
  select duly.allocate_fifo(t.account_id)
$$;
