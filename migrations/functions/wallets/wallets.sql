-- Wallets: what an account has paid in advance. Only a wallet transaction moves it, under the account's lock; each owns one transfer
-- on `wallet:<account>`, whose other side is clearing where an invoice or a payment is posted with it, else where its type says.

-- What is in a wallet, expired credit that is not booked yet included.
create or replace function duly.wallet_balance(p_account_id text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce((select balance_after_minor from duly.wallet_transactions where account_id = p_account_id
    order by wallet_version desc limit 1), 0)
$$;

-- What is left of each credit, in the order in which it is spent: what ends first, and then what came first.
create or replace function duly.wallet_credits(p_account_id text)
returns table (id text, number text, type_id text, posted_on date, expires_on date, amount_minor bigint, left_minor bigint, wallet_version bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select w.id, w.number, w.type_id, w.posted_on, w.expires_on, w.amount_minor::bigint, (w.amount_minor - u.used_minor)::bigint, w.wallet_version
    from duly.wallet_transactions w
    cross join lateral (select coalesce(sum(x.amount_minor), 0) as used_minor from duly.wallet_uses x where x.credit_id = w.id) u
    where w.account_id = p_account_id and w.direction = 'credit' and w.voids_id is null and w.amount_minor > u.used_minor
    order by w.expires_on nulls last, w.wallet_version
$$;

create or replace function duly.wallet_type(p_type_id text, p_direction text) returns duly.wallet_transaction_types
language plpgsql stable as $$
declare
  y duly.wallet_transaction_types;
begin
  select * into y from duly.wallet_transaction_types where id = p_type_id and is_active and direction = p_direction;
  if y.id is null then
    perform duly.refuse('input', 'wallet_type_exists', jsonb_build_object('type_id', p_type_id, 'direction', p_direction));
  end if;
  return y;
end $$;

-- The wallet transaction that a key has made already, or null; refused when the parameters differ.
create or replace function duly.wallet_made_before(p_key text, p_hash bytea) returns text language plpgsql stable as $$
declare
  v_id text;
  v_hash bytea;
begin
  select id, request_hash into v_id, v_hash from duly.wallet_transactions where idempotency_key = p_key;
  if v_hash <> p_hash then
    perform duly.refuse('key_reused', 'key_means_one_request', jsonb_build_object('key', p_key));
  end if;
  return v_id;
end $$;

-- Take the lock of a key, then the account's: of two who ask under one key at once, of one wallet or of two, the second waits and is
-- answered with what the first has made, or told that the key means another request.
create or replace function duly.lock_account_for(p_key text, p_account_id text) returns duly.accounts language plpgsql as $$
begin
  perform duly.lock_key(p_key);
  return duly.lock_account(p_account_id);
end $$;

create or replace function duly.lock_key(p_key text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('duly.key:' || p_key, 0))
$$;

-- What every wallet transaction must satisfy before anything is written.
create or replace function duly.check_wallet(w duly.wallet_transactions, a duly.accounts) returns void language plpgsql stable as $$
begin
  if a.kind <> 'customer' then
    perform duly.refuse('prerequisite', 'account_takes_documents', jsonb_build_object('account_id', a.id));
  elsif w.currency is distinct from a.currency then
    perform duly.refuse('input', 'currency_of_account',
      jsonb_build_object('account_id', a.id, 'currency', w.currency, 'account_currency', a.currency));
  end if;
  perform duly.refuse_terminated(a);
end $$;

-- An id, and the account, currency, key and person of a new wallet transaction.
create or replace function duly.new_wallet_transaction(a duly.accounts, p_key text, p_hash bytea, p_type_id text, p_direction text,
  p_amount_minor bigint, p_actor text, p_reason text) returns duly.wallet_transactions language plpgsql as $$
declare
  w duly.wallet_transactions;
begin
  if p_amount_minor between 1 and 9007199254740991 is not true then
    perform duly.refuse('input', 'amount_in_range', jsonb_build_object('amount_minor', p_amount_minor));
  end if;
  w.id := 'wt_' || nextval('duly.wallet_transaction_ids');
  w.idempotency_key := p_key;
  w.request_hash := p_hash;
  w.account_id := a.id;
  w.currency := a.currency;
  w.type_id := p_type_id;
  w.direction := p_direction;
  w.amount_minor := p_amount_minor;
  w.actor := coalesce(nullif(p_actor, ''), session_user);
  w.reason := coalesce(p_reason, '');
  return w;
end $$;

-- Write a wallet transaction with its transfer, on the day that was found; it is the last step of each function.
create or replace function duly.post_wallet(w duly.wallet_transactions, p_other text) returns text language plpgsql as $$
declare
  v_version bigint := coalesce((select max(wallet_version) from duly.wallet_transactions where account_id = w.account_id), 0) + 1;
  v_balance bigint := duly.wallet_balance(w.account_id) + case w.direction when 'credit' then w.amount_minor else -w.amount_minor end;
begin
  insert into duly.wallet_transactions (id, idempotency_key, request_hash, account_id, currency, type_id, direction, amount_minor,
      expires_on, voids_id, transaction_id, made_invoice_id, funding_payment_id, wallet_version, balance_after_minor, actor, reason, posted_on)
    values (w.id, w.idempotency_key, w.request_hash, w.account_id, w.currency, w.type_id, w.direction, w.amount_minor,
      w.expires_on, w.voids_id, w.transaction_id, w.made_invoice_id, w.funding_payment_id, v_version, v_balance, w.actor, w.reason,
      w.posted_on);
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    select w.id, 1, case w.direction when 'credit' then p_other else x.own end, case w.direction when 'credit' then x.own else p_other end,
        w.currency, w.amount_minor, w.posted_on
      from (select 'wallet:' || w.account_id) x (own);
  return w.id;
end $$;

-- An invoice with the one line of a wallet's product, due by the account's rule. Its amount includes the tax.
create or replace function duly.wallet_invoice(w duly.wallet_transactions, a duly.accounts, p_product_id text)
returns duly.financial_transactions language plpgsql as $$
declare
  t duly.financial_transactions;
begin
  perform from duly.products where id = p_product_id and is_active;
  if not found then
    perform duly.refuse('configuration', 'wallet_product_active', jsonb_build_object('product_id', p_product_id, 'type_id', w.type_id));
  end if;
  t.id := 'ft_' || nextval('duly.financial_transaction_ids');
  t.idempotency_key := 'wallet:' || w.id || ':invoice';
  t.request_hash := w.request_hash;
  t.classification := 'invoice';
  t.type_id := duly.type_for('invoice', null);
  t.account_id := a.id;
  t.currency := w.currency;
  t.total_minor := w.amount_minor;
  t.addressed_invoice_ids := '{}';
  t.origin := 'system';
  t.actor := w.actor;
  t.posted_on := w.posted_on;
  t := duly.assign_posting(t, a.time_zone);
  t.issued_on := t.posted_on;
  t.due_on := duly.due_on_for(t);
  perform duly.insert_header(t);
  -- Of one product with the tax that applies to it, as a write-off's line is.
  perform duly.write_off_line(t, p_product_id);
  perform duly.write_transfers_and_open_item(t, a);
  return t;
end $$;

-- The last day on which a credit can be spent: the one that is given, else as many days as its type says.
create or replace function duly.wallet_end(y duly.wallet_transaction_types, p_expires_on date, p_today date) returns date
language plpgsql stable as $$
declare
  v_on date := coalesce(p_expires_on, p_today + y.expires_after_days);
begin
  if v_on is null then return null; end if;
  perform from duly.wallet_transaction_types where books_expiry and is_active;
  if not found then perform duly.refuse('configuration', 'wallet_expiry_type', '{}'); end if;
  if v_on < p_today then
    perform duly.refuse('input', 'wallet_end_to_come', jsonb_build_object('expires_on', v_on, 'today', p_today));
  end if;
  return v_on;
end $$;

create or replace function duly.wallet_room(a duly.accounts) returns bigint language sql stable as $$
  select greatest(0, l.maximum_minor - duly.wallet_balance(a.id)) from duly.wallet_limits l where l.currency = a.currency
$$;

-- Credit a wallet. Where its type names a product the customer is invoiced for it, and else its ledger account pays.
create or replace function duly.wallet_credit(p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_type_id text,
  p_expires_on date default null, p_actor text default 'system', p_reason text default '')
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a duly.accounts := duly.lock_account_for(p_key, p_account_id);
  v_hash bytea := duly.request_hash('wallet_credit', p_account_id, p_amount_minor::text, p_currency, p_type_id, p_expires_on::text);
  v_before text := duly.wallet_made_before(p_key, v_hash);
  y duly.wallet_transaction_types;
  w duly.wallet_transactions;
  t duly.financial_transactions;
  v_today date := (clock_timestamp() at time zone a.time_zone)::date;
  v_room bigint;
begin
  if v_before is not null then return v_before; end if;
  y := duly.wallet_type(p_type_id, 'credit');
  w := duly.new_wallet_transaction(a, p_key, v_hash, y.id, 'credit', p_amount_minor, p_actor, p_reason);
  w.currency := p_currency;
  perform duly.check_wallet(w, a);
  perform duly.expire_wallet(a);
  v_room := duly.wallet_room(a);
  if p_amount_minor > v_room then
    perform duly.refuse('postcondition', 'wallet_limit', jsonb_build_object('account_id', a.id, 'amount_minor', p_amount_minor,
      'room_minor', v_room, 'currency', a.currency));
  end if;
  w.posted_on := v_today;
  w.expires_on := duly.wallet_end(y, p_expires_on, v_today);
  if y.product_id is null then
    -- What its customer is not invoiced for is given.
    perform duly.require_alone('wallet_credit', w.actor, p_key, '', a.id, p_amount_minor, p_currency);
    return duly.post_wallet(w, y.ledger_account);
  end if;
  t := duly.wallet_invoice(w, a, y.product_id);
  perform duly.settle(t);
  perform duly.give_number(t);
  w.transaction_id := t.id;
  return duly.post_wallet(w, 'wallet_clearing');
end $$;

-- A payment of a type that funds wallets has been posted: as much of what it does not name invoices for as the wallet's limit has room for
-- is invoiced and settled by it, whatever else is owed; the rest is the account's. Money that has moved is never refused: what the configuration does not allow is
-- left out, the payment settles what is owed like any other, and operators are told. Whether it has funded.
create or replace function duly.fund_wallet(t duly.financial_transactions) returns boolean language plpgsql as $$
declare
  y duly.wallet_transaction_types;
  v_rule text;
begin
  select * into y from duly.wallet_transaction_types where t.type_id = any (funded_by) and is_active and direction = 'credit' limit 1;
  if y.id is null or y.product_id is null or t.counterpart_id is not null then return false; end if;
  if exists (select from duly.wallet_transactions where funding_payment_id = t.id) then return false; end if;
  -- What came out of a wallet funds none, or it would go round in a circle.
  if (select m.ledger_account from duly.payment_methods m where m.id = t.method) = 'wallet_clearing' then return false; end if;
  begin
    return duly.fund_wallet_by(t, y);
  exception when sqlstate 'LD001' or sqlstate 'LD002' or sqlstate 'LD003' or sqlstate 'LD004' or sqlstate 'LD005'
      or sqlstate 'LD006' or sqlstate 'DU001' then
    get stacked diagnostics v_rule = constraint_name;
  end;
  perform duly.write_message('wallet_not_funded', t.account_id, '', '', jsonb_build_object('amount_minor', duly.unsettled(t.id),
    'currency', t.currency, 'code', v_rule), t.id);
  return false;
end $$;

create or replace function duly.fund_wallet_by(t duly.financial_transactions, y duly.wallet_transaction_types) returns boolean
language plpgsql as $$
declare
  a duly.accounts;
begin
  select * into a from duly.accounts where id = t.account_id;
  if a.kind <> 'customer' or a.state = 'terminated' then return false; end if;
  perform duly.expire_wallet(a);
  return duly.fund_by(t, a, y, duly.unsettled(t.id));
end $$;

-- Credit the wallet by so much of a payment, as far as there is room: the credit's invoice is settled by that payment. Whether it was.
create or replace function duly.fund_by(t duly.financial_transactions, a duly.accounts, y duly.wallet_transaction_types,
  p_amount_minor bigint) returns boolean language plpgsql as $$
declare
  v_amount bigint := least(p_amount_minor, coalesce(duly.wallet_room(a), p_amount_minor));
  w duly.wallet_transactions;
  i duly.financial_transactions;
begin
  if v_amount = 0 then return false; end if;
  w := duly.new_wallet_transaction(a, 'funded:' || t.id, t.request_hash, y.id, 'credit', v_amount, t.actor, '');
  w.posted_on := t.posted_on;
  w.funding_payment_id := t.id;
  w.expires_on := duly.wallet_end(y, null, (clock_timestamp() at time zone a.time_zone)::date);
  i := duly.wallet_invoice(w, a, y.product_id);
  perform duly.allocate(a.id, t.id, i.id, v_amount);
  perform duly.give_number(i);
  w.transaction_id := i.id;
  perform duly.post_wallet(w, 'wallet_clearing');
  return true;
end $$;
