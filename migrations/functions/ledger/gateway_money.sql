-- Where a payment is posted that goes through a gateway: drafted before the call, posted when the gateway has moved the money
-- (duly.post_gateway_payment), else rejected (Q8). Made to be called inside other functions; the caller may hold the
-- account's lock already.

create or replace function duly.draft_payment(p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_method text,
  p_provider text, p_invoices text[], p_origin text, p_preference text default null)
returns text language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
  return (duly.make_payment(p_key, p_account_id, p_amount_minor, p_currency, p_method, p_provider, p_invoices,
    p_draft => true, p_payment_preference => p_preference, p_origin => p_origin)).transaction_id;
end $$;

-- Post a draft whose money the gateway has moved, and return its number; a repeat returns it again. Of a terminated account
-- it goes to the suspense account of its currency (Q12), which remembers whom it was meant for.
create or replace function duly.post_gateway_draft(p_classification duly.classification, p_id text, p_gateway_reference text)
returns text language plpgsql as $$
declare
  t duly.financial_transactions := duly.lock_transaction(p_id);
  a duly.accounts;
begin
  if t.classification <> p_classification then perform duly.refuse_state(t, p_classification || '_only'); end if;
  if t.state in ('posted', 'cancelled') and t.gateway_reference = p_gateway_reference then
    return (select number from duly.transaction_numbers where transaction_id = t.id);
  end if;
  if t.state <> 'draft' then perform duly.refuse_state(t, 'draft_only'); end if;
  t.gateway_reference := p_gateway_reference;
  select * into a from duly.accounts where id = t.account_id;
  if a.state = 'terminated' then
    t.intended_account_id := t.account_id;
    t.account_id := duly.system_account('suspense', t.currency);
    a := duly.lock_account(t.account_id);
  end if;
  -- What the gateway has done cannot be refused any more: the credit limit was a question before the call.
  return duly.post_locked(t, a, true);
end $$;

create or replace function duly.post_gateway_payment(p_payment_id text, p_gateway_reference text)
returns text language sql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select duly.post_gateway_draft('payment', p_payment_id, p_gateway_reference)
$$;

create or replace function duly.post_gateway_refund(p_refund_id text, p_gateway_reference text)
returns text language sql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select duly.post_gateway_draft('refund', p_refund_id, p_gateway_reference)
$$;

-- The gateway's refusal, in its own words; also on a terminated account, for nobody else will end the draft. A repeat
-- changes nothing.
create or replace function duly.reject_gateway_draft(p_classification duly.classification, p_id text, p_reason text)
returns void language plpgsql as $$
declare
  t duly.financial_transactions := duly.lock_transaction(p_id);
begin
  if t.classification <> p_classification then perform duly.refuse_state(t, p_classification || '_only'); end if;
  if coalesce(p_reason, '') = '' then
    perform duly.refuse('postcondition', 'rejection_reason_given', jsonb_build_object('reason', p_reason));
  end if;
  perform duly.reject_locked(t, p_reason, 'system');
end $$;

create or replace function duly.reject_payment(p_payment_id text, p_reason text)
returns void language sql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select duly.reject_gateway_draft('payment', p_payment_id, p_reason)
$$;

create or replace function duly.reject_refund(p_refund_id text, p_reason text)
returns void language sql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select duly.reject_gateway_draft('refund', p_refund_id, p_reason)
$$;

-- Money that a gateway gives back, and that comes back from there: always new transactions (F66 to F69, Q3, Q4). What a
-- gateway has done is booked whatever state the account is in.

-- A payment of the system's own that follows from another: no draft, and no rule of a person's entry.
create or replace function duly.post_follow_up(o duly.financial_transactions, p_key text, p_hash bytea, p_type_id text,
  p_amount_minor bigint, p_gateway_reference text, p_invoices text[], p_actor text)
returns duly.financial_transactions language plpgsql as $$
declare
  a duly.accounts;
  t duly.financial_transactions;
begin
  select * into a from duly.accounts where id = o.account_id;
  t.id := 'ft_' || nextval('duly.financial_transaction_ids');
  t.idempotency_key := p_key;
  t.request_hash := p_hash;
  t.classification := 'payment';
  t.type_id := p_type_id;
  t.account_id := o.account_id;
  t.currency := o.currency;
  t.total_minor := p_amount_minor;
  t.method := o.method;
  t.provider := o.provider;
  t.gateway_reference := p_gateway_reference;
  t.addressed_invoice_ids := p_invoices;
  t.origin := 'system';
  t.actor := p_actor;
  t := duly.assign_posting(t, a.time_zone);
  t.issued_on := t.posted_on;
  t.issued_at := t.posted_at;
  perform duly.insert_header(t);
  perform duly.write_transfers_and_open_item(t, a);
  return t;
end $$;

-- The gateway has returned money of a payment: the payment is cancelled, always in full (F68). What the customer did not
-- get back now, because the gateway keeps it or has refunded it before, is posted as a payment of the same invoices, so
-- that clearing falls by what was returned and by nothing else. Returns the cancellation; a repeat returns it again.
create or replace function duly.return_payment(p_key text, p_payment_id text, p_returned_minor bigint, p_gateway_reference text,
  p_issue_reason text, p_origin text, p_actor text)
returns text language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  o duly.financial_transactions := duly.lock_transaction(p_payment_id);
  a duly.accounts;
  t duly.financial_transactions;
  v_hash bytea := duly.request_hash('return_payment', p_payment_id, p_returned_minor::text, p_gateway_reference, p_origin);
  v_before text := duly.made_before(p_key, v_hash);
begin
  if v_before is not null then return v_before; end if;
  if o.classification <> 'payment' then perform duly.refuse_state(o, 'payment_only'); end if;
  if o.state <> 'posted' then perform duly.refuse_state(o, 'posted_only'); end if;
  if p_returned_minor between 1 and o.total_minor is not true then
    perform duly.refuse('input', 'amount_in_range', jsonb_build_object('amount_minor', p_returned_minor));
  end if;
  select * into a from duly.accounts where id = o.account_id;
  t := duly.counterpart_of(o, 'payment_cancellation', p_key, v_hash, null, p_issue_reason, null, p_origin, p_actor);
  perform duly.cancel_locked(o, t, a, null);
  if p_returned_minor < o.total_minor then
    o := duly.post_follow_up(o, p_key || ':kept', v_hash, 'payment_kept', o.total_minor - p_returned_minor,
      p_gateway_reference, o.addressed_invoice_ids, p_actor);
    perform duly.settle(o);
    perform duly.give_number(o);
  end if;
  return (select id from duly.financial_transactions where idempotency_key = p_key);
end $$;

-- A refund has come back to the gateway's balance: the customer gets the credit back, first against what the refund left
-- owing. Returns the payment; a repeat returns it again.
create or replace function duly.return_refund(p_key text, p_refund_id text, p_actor text)
returns text language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  o duly.financial_transactions := duly.lock_transaction(p_refund_id);
  t duly.financial_transactions;
  v_hash bytea := duly.request_hash('return_refund', p_refund_id);
  v_before text := duly.made_before(p_key, v_hash);
  v_owing bigint := least(duly.unsettled(p_refund_id), o.total_minor);
begin
  if v_before is not null then return v_before; end if;
  if o.classification <> 'refund' then perform duly.refuse_state(o, 'refund_only'); end if;
  if o.state <> 'posted' then perform duly.refuse_state(o, 'posted_only'); end if;
  t := duly.post_follow_up(o, p_key, v_hash, 'refund_returned', o.total_minor, o.gateway_reference, '{}', p_actor);
  if v_owing > 0 then perform duly.allocate(t.account_id, t.id, o.id, v_owing); end if;
  perform duly.allocate_fifo(t.account_id);
  perform duly.give_number(t);
  return t.id;
end $$;

-- Money of a cancelled payment has come back: it is posted again as a payment of the same invoices, as far as they stand.
create or replace function duly.restore_payment(p_key text, p_payment_id text, p_amount_minor bigint, p_gateway_reference text)
returns text language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  o duly.financial_transactions := duly.lock_transaction(p_payment_id);
  t duly.financial_transactions;
  v_hash bytea := duly.request_hash('restore_payment', p_payment_id, p_amount_minor::text);
  v_before text := duly.made_before(p_key, v_hash);
begin
  if v_before is not null then return v_before; end if;
  -- The rest that was kept has the gateway's reference already; the restored one is known by its payment.
  t := duly.post_follow_up(o, p_key, v_hash, 'refund_returned', p_amount_minor, p_gateway_reference || ':returned',
    o.addressed_invoice_ids, 'system');
  perform duly.settle(t);
  perform duly.give_number(t);
  return t.id;
end $$;

-- Money that moves at the gateway without touching a customer's account. Clearing equals the gateway's balance only if
-- its fees, disputes and payouts are booked as well.

create or replace function duly.gateway_booking_accounts(p_kind text, p_provider text, p_platform text default null)
returns table (debit_account text, credit_account text) language sql immutable parallel safe as $$
  select x.debit, x.credit from (values
      ('fee', 'gateway_fees:' || p_provider, 'gateway_clearing:' || p_provider),
      ('fee_refund', 'gateway_clearing:' || p_provider, 'gateway_fees:' || p_provider),
      -- What the platform takes, in the book of the merchant whose account was paid; and in the platform's own.
      ('platform_fee', 'platform_fees:' || p_provider, 'gateway_clearing:' || p_provider),
      ('platform_fee_refund', 'gateway_clearing:' || p_provider, 'platform_fees:' || p_provider),
      ('application_fee', 'gateway_clearing:' || p_provider, 'application_fees:' || p_provider),
      ('application_fee_refund', 'application_fees:' || p_provider, 'gateway_clearing:' || p_provider),
      -- What the platform took for a merchant, in both books; what it passes on and takes back, in each by its own account.
      ('merchant_owed', 'due_from_platform:' || p_provider, 'merchant_payables:' || p_provider),
      ('merchant_owed_less', 'merchant_payables:' || p_provider, 'due_from_platform:' || p_provider),
      ('transfer', 'merchant_payables:' || p_provider, 'gateway_clearing:' || p_platform),
      ('transfer_reversed', 'gateway_clearing:' || p_platform, 'merchant_payables:' || p_provider),
      ('transfer_received', 'gateway_clearing:' || p_provider, 'due_from_platform:' || p_provider),
      ('transfer_returned', 'due_from_platform:' || p_provider, 'gateway_clearing:' || p_provider),
      ('dispute_held', 'dispute_holding:' || p_provider, 'gateway_clearing:' || p_provider),
      ('dispute_released', 'gateway_clearing:' || p_provider, 'dispute_holding:' || p_provider),
      -- Lost: the payment is cancelled, which credits clearing; this turns that credit into the money already held back.
      ('dispute_lost', 'gateway_clearing:' || p_provider, 'dispute_holding:' || p_provider),
      -- Lost although the payment was cancelled already: nobody owes it.
      ('dispute_written_off', 'write_off', 'dispute_holding:' || p_provider),
      -- The bank gives back what was lost.
      ('dispute_regained', 'dispute_holding:' || p_provider, 'gateway_clearing:' || p_provider),
      ('dispute_written_back', 'dispute_holding:' || p_provider, 'write_off'),
      ('converted_from', 'currency_conversion:' || p_provider, 'gateway_clearing:' || p_provider),
      ('converted_to', 'gateway_clearing:' || p_provider, 'currency_conversion:' || p_provider),
      ('payout', 'payouts_in_transit:' || p_provider, 'gateway_clearing:' || p_provider),
      ('payout_failed', 'gateway_clearing:' || p_provider, 'payouts_in_transit:' || p_provider),
      -- A negative balance is filled from our bank account.
      ('payout_pulled', 'gateway_clearing:' || p_provider, 'payouts_in_transit:' || p_provider),
      ('payout_pull_failed', 'payouts_in_transit:' || p_provider, 'gateway_clearing:' || p_provider),
      -- The bank's statement: a credit, or a debit.
      ('payout_arrived', 'bank', 'payouts_in_transit:' || p_provider),
      ('payout_withdrawn', 'payouts_in_transit:' || p_provider, 'bank'),
      -- What the bank keeps of either.
      ('payout_fee', 'gateway_fees:' || p_provider, 'bank'),
      -- Bank debits that a statement brings, and those that it takes back, with what the bank charges for it.
      ('debits_collected', 'bank', 'gateway_clearing:' || p_provider),
      ('debits_returned', 'gateway_clearing:' || p_provider, 'bank'),
      ('topup', 'gateway_clearing:' || p_provider, 'bank'),
      ('topup_back', 'bank', 'gateway_clearing:' || p_provider)
    ) x (kind, debit, credit) where x.kind = p_kind
$$;

-- Book one movement, once by its key; returns its id. A repeat with other parameters is refused.
create or replace function duly.book_gateway_movement(p_key text, p_kind text, p_provider text, p_currency text,
  p_amount_minor bigint, p_gateway_reference text, p_posted_on date default null, p_payment_id text default null)
returns text language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  v_hash bytea := duly.request_hash(p_kind, p_provider, p_currency, p_amount_minor::text, p_gateway_reference,
    p_posted_on::text, p_payment_id);
  v_moved_on date := coalesce(p_posted_on, (clock_timestamp() at time zone 'UTC')::date);
  v_posted_on date := duly.open_day_of_movement(v_moved_on);
  b duly.gateway_bookings;
begin
  if p_amount_minor between 1 and 9007199254740991 is not true then
    perform duly.refuse('input', 'amount_in_range', jsonb_build_object('amount_minor', p_amount_minor));
  end if;
  insert into duly.gateway_bookings (idempotency_key, request_hash, kind, provider, currency, amount_minor,
      gateway_reference, payment_id, posted_on, posted_at, posted_xid, moved_on)
    values (p_key, v_hash, p_kind, p_provider, p_currency, p_amount_minor, p_gateway_reference, p_payment_id,
      v_posted_on, clock_timestamp(), pg_current_xact_id(), nullif(v_moved_on, v_posted_on))
    on conflict (idempotency_key) do nothing returning * into b;
  if not found then
    select * into b from duly.gateway_bookings where idempotency_key = p_key;
    if b.request_hash <> v_hash then
      perform duly.refuse('key_reused', 'key_means_one_request', jsonb_build_object('key', p_key));
    end if;
    return b.id;
  end if;
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    select b.id, 1, x.debit_account, x.credit_account, b.currency, b.amount_minor, b.posted_on
      from duly.gateway_booking_accounts(b.kind, b.provider, case when b.kind in ('transfer', 'transfer_reversed')
        then (select platform_id from duly.providers where id = b.provider) end) x;
  return b.id;
end $$;

create or replace function duly.book_gateway_fee(p_key text, p_provider text, p_currency text, p_amount_minor bigint,
  p_gateway_reference text, p_posted_on date default null, p_payment_id text default null)
returns text language sql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
  select duly.book_gateway_movement(p_key, 'fee', p_provider, p_currency, p_amount_minor, p_gateway_reference,
    p_posted_on, p_payment_id)
$$;
