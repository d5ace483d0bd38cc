-- Promotional value is not paid out: what an account has in credit because of vouchers and wallet credits that were given away pays
-- what it owes, and goes back to nobody in money. What was bought is the customer's (decision 0218).

-- How much of a wallet credit was given: a present whole, and of a top-up what promotional payments have settled of its invoice.
create or replace function duly.given_share(w duly.wallet_transactions) returns bigint language sql stable as $$
  select case when w.transaction_id is null then w.amount_minor::bigint else least(w.amount_minor::bigint, (
      select coalesce(sum(a.amount_minor), 0)::bigint from duly.current_allocations a where a.debit_id = w.transaction_id
        and (exists (select from duly.voucher_transactions x join duly.voucher_batches b on b.id = x.batch_id
            where x.transaction_id = a.credit_id and b.account_id is null)
          or exists (select from duly.wallet_transactions d where d.transaction_id = a.credit_id and d.direction = 'debit'
            and d.voids_id is null)))) end
$$;

-- The payments of an account that have brought promotional value, and what of it has settled nothing yet. Of a payment from the wallet
-- what was given settles first. A refund settles nothing here: whoever refunds by hand takes what was bought.
create or replace function duly.promotional_payments(p_account_id text)
returns table (transaction_id text, left_minor bigint) language sql stable as $$
  select g.id, greatest(0, least(g.given_minor, g.given_minor - (
      select coalesce(sum(a.amount_minor), 0) from duly.current_allocations a
        join duly.financial_transactions d on d.id = a.debit_id and d.classification <> 'refund'
        where a.credit_id = g.id)))::bigint
    from (
      select x.transaction_id as id, x.amount_minor::bigint as given_minor from duly.voucher_transactions x
        join duly.voucher_batches b on b.id = x.batch_id and b.account_id is null
        where x.account_id = p_account_id and x.kind = 'redeemed'
      union all
      select w.transaction_id, sum(least(u.amount_minor, duly.given_share(c)))::bigint from duly.wallet_transactions w
        join duly.wallet_uses u on u.transaction_id = w.id join duly.wallet_transactions c on c.id = u.credit_id
        where w.account_id = p_account_id and w.direction = 'debit' and w.voids_id is null and w.transaction_id is not null
        group by w.transaction_id) g
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
