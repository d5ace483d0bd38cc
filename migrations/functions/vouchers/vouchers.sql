-- Vouchers: sold or given in batches, each ended once: redeemed as a payment, cancelled, or expired. Every step owns one transfer on
-- `vouchers`, whose other side is clearing where an invoice, credit note or payment is posted with it. Codes are made by the
-- caller, who hands their hashes here: no code reaches the database.

-- The step that a key has made already, or null; refused when the parameters differ.
create or replace function duly.voucher_made_before(p_key text, p_hash bytea) returns duly.voucher_transactions
language plpgsql stable as $$
declare
  x duly.voucher_transactions;
begin
  select * into x from duly.voucher_transactions where idempotency_key = p_key;
  if x.request_hash <> p_hash then
    perform duly.refuse('key_reused', 'key_means_one_request', jsonb_build_object('key', p_key));
  end if;
  return x;
end $$;

-- Write a step with its transfer: issued vouchers come from the other side, and what ends them goes back there.
create or replace function duly.post_vouchers(x duly.voucher_transactions, p_other text) returns text language plpgsql as $$
begin
  insert into duly.voucher_transactions (id, idempotency_key, request_hash, batch_id, kind, currency, amount_minor, account_id,
      transaction_id, actor, reason, posted_on)
    values (x.id, x.idempotency_key, x.request_hash, x.batch_id, x.kind, x.currency, x.amount_minor, x.account_id,
      x.transaction_id, coalesce(nullif(x.actor, ''), session_user), coalesce(x.reason, ''), x.posted_on);
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    values (x.id, 1, case x.kind when 'issued' then p_other else 'vouchers' end, case x.kind when 'issued' then 'vouchers' else p_other end,
      x.currency, x.amount_minor, x.posted_on);
  return x.id;
end $$;

-- Post an invoice or credit note of one line for so many vouchers, on the account's today.
create or replace function duly.voucher_document(x duly.voucher_transactions, p_classification duly.classification, p_product_id text,
  p_amount_minor bigint, p_vouchers integer, p_invoices text[]) returns duly.financial_transactions language plpgsql as $$
declare
  t duly.financial_transactions;
begin
  perform duly.create_document(p_classification, jsonb_build_object(
    'key', 'voucher:' || x.id, 'account_id', x.account_id, 'currency', x.currency, 'origin', 'user', 'actor', x.actor,
    'invoices', case when p_invoices <> '{}' then to_jsonb(p_invoices) end,
    'issue_reason', case p_classification when 'credit_note' then nullif(x.reason, '') end,
    'lines', jsonb_build_array(jsonb_build_object('product_id', p_product_id, 'quantity', p_vouchers, 'unit_price_minor', p_amount_minor,
      'net_minor', x.amount_minor, 'tax_rate', 0, 'tax_minor', 0, 'total_minor', x.amount_minor))), false);
  select * into strict t from duly.financial_transactions where idempotency_key = 'voucher:' || x.id;
  return t;
end $$;

-- The last day on which vouchers can be redeemed: the one that is given, else as many days as their type says.
create or replace function duly.voucher_end(y duly.voucher_types, p_expires_on date, p_today date) returns date language plpgsql stable as $$
declare
  v_on date := coalesce(p_expires_on, p_today + y.expires_after_days);
begin
  if v_on < p_today then
    perform duly.refuse('input', 'voucher_end_to_come', jsonb_build_object('expires_on', v_on, 'today', p_today));
  end if;
  return v_on;
end $$;

-- Issue a batch, a voucher for each hash: invoiced to who buys them, or given away at the expense of their type. Returns its id.
create or replace function duly.issue_vouchers(p_key text, p_type_id text, p_amount_minor bigint, p_currency text, p_hashes text[],
  p_account_id text default null, p_expires_on date default null, p_actor text default 'system', p_reason text default '')
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_count integer := coalesce(cardinality(p_hashes), 0);
  v_hash bytea := duly.request_hash('issue_vouchers', p_type_id, p_amount_minor::text, p_currency, v_count::text, p_account_id, p_expires_on::text);
  v_today date := (clock_timestamp() at time zone 'UTC')::date;
  y duly.voucher_types;
  a duly.accounts;
  x duly.voucher_transactions;
  t duly.financial_transactions;
begin
  -- Of two who ask under one key at once the second waits, and is answered with what the first has made.
  perform duly.lock_key(p_key);
  x := duly.voucher_made_before(p_key, v_hash);
  if x.id is not null then return x.batch_id; end if;
  select * into y from duly.voucher_types where id = p_type_id and is_active;
  if y.id is null then
    perform duly.refuse('input', 'voucher_type_exists', jsonb_build_object('type_id', p_type_id));
  elsif v_count not between 1 and 10000 then
    perform duly.refuse('input', 'voucher_count', jsonb_build_object('count', v_count));
  elsif (p_amount_minor between 1 and 9007199254740991 / v_count) is not true then
    perform duly.refuse('input', 'amount_in_range', jsonb_build_object('amount_minor', p_amount_minor));
  elsif (y.product_id is null) <> (p_account_id is null) then
    perform duly.refuse('input', 'voucher_buyer', jsonb_build_object('type_id', y.id));
  elsif not exists (select from duly.currencies where code = p_currency) then
    perform duly.refuse('input', 'voucher_currency', jsonb_build_object('currency', p_currency));
  end if;
  if p_account_id is not null then
    a := duly.lock_account(p_account_id);
    perform duly.check_voucher_account(a, p_currency);
    v_today := (clock_timestamp() at time zone a.time_zone)::date;
  end if;
  insert into duly.voucher_batches (type_id, account_id, currency, amount_minor, vouchers, expires_on)
    values (y.id, p_account_id, p_currency, p_amount_minor, v_count, duly.voucher_end(y, p_expires_on, v_today)) returning id into x.batch_id;
  insert into duly.vouchers (batch_id, code_hash) select x.batch_id, h from unnest(p_hashes) with ordinality as u (h, n) order by n;
  x := duly.new_voucher_step(x.batch_id, 'issued', p_key, v_hash, v_count, p_actor, p_reason);
  -- A code is money to whoever has it, also before its buyer has paid.
  perform duly.require_alone('voucher', x.actor, p_key, '', p_account_id, x.amount_minor, p_currency);
  x.account_id := p_account_id;
  x.posted_on := v_today;
  if y.product_id is not null then
    t := duly.voucher_document(x, 'invoice', y.product_id, p_amount_minor, v_count, '{}');
    x.transaction_id := t.id;
    x.posted_on := t.posted_on;
  end if;
  perform duly.post_vouchers(x, coalesce(y.ledger_account::text, 'voucher_clearing'));
  return x.batch_id;
end $$;

-- A step of so many vouchers of a batch, with its id, key and person.
create or replace function duly.new_voucher_step(p_batch_id text, p_kind text, p_key text, p_hash bytea, p_vouchers integer, p_actor text,
  p_reason text) returns duly.voucher_transactions language plpgsql as $$
declare
  x duly.voucher_transactions;
begin
  select b.currency, b.amount_minor * p_vouchers into strict x.currency, x.amount_minor from duly.voucher_batches b where b.id = p_batch_id;
  x.id := 'vt_' || nextval('duly.voucher_transaction_ids');
  x.idempotency_key := p_key;
  x.request_hash := p_hash;
  x.batch_id := p_batch_id;
  x.kind := p_kind;
  x.actor := coalesce(nullif(p_actor, ''), session_user);
  x.reason := coalesce(p_reason, '');
  return x;
end $$;

create or replace function duly.check_voucher_account(a duly.accounts, p_currency text) returns void language plpgsql stable as $$
begin
  if a.kind <> 'customer' then
    perform duly.refuse('prerequisite', 'account_takes_documents', jsonb_build_object('account_id', a.id));
  elsif p_currency is distinct from a.currency then
    perform duly.refuse('input', 'currency_of_account',
      jsonb_build_object('account_id', a.id, 'currency', p_currency, 'account_currency', a.currency));
  end if;
  perform duly.refuse_terminated(a);
end $$;

-- Lock vouchers in the order of their ids and return those that are still out.
create or replace function duly.lock_vouchers(p_ids text[]) returns text[] language plpgsql as $$
begin
  perform from duly.vouchers where id = any (p_ids) order by id for no key update;
  return array(select v.id from unnest(p_ids) v (id) where not exists (select from duly.voucher_ends e where e.voucher_id = v.id));
end $$;

-- How a voucher has ended; null while it is out.
create or replace function duly.voucher_ended_as(p_id text) returns text language sql stable as $$
  select x.kind from duly.voucher_ends e join duly.voucher_transactions x on x.id = e.transaction_id where e.voucher_id = p_id
$$;

-- Redeem a voucher by the hash of its code: the account is paid what it is worth, whole and once. Returns the step's id.
create or replace function duly.redeem_voucher(p_key text, p_account_id text, p_code_hash text, p_actor text default 'system',
  p_reason text default '') returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a duly.accounts;
  v duly.vouchers;
  b duly.voucher_batches;
  x duly.voucher_transactions;
  t duly.financial_transactions;
  v_hash bytea := duly.request_hash('redeem_voucher', p_account_id, p_code_hash);
begin
  -- A code that is none ends here: it has locked nobody and has written nothing.
  select * into v from duly.vouchers where code_hash = p_code_hash;
  if v.id is null then perform duly.refuse('input', 'voucher_code', '{}'); end if;
  select * into strict b from duly.voucher_batches where id = v.batch_id;
  a := duly.lock_account_for(p_key, p_account_id);
  x := duly.voucher_made_before(p_key, v_hash);
  if x.id is not null then return x.id; end if;
  if duly.lock_vouchers(array[v.id]) = '{}' then
    perform duly.refuse('postcondition', 'voucher_ends_once', jsonb_build_object('voucher', v.number, 'state', duly.voucher_ended_as(v.id)));
  end if;
  perform duly.check_voucher_account(a, b.currency);
  if b.expires_on < (clock_timestamp() at time zone a.time_zone)::date then
    perform duly.refuse('postcondition', 'voucher_is_over', jsonb_build_object('voucher', v.number, 'expires_on', b.expires_on));
  end if;
  x := duly.new_voucher_step(b.id, 'redeemed', p_key, v_hash, 1, p_actor, p_reason);
  x.account_id := a.id;
  t.idempotency_key := 'voucher:' || x.id;
  t.request_hash := v_hash;
  t.classification := 'payment';
  t.account_id := a.id;
  t.currency := b.currency;
  t.total_minor := b.amount_minor;
  t.addressed_invoice_ids := '{}';
  t.voucher_number := v.number;
  t.origin := 'user';
  t.actor := x.actor;
  select payment_method_id, payment_type_id into strict t.method, t.type_id from duly.voucher_types where id = b.type_id;
  x.transaction_id := (duly.create_transaction(t, false)).transaction_id;
  select posted_on into strict x.posted_on from duly.financial_transactions where id = x.transaction_id;
  perform duly.post_vouchers(x, 'voucher_clearing');
  insert into duly.voucher_ends (voucher_id, transaction_id) values (v.id, x.id);
  return x.id;
end $$;

-- The day where it is earliest: what was good to the day before is over everywhere.
create or replace function duly.earliest_today() returns date language sql stable as $$
  select (clock_timestamp() at time zone 'Etc/GMT+12')::date
$$;

-- Book what nobody has redeemed of the next batches whose last day is over everywhere. Returns the last batch, or null at the end.
create or replace function duly.expire_vouchers(p_after text, p_limit integer, out last_batch text, out expired integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  b duly.voucher_batches;
  x duly.voucher_transactions;
  v_ids text[];
begin
  expired := 0;
  -- By a clock that is wrong nothing expires.
  if duly.why_not_dated() is not null then return; end if;
  for b in select * from duly.voucher_batches d where d.expires_on < duly.earliest_today() and d.id > p_after
      and exists (select from duly.vouchers v where v.batch_id = d.id
        and not exists (select from duly.voucher_ends e where e.voucher_id = v.id)) order by d.id limit p_limit loop
    last_batch := b.id;
    v_ids := duly.lock_vouchers(array(select id from duly.vouchers where batch_id = b.id));
    continue when v_ids = '{}';
    x := duly.new_voucher_step(b.id, 'expired', 'expired:' || b.id, duly.request_hash('expire_vouchers', b.id), cardinality(v_ids),
      'system', 'expired');
    x.posted_on := (clock_timestamp() at time zone 'UTC')::date;
    perform duly.post_vouchers(x, (select breakage_account from duly.voucher_types where id = b.type_id));
    insert into duly.voucher_ends (voucher_id, transaction_id) select id, x.id from unnest(v_ids) v (id);
    expired := expired + cardinality(v_ids);
  end loop;
end $$;

-- What touches vouchers or their clearing has a voucher transaction by the commit, whoever has written it.
create or replace function duly.guard_vouchers() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform from duly.voucher_transactions x
    where (x.transaction_id = new.source_id or x.id = new.source_id) and x.amount_minor = new.amount_minor
      and x.currency = new.currency and x.posted_xid = pg_current_xact_id();
  if not found then
    perform duly.refuse('prerequisite', 'voucher_first', jsonb_build_object('transaction_id', new.source_id));
  end if;
  return null;
end $$;
