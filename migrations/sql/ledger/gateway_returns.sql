-- Money that a gateway gives back, and that comes back from there: always new transactions (F66 to F69, Q3, Q4). What a
-- gateway has done is booked whatever state the account is in.

-- A payment of the system's own that follows from another: no draft, and no rule of a person's entry.
create function duly.post_follow_up(o duly.financial_transactions, p_key text, p_hash bytea, p_type_id text,
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
  t := duly.stamp(t, a.time_zone);
  t.issued_on := t.posted_on;
  perform duly.insert_header(t);
  perform duly.book(t, a);
  return t;
end $$;

-- The gateway has returned money of a payment: the payment is cancelled, always in full (F68). What the customer did not
-- get back now, because the gateway keeps it or has refunded it before, is posted as a payment of the same invoices, so
-- that clearing falls by what was returned and by nothing else. Returns the cancellation; a repeat returns it again.
create function duly.return_payment(p_key text, p_payment_id text, p_returned_minor bigint, p_gateway_reference text,
  p_issue_reason text, p_origin text, p_actor text)
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
    perform duly.give_numbers('payment', array[o.id]);
  end if;
  return (select id from duly.financial_transactions where idempotency_key = p_key);
end $$;

-- A refund has come back to the gateway's balance: the customer gets the credit back, first against what the refund left
-- owing. Returns the payment; a repeat returns it again.
create function duly.return_refund(p_key text, p_refund_id text, p_actor text)
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
  perform duly.give_numbers('payment', array[t.id]);
  return t.id;
end $$;

-- Money of a cancelled payment has come back: it is posted again as a payment of the same invoices, as far as they stand.
create function duly.restore_payment(p_key text, p_payment_id text, p_amount_minor bigint, p_gateway_reference text)
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
  perform duly.give_numbers('payment', array[t.id]);
  return t.id;
end $$;
