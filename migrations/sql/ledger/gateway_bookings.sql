-- Money that moves at the gateway without touching a customer's account. Clearing equals the gateway's balance only if
-- its fees, disputes and payouts are booked as well.

create function duly.gateway_booking_accounts(p_kind text, p_provider text)
returns table (debit_account text, credit_account text) language sql immutable parallel safe as $$
  select x.debit, x.credit from (values
      ('fee', 'gateway_fees:' || p_provider, 'gateway_clearing:' || p_provider),
      ('fee_refund', 'gateway_clearing:' || p_provider, 'gateway_fees:' || p_provider),
      ('dispute_held', 'dispute_holding:' || p_provider, 'gateway_clearing:' || p_provider),
      ('dispute_released', 'gateway_clearing:' || p_provider, 'dispute_holding:' || p_provider),
      -- Lost: the payment is cancelled, which credits clearing; this turns that credit into the money already held back.
      ('dispute_lost', 'gateway_clearing:' || p_provider, 'dispute_holding:' || p_provider),
      -- Lost although the payment was cancelled already: nobody owes it.
      ('dispute_written_off', 'write_off', 'dispute_holding:' || p_provider),
      ('payout', 'bank', 'gateway_clearing:' || p_provider),
      ('payout_failed', 'gateway_clearing:' || p_provider, 'bank')
    ) x (kind, debit, credit) where x.kind = p_kind
$$;

-- Book one movement, once by its key; returns its id. A repeat with other parameters is refused.
create function duly.book_gateway_movement(p_key text, p_kind text, p_provider text, p_currency text,
  p_amount_minor bigint, p_gateway_reference text, p_posted_on date default null, p_payment_id text default null)
returns text language plpgsql security definer as $$
declare
  v_hash bytea := duly.request_hash(p_kind, p_provider, p_currency, p_amount_minor::text, p_gateway_reference,
    p_posted_on::text, p_payment_id);
  v_posted_on date := coalesce(p_posted_on, (clock_timestamp() at time zone 'UTC')::date);
  b duly.gateway_bookings;
begin
  if p_amount_minor between 1 and 9007199254740991 is not true then
    perform duly.refuse('input', 'amount_in_range', jsonb_build_object('amount_minor', p_amount_minor));
  end if;
  insert into duly.gateway_bookings (idempotency_key, request_hash, kind, provider, currency, amount_minor,
      gateway_reference, payment_id, posted_on, posted_at, posted_xid)
    values (p_key, v_hash, p_kind, p_provider, p_currency, p_amount_minor, p_gateway_reference, p_payment_id,
      v_posted_on, clock_timestamp(), pg_current_xact_id())
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
      from duly.gateway_booking_accounts(b.kind, b.provider) x;
  return b.id;
end $$;

create function duly.book_gateway_fee(p_key text, p_provider text, p_currency text, p_amount_minor bigint,
  p_gateway_reference text, p_posted_on date default null, p_payment_id text default null)
returns text language sql security definer as $$
  select duly.book_gateway_movement(p_key, 'fee', p_provider, p_currency, p_amount_minor, p_gateway_reference,
    p_posted_on, p_payment_id)
$$;
