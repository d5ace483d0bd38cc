-- Money through a gateway: drafted before the gateway is asked, posted when it has moved the money, else rejected (Q8). Made
-- to be called inside other functions; the caller may hold the account's lock already.

create function duly.draft_payment(p_key text, p_account_id text, p_amount_minor bigint, p_currency text, p_method text,
  p_provider text, p_invoices text[], p_origin text)
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (duly.create_payment(p_key, p_account_id, p_amount_minor, p_currency, p_method, p_provider, p_invoices,
    p_draft => true, p_origin => p_origin)).transaction_id;
end $$;

-- Post a draft whose money the gateway has moved, and return its number; a repeat returns it again. Of a terminated account
-- it goes to the suspense account of its currency (Q12), which remembers whom it was meant for.
create function duly.post_gateway_draft(p_classification duly.classification, p_id text, p_gateway_reference text)
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
  -- What the gateway has done cannot be refused any more: the credit limit was a question before it was asked.
  return duly.post_locked(t, a, true);
end $$;

create function duly.post_gateway_payment(p_payment_id text, p_gateway_reference text)
returns text language sql security definer set search_path = pg_catalog, pg_temp as $$
  select duly.post_gateway_draft('payment', p_payment_id, p_gateway_reference)
$$;

create function duly.post_gateway_refund(p_refund_id text, p_gateway_reference text)
returns text language sql security definer set search_path = pg_catalog, pg_temp as $$
  select duly.post_gateway_draft('refund', p_refund_id, p_gateway_reference)
$$;

-- The gateway's refusal, in its own words; also on a terminated account, for nobody else will end the draft. A repeat
-- changes nothing.
create function duly.reject_gateway_draft(p_classification duly.classification, p_id text, p_reason text)
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

create function duly.reject_payment(p_payment_id text, p_reason text)
returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  select duly.reject_gateway_draft('payment', p_payment_id, p_reason)
$$;

create function duly.reject_refund(p_refund_id text, p_reason text)
returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  select duly.reject_gateway_draft('refund', p_refund_id, p_reason)
$$;
