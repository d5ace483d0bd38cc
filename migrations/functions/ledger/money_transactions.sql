-- Payments and refunds: drafted, or created and posted in one step (F48 to F53).

create or replace function duly.receipt_of(p_transaction_id text) returns duly.receipt language sql stable as $$
  select row(t.id, t.reference_number, n.number, t.state::text)::duly.receipt
    from duly.financial_transactions t left join duly.transaction_numbers n on n.transaction_id = t.id
    where t.id = p_transaction_id
$$;

-- The transaction that a key has made already, or null; refused when the parameters differ.
create or replace function duly.made_before(p_key text, p_hash bytea) returns text language plpgsql stable as $$
declare
  v_id text;
  v_hash bytea;
begin
  select id, request_hash into v_id, v_hash from duly.financial_transactions where idempotency_key = p_key;
  if v_hash <> p_hash then
    perform duly.refuse('key_reused', 'key_means_one_request', jsonb_build_object('key', p_key));
  end if;
  return v_id;
end $$;

-- The type to use: the one named, else the classification's default; its methods and categories apply (F17 to F21).
create or replace function duly.type_for(p_classification duly.classification, p_type_id text, p_method text default null,
  p_category text default null) returns text language plpgsql stable as $$
declare
  y record;
begin
  select x.id, x.allowed_methods, x.allowed_categories, m.id as method into y
    from duly.transaction_types x left join duly.payment_methods m on m.id = p_method and m.is_active
    where x.classification = p_classification and x.is_active
      and case when p_type_id is null then x.is_default else x.id = p_type_id end;
  if y.id is null and p_type_id is null then
    perform duly.refuse('configuration', 'default_type_exists', jsonb_build_object('classification', p_classification));
  elsif y.id is null then
    perform duly.refuse('input', 'type_of_classification',
      jsonb_build_object('type_id', p_type_id, 'classification', p_classification));
  elsif y.allowed_methods is not null and y.method is null then
    perform duly.refuse('input', 'method_exists', jsonb_build_object('method', p_method));
  elsif y.allowed_methods is not null and y.method <> all (y.allowed_methods) then
    perform duly.refuse('input', 'method_allowed', jsonb_build_object('method', p_method, 'type_id', y.id));
  elsif p_category is not null and p_category <> all (y.allowed_categories) then
    perform duly.refuse('input', 'category_allowed', jsonb_build_object('category', p_category, 'type_id', y.id));
  end if;
  return y.id;
end $$;

-- What a document may address. Money may come for what was written off: it settles what is owed of it again, and what is left of
-- the money is the account's, until somebody moves it to the write-off account, where the debt is still kept.
create or replace function duly.is_addressable(t duly.financial_transactions, p_by duly.classification) returns boolean
language sql stable as $$
  select duly.is_payable(t) or (p_by = 'payment' and t.classification = 'invoice' and t.state = 'written_off')
$$;

create or replace function duly.check_addressed(t duly.financial_transactions) returns void language plpgsql stable as $$
declare
  v_id text;
begin
  if t.classification = 'credit_note' then perform duly.refuse_note_for_top_up(t); end if;
  select x.id into v_id from unnest(t.addressed_invoice_ids) x (id)
    where (select i.account_id = t.account_id and duly.is_addressable(i, t.classification)
      from duly.financial_transactions i where i.id = x.id) is not true limit 1;
  if found then
    perform duly.refuse('prerequisite', 'addressed_invoice_posted',
      jsonb_build_object('invoice_id', v_id, 'account_id', t.account_id));
  end if;
end $$;

create or replace function duly.check_back_office_code(t duly.financial_transactions) returns void language plpgsql stable as $$
begin
  perform from duly.financial_transactions x where x.classification = t.classification
    and x.back_office_code = t.back_office_code and x.id is distinct from t.id;
  if found then
    perform duly.refuse('input', 'back_office_code_unique',
      jsonb_build_object('back_office_code', t.back_office_code, 'classification', t.classification));
  end if;
end $$;

-- What a new transaction must satisfy before anything is written.
create or replace function duly.check_new(t duly.financial_transactions, a duly.accounts) returns void language plpgsql stable as $$
begin
  if a.id is null then
    perform duly.refuse('prerequisite', 'account_exists', jsonb_build_object('account_id', t.account_id));
  elsif a.state = 'terminated' then
    perform duly.refuse_terminated(a);
  elsif t.currency is distinct from a.currency then
    perform duly.refuse('input', 'currency_of_account',
      jsonb_build_object('account_id', a.id, 'currency', t.currency, 'account_currency', a.currency));
  elsif t.total_minor between duly.least_of(t.classification) and 9007199254740991 is not true then
    perform duly.refuse('input', 'amount_in_range', jsonb_build_object('amount_minor', t.total_minor));
  end if;
  if t.addressed_invoice_ids <> '{}' then perform duly.check_addressed(t); end if;
  if t.back_office_code is not null then perform duly.check_back_office_code(t); end if;
end $$;

-- Q8: a gateway's payment or refund is posted when the gateway has moved the money, and its reference proves it.
create or replace function duly.check_gateway_reference(t duly.financial_transactions) returns void language plpgsql as $$
begin
  if t.provider is null then return; end if;
  if t.gateway_reference is null then
    perform duly.refuse('prerequisite', 'gateway_reference_first',
      jsonb_build_object('provider', t.provider, 'classification', t.classification));
  end if;
  perform from duly.financial_transactions x
    where x.gateway_reference = t.gateway_reference and x.provider = t.provider
      and x.classification = t.classification and x.counterpart_id is null and x.id is distinct from t.id;
  if found then
    perform duly.refuse('prerequisite', 'gateway_reference_unique',
      jsonb_build_object('gateway_reference', t.gateway_reference));
  end if;
end $$;

-- F60: a warning, which whoever asks again with the acknowledgement has read.
create or replace function duly.check_credit_limit(t duly.financial_transactions, a duly.accounts, p_acknowledged boolean)
returns void language plpgsql as $$
begin
  if t.classification = 'refund' and t.balance_after_minor > a.credit_limit_minor and not p_acknowledged then
    perform duly.refuse('warning', 'credit_limit', jsonb_build_object('account_id', a.id,
      'balance_minor', t.balance_after_minor, 'credit_limit_minor', a.credit_limit_minor, 'currency', a.currency));
  end if;
end $$;

-- A moment of issue as a part of what is hashed. Who gives none asks for what was asked for before there were any.
create or replace function duly.moment_given(p_issued_at timestamptz) returns text[] language sql immutable parallel safe as $$
  select case when p_issued_at is null then '{}'::text[] else array[extract(epoch from p_issued_at)::text] end
$$;

-- When a document is issued: at the moment that is given, on the day that is given, or now.
create or replace function duly.issued(t duly.financial_transactions, p_time_zone text) returns duly.financial_transactions
language plpgsql as $$
begin
  if t.issued_on is null then t.issued_at := coalesce(t.issued_at, clock_timestamp()); end if;
  t.issued_on := coalesce((t.issued_at at time zone p_time_zone)::date, t.issued_on);
  return t;
end $$;

-- Write a new payment or refund, as a draft or posted. A draft needs no lock: it moves nothing.
create or replace function duly.create_transaction(t duly.financial_transactions, p_draft boolean,
  p_acknowledge_credit_limit boolean default false) returns duly.receipt language plpgsql as $$
declare
  a duly.accounts;
  v_before text;
begin
  if not p_draft then
    perform from duly.account_balances where account_id = t.account_id for no key update;
  end if;
  v_before := duly.made_before(t.idempotency_key, t.request_hash);
  if v_before is not null then return duly.receipt_of(v_before); end if;
  select * into a from duly.accounts where id = t.account_id;
  perform duly.check_new(t, a);
  t.type_id := duly.type_for(t.classification, t.type_id, t.method, t.category);
  t.id := 'ft_' || nextval('duly.financial_transaction_ids');
  t := duly.issued(t, a.time_zone);
  if p_draft then
    t.state := 'draft'; t.posted_on := null; -- the day is chosen when it is posted
    perform duly.insert_header(t);
    return row(t.id, 'R' || substr(t.id, 4), null, 'draft')::duly.receipt;
  end if;
  perform duly.check_gateway_reference(t);
  t := duly.assign_posting(t, a.time_zone);
  perform duly.check_credit_limit(t, a, p_acknowledge_credit_limit);
  perform duly.insert_header(t);
  perform duly.write_transfers_and_open_item(t, a);
  perform duly.settle(t);
  return row(t.id, 'R' || substr(t.id, 4), duly.give_number(t), 'posted')::duly.receipt;
end $$;

create or replace function duly.insert_header(t duly.financial_transactions) returns void language plpgsql as $$
begin
  insert into duly.financial_transactions (id, idempotency_key, request_hash, classification, type_id, category,
      account_id, currency, total_minor, state, issued_on, posted_on, posted_at, posted_xid, due_on, issue_reason,
      back_office_code, method, provider, gateway_reference, payment_reference, payment_preference, voucher_number,
      addressed_invoice_ids, intended_account_id, counterpart_id, origin, actor, account_version, balance_after_minor, issued_at)
    values (t.id, t.idempotency_key, t.request_hash, t.classification, t.type_id, t.category,
      t.account_id, t.currency, t.total_minor, t.state, t.issued_on, t.posted_on, t.posted_at, t.posted_xid, t.due_on,
      t.issue_reason, t.back_office_code, t.method, t.provider, t.gateway_reference, t.payment_reference,
      t.payment_preference, t.voucher_number, t.addressed_invoice_ids, t.intended_account_id, t.counterpart_id, t.origin, t.actor, t.account_version, t.balance_after_minor, t.issued_at);
end $$;

-- For the functions of the database alone: a draft through a gateway begins here.
create or replace function duly.make_payment(
  p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_method text, p_provider text default null,
  p_addressed_invoice_ids text[] default '{}', p_draft boolean default false, p_issued_on date default null,
  p_posted_on date default null, p_type_id text default null, p_category text default null,
  p_back_office_code text default null, p_payment_reference text default null, p_payment_preference text default null,
  p_voucher_number text default null, p_gateway_reference text default null, p_origin text default 'user',
  p_actor text default 'system', p_issued_at timestamptz default null
) returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  t duly.financial_transactions;
begin
  t.idempotency_key := p_key;
  t.request_hash := duly.request_hash(variadic array['payment', p_account_id, p_amount_minor::text, p_currency, p_method, p_provider,
    p_addressed_invoice_ids::text, p_draft::text, p_issued_on::text, p_posted_on::text, p_type_id, p_category,
    p_back_office_code, p_payment_reference, p_payment_preference, p_voucher_number, p_gateway_reference, p_origin]
    || duly.moment_given(p_issued_at));
  t.classification := 'payment';
  t.account_id := p_account_id;
  t.total_minor := p_amount_minor;
  t.currency := p_currency;
  t.method := p_method;
  t.provider := p_provider;
  t.addressed_invoice_ids := coalesce(p_addressed_invoice_ids, '{}');
  t.issued_on := p_issued_on;
  t.issued_at := p_issued_at;
  t.posted_on := p_posted_on;
  t.type_id := p_type_id;
  t.category := p_category;
  t.back_office_code := p_back_office_code;
  t.payment_reference := p_payment_reference;
  t.payment_preference := p_payment_preference;
  t.voucher_number := p_voucher_number;
  t.gateway_reference := p_gateway_reference;
  t.origin := p_origin;
  t.actor := p_actor;
  return duly.create_transaction(t, p_draft);
end $$;

create or replace function duly.make_refund(
  p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_method text, p_provider text default null,
  p_draft boolean default false, p_issued_on date default null, p_posted_on date default null,
  p_type_id text default null, p_category text default null, p_issue_reason text default null,
  p_back_office_code text default null, p_payment_reference text default null, p_payment_preference text default null,
  p_gateway_reference text default null, p_acknowledge_credit_limit boolean default false,
  p_origin text default 'user', p_actor text default 'system', p_issued_at timestamptz default null
) returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  t duly.financial_transactions;
begin
  t.idempotency_key := p_key;
  t.request_hash := duly.request_hash(variadic array['refund', p_account_id, p_amount_minor::text, p_currency, p_method, p_provider,
    p_draft::text, p_issued_on::text, p_posted_on::text, p_type_id, p_category, p_issue_reason, p_back_office_code,
    p_payment_reference, p_payment_preference, p_gateway_reference, p_origin] || duly.moment_given(p_issued_at));
  t.classification := 'refund';
  t.account_id := p_account_id;
  t.total_minor := p_amount_minor;
  t.currency := p_currency;
  t.method := p_method;
  t.provider := p_provider;
  t.addressed_invoice_ids := '{}';
  t.issued_on := p_issued_on;
  t.issued_at := p_issued_at;
  t.posted_on := p_posted_on;
  t.type_id := p_type_id;
  t.category := p_category;
  t.issue_reason := p_issue_reason;
  t.back_office_code := p_back_office_code;
  t.payment_reference := p_payment_reference;
  t.payment_preference := p_payment_preference;
  t.gateway_reference := p_gateway_reference;
  t.origin := p_origin;
  t.actor := p_actor;
  return duly.create_transaction(t, p_draft, p_acknowledge_credit_limit);
end $$;

-- What a gateway moves is drafted by the request to it and posted by its answer (duly.draft_payment, duly.post_gateway_draft),
-- never by whoever writes a transaction. The arguments are those of release 0.1.0.
create or replace function duly.refuse_gateway(p_classification text, p_provider text, p_gateway_reference text) returns void
language plpgsql as $$
begin
  if p_provider is not null or p_gateway_reference is not null then
    perform duly.refuse('prerequisite', 'gateway_request_first', jsonb_build_object('classification', p_classification,
      'provider', coalesce(p_provider, p_gateway_reference)));
  end if;
end $$;

create or replace function duly.create_payment(
  p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_method text, p_provider text default null,
  p_addressed_invoice_ids text[] default '{}', p_draft boolean default false, p_issued_on date default null,
  p_posted_on date default null, p_type_id text default null, p_category text default null,
  p_back_office_code text default null, p_payment_reference text default null, p_payment_preference text default null,
  p_voucher_number text default null, p_gateway_reference text default null, p_origin text default 'user',
  p_actor text default 'system', p_issued_at timestamptz default null
) returns duly.receipt language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform duly.refuse_gateway('payment', p_provider, p_gateway_reference);
  return duly.make_payment(p_key, p_account_id, p_amount_minor, p_currency, p_method, p_provider, p_addressed_invoice_ids, p_draft,
    p_issued_on, p_posted_on, p_type_id, p_category, p_back_office_code, p_payment_reference, p_payment_preference,
    p_voucher_number, p_gateway_reference, p_origin, p_actor, p_issued_at);
end $$;

create or replace function duly.create_refund(
  p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_method text, p_provider text default null,
  p_draft boolean default false, p_issued_on date default null, p_posted_on date default null,
  p_type_id text default null, p_category text default null, p_issue_reason text default null,
  p_back_office_code text default null, p_payment_reference text default null, p_payment_preference text default null,
  p_gateway_reference text default null, p_acknowledge_credit_limit boolean default false,
  p_origin text default 'user', p_actor text default 'system', p_issued_at timestamptz default null
) returns duly.receipt language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform duly.refuse_gateway('refund', p_provider, p_gateway_reference);
  return duly.make_refund(p_key, p_account_id, p_amount_minor, p_currency, p_method, p_provider, p_draft, p_issued_on, p_posted_on,
    p_type_id, p_category, p_issue_reason, p_back_office_code, p_payment_reference, p_payment_preference,
    p_gateway_reference, p_acknowledge_credit_limit, p_origin, p_actor, p_issued_at);
end $$;
