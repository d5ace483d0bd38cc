-- What leaves a wallet: spent, voided, expired. Never more than there is.

-- Use credits of a wallet for a debit, the one that ends first at first; the caller knows that there is enough.
create or replace function duly.use_wallet_credits(w duly.wallet_transactions) returns void language sql as $$
  insert into duly.wallet_uses (transaction_id, credit_id, amount_minor)
    select w.id, x.id, least(x.left_minor, w.amount_minor - x.before_minor)
      from (select c.id, c.left_minor, coalesce(sum(c.left_minor) over (order by c.expires_on nulls last, c.wallet_version
          rows between unbounded preceding and 1 preceding), 0)::bigint as before_minor
        from duly.wallet_credits(w.account_id) c) x
      where x.before_minor < w.amount_minor
$$;

-- Book what has expired of a wallet, credit by credit; the caller holds the account's lock. Returns how many.
create or replace function duly.expire_wallet(a duly.accounts) returns integer language plpgsql as $$
declare
  y duly.wallet_transaction_types;
  w duly.wallet_transactions;
  c record;
  v_today date := (clock_timestamp() at time zone a.time_zone)::date;
  v_count integer := 0;
begin
  -- By a clock that is wrong nothing expires; it does with whoever comes once that is right.
  if duly.why_not_dated() is not null then return 0; end if;
  for c in select * from duly.wallet_credits(a.id) where expires_on < v_today loop
    select * into y from duly.wallet_transaction_types where books_expiry and is_active;
    if y.id is null then perform duly.refuse('configuration', 'wallet_expiry_type', '{}'); end if;
    -- What a void has given back of it since expires once more.
    w := duly.new_wallet_transaction(a, format('expired:%s:%s', c.id, (select count(*) from duly.wallet_uses u where u.credit_id = c.id)),
      duly.request_hash('expire', c.id), y.id, 'debit', c.left_minor, 'system', 'expired');
    w.posted_on := v_today;
    perform duly.post_wallet(w, y.ledger_account);
    perform duly.use_wallet_credits(w); -- it ends first
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- Book what has expired of the next wallets, each in the order of accounts. Returns the last account, or null at the end.
create or replace function duly.expire_wallets(p_after text, p_limit integer, out last_account text, out expired integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_ids text[] := array(select distinct w.account_id from duly.wallet_transactions w
    where w.expires_on < (clock_timestamp() at time zone 'Etc/GMT-14')::date and w.account_id > p_after
      and w.amount_minor > (select coalesce(sum(u.amount_minor), 0) from duly.wallet_uses u where u.credit_id = w.id)
    order by 1 limit p_limit);
begin
  perform duly.lock_accounts(v_ids);
  select coalesce(sum(duly.expire_wallet(a)), 0)::integer into expired from duly.accounts a where a.id = any (v_ids);
  last_account := (select max(u.id) from unnest(v_ids) u (id));
end $$;

-- Debit a wallet. By the method of its type it pays: the invoice of what it buys, or the invoices that are named, or else what
-- is owed the longest. A type without a method books it where it says.
create or replace function duly.wallet_debit(p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_type_id text,
  p_invoices text[] default '{}', p_actor text default 'system', p_reason text default '')
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a duly.accounts := duly.lock_account_for(p_key, p_account_id);
  v_hash bytea := duly.request_hash('wallet_debit', p_account_id, p_amount_minor::text, p_currency, p_type_id, p_invoices::text);
  v_before text := duly.wallet_made_before(p_key, v_hash);
  y duly.wallet_transaction_types;
  w duly.wallet_transactions;
  t duly.financial_transactions;
  i duly.financial_transactions;
begin
  if v_before is not null then return v_before; end if;
  y := duly.wallet_type(p_type_id, 'debit');
  w := duly.new_wallet_transaction(a, p_key, v_hash, y.id, 'debit', p_amount_minor, p_actor, p_reason);
  w.currency := p_currency;
  perform duly.check_wallet(w, a);
  perform duly.expire_wallet(a);
  if p_amount_minor > duly.wallet_balance(a.id) then
    perform duly.refuse('postcondition', 'wallet_never_negative', jsonb_build_object('account_id', a.id, 'amount_minor', p_amount_minor,
      'balance_minor', duly.wallet_balance(a.id), 'currency', a.currency));
  end if;
  if p_invoices <> '{}' and (y.payment_method_id is null or y.product_id is not null) then
    perform duly.refuse('input', 'wallet_type_pays_invoices', jsonb_build_object('type_id', y.id));
  end if;
  if y.payment_method_id is not null and duly.waits_for_top_up(a.id) and ((select d.allocation_principle from duly.definitions d) = 'fifo'
      or exists (select from duly.wallet_top_ups u where u.state = 'requested' and u.invoice_id = any (p_invoices))) then
    -- A wallet that pays what is to fill it has what it had before, and the card is asked for what is settled.
    perform duly.refuse('prerequisite', 'wallet_pays_its_top_up', jsonb_build_object('account_id', a.id));
  end if;
  w.posted_on := (clock_timestamp() at time zone a.time_zone)::date;
  if y.payment_method_id is not null then
    if y.product_id is not null then
      i := duly.wallet_invoice(w, a, y.product_id);
      perform duly.settle(i);
      perform duly.give_number(i);
      w.made_invoice_id := i.id;
    end if;
    t.idempotency_key := 'wallet:' || w.id || ':payment';
    t.request_hash := v_hash;
    t.classification := 'payment';
    t.account_id := a.id;
    t.currency := w.currency;
    t.total_minor := w.amount_minor;
    t.method := y.payment_method_id;
    t.addressed_invoice_ids := case when i.id is null then coalesce(p_invoices, '{}') else array[i.id] end;
    t.posted_on := w.posted_on;
    t.origin := 'system';
    t.actor := w.actor;
    w.transaction_id := (duly.create_transaction(t, false)).transaction_id;
  end if;
  perform duly.post_wallet(w, coalesce(y.ledger_account::text, 'wallet_clearing'));
  perform duly.use_wallet_credits(w);
  return w.id;
end $$;

-- Void a wallet transaction: what was posted with it is cancelled, the wallet is as it was. A credit of which something was
-- spent stays. What a debit had used ends when it would have ended; a limit that was lowered since stands in no way.
create or replace function duly.wallet_void(p_key text, p_transaction_id text, p_actor text default 'system', p_reason text default '')
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  o duly.wallet_transactions;
  a duly.accounts;
  v_hash bytea := duly.request_hash('wallet_void', p_transaction_id);
  v_before text;
begin
  select * into o from duly.wallet_transactions where id = p_transaction_id;
  if o.id is null then
    perform duly.refuse('prerequisite', 'wallet_transaction_exists', jsonb_build_object('wallet_transaction', p_transaction_id));
  end if;
  a := duly.lock_account_for(p_key, o.account_id);
  v_before := duly.wallet_made_before(p_key, v_hash);
  if v_before is not null then return v_before; end if;
  perform duly.refuse_terminated(a);
  perform duly.expire_wallet(a);
  if o.voids_id is not null or exists (select from duly.wallet_transactions where voids_id = o.id)
    or exists (select from duly.wallet_transaction_types where id = o.type_id and books_expiry)
    -- What was taken out of it is not given back without its money.
    or exists (select from duly.financial_transactions t where t.id = o.made_invoice_id and t.classification = 'credit_note') then
    perform duly.refuse('prerequisite', 'wallet_voided_once', jsonb_build_object('wallet_transaction', o.number));
  elsif o.direction = 'credit' and exists (select from duly.wallet_uses where credit_id = o.id group by credit_id
      having sum(amount_minor) <> 0) then
    perform duly.refuse('prerequisite', 'wallet_credit_unspent', jsonb_build_object('wallet_transaction', o.number));
  end if;
  -- What is given back of a credit that ends has to be booked when it does.
  perform duly.wallet_end(null, c.expires_on, least(c.expires_on, current_date)) from duly.wallet_uses u
    join duly.wallet_transactions c on c.id = u.credit_id where u.transaction_id = o.id and o.direction = 'debit' and c.expires_on is not null;
  return duly.void_wallet_locked(o, a, p_key, v_hash, p_actor, p_reason);
end $$;

-- Whether all of a credit's invoice was written off: nobody has paid for it, and taking it back takes back the loss.
create or replace function duly.is_wallet_credit_lost(o duly.wallet_transactions) returns boolean language sql stable as $$
  select o.direction = 'credit' and exists (select from duly.financial_transactions i
    join duly.financial_transactions w on w.counterpart_id = i.id and w.classification = 'write_off' and w.state = 'posted'
    where i.id = o.transaction_id and i.state = 'written_off' and w.total_minor = o.amount_minor and duly.unsettled(i.id) = 0)
$$;

create or replace function duly.void_wallet_locked(o duly.wallet_transactions, a duly.accounts, p_key text, p_hash bytea, p_actor text,
  p_reason text) returns text language plpgsql as $$
declare
  w duly.wallet_transactions := duly.new_wallet_transaction(a, p_key, p_hash, o.type_id,
    case o.direction when 'credit' then 'debit' else 'credit' end, o.amount_minor, p_actor, p_reason);
  v_other text := (select case o.direction when 'credit' then f.debit_account else f.credit_account end
    from duly.transfers f where f.source_id = o.id);
begin
  w.voids_id := o.id;
  w.posted_on := (clock_timestamp() at time zone a.time_zone)::date;
  -- Of an invoice and its payment the invoice first: its cancellations are numbered without gaps.
  if o.made_invoice_id is not null then
    w.made_invoice_id := duly.cancel_for_wallet(w, 'invoice', o.made_invoice_id);
  end if;
  if duly.is_wallet_credit_lost(o) then
    v_other := 'write_off';
  elsif o.transaction_id is not null then
    w.transaction_id := duly.cancel_for_wallet(w, case o.direction when 'credit' then 'invoice' else 'payment' end::duly.classification,
      o.transaction_id);
  end if;
  perform duly.post_wallet(w, v_other);
  if o.direction = 'credit' then
    insert into duly.wallet_uses (transaction_id, credit_id, amount_minor) values (w.id, o.id, o.amount_minor);
  else
    insert into duly.wallet_uses (transaction_id, credit_id, amount_minor)
      select w.id, u.credit_id, -u.amount_minor from duly.wallet_uses u where u.transaction_id = o.id;
    -- What is given back of a top-up whose money has gone back is not in the wallet any more.
    perform duly.note_top_ups_moved(array(select c.transaction_id from duly.wallet_uses u join duly.wallet_transactions c on c.id = u.credit_id
      where u.transaction_id = o.id and c.transaction_id is not null));
  end if;
  return w.id;
end $$;

create or replace function duly.cancel_for_wallet(w duly.wallet_transactions, p_classification duly.classification, p_id text) returns text
language sql as $$
  select (duly.cancel(p_classification, p_id, format('wallet:%s:%s', w.id, p_classification), w.request_hash, null, null,
    nullif(w.reason, ''), null, 'system', w.actor)).transaction_id
$$;

-- A payment has been cancelled: the credit that it had funded is voided where its type names that type of cancellation, if nothing of
-- it was spent. What was spent is owed: the credit's invoice is open again.
create or replace function duly.void_funded_credit(o duly.financial_transactions, t duly.financial_transactions, a duly.accounts)
returns void language plpgsql as $$
declare
  w duly.wallet_transactions;
begin
  select x.* into w from duly.wallet_transactions x join duly.wallet_transaction_types y on y.id = x.type_id and y.is_active
    where x.funding_payment_id = o.id and t.type_id = any (y.voided_by)
      and not exists (select from duly.wallet_transactions v where v.voids_id = x.id)
      and not exists (select from duly.financial_transactions i where i.id = x.transaction_id and i.state <> 'posted')
      and not exists (select from duly.wallet_uses u where u.credit_id = x.id group by u.credit_id having sum(u.amount_minor) <> 0);
  if w.id is not null then
    perform duly.void_wallet_locked(w, a, 'void:' || w.id, duly.request_hash('wallet_void', w.id), t.actor, coalesce(t.issue_reason, ''));
  end if;
end $$;

-- What touches clearing has a wallet transaction by the commit, whoever has written it.
create or replace function duly.guard_wallet_clearing() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform from duly.wallet_transactions w
    where (w.transaction_id = new.source_id or w.id = new.source_id) and w.amount_minor = new.amount_minor
      and w.currency = new.currency and w.posted_xid = pg_current_xact_id();
  if not found then
    perform duly.refuse('prerequisite', 'wallet_transaction_first', jsonb_build_object('transaction_id', new.source_id));
  end if;
  return null;
end $$;
