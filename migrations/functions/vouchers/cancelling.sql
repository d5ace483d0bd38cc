-- Vouchers that are cancelled: what they are worth goes back to whom it came from.

-- Cancel vouchers of a batch that are out: all of them, or the one that is named. Who has bought them gets a credit note; what
-- was given goes back to its expense. Of a batch whose invoice was written off nobody is credited for what nobody has paid: that takes
-- the loss back. Returns the step's id.
create or replace function duly.cancel_vouchers(p_key text, p_batch_id text, p_voucher_id text default null,
  p_actor text default 'system', p_reason text default '') returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_hash bytea := duly.request_hash('cancel_vouchers', p_batch_id, p_voucher_id);
  b duly.voucher_batches;
  x duly.voucher_transactions;
  v_ids text[];
  v_unpaid integer;
  v_unpaid_step text;
  v_paid text;
begin
  perform duly.lock_key(p_key);
  select * into b from duly.voucher_batches where id = p_batch_id;
  if b.account_id is not null then perform duly.lock_account(b.account_id); end if;
  v_ids := duly.lock_vouchers(array(select id from duly.vouchers where batch_id = b.id and id = coalesce(p_voucher_id, id)));
  x := duly.voucher_made_before(p_key, v_hash);
  if x.id is not null then return x.id; end if;
  if v_ids = '{}' and p_voucher_id is not null then
    perform duly.refuse('postcondition', 'voucher_ends_once', (select jsonb_build_object('voucher', v.number, 'state', duly.voucher_ended_as(v.id))
      from duly.vouchers v where v.id = p_voucher_id));
  elsif v_ids = '{}' then
    perform duly.refuse('postcondition', 'vouchers_out', jsonb_build_object('batch', p_batch_id));
  end if;
  -- What is over everywhere is income, whether the night has booked it yet or not: its buyer is not credited for it.
  if b.expires_on < duly.earliest_today() then
    perform duly.refuse('postcondition', 'voucher_is_over', jsonb_build_object('voucher', coalesce((select v.number from duly.vouchers v
      where v.id = p_voucher_id), b.number), 'expires_on', b.expires_on));
  end if;
  v_unpaid := least(cardinality(v_ids), ceil(duly.lost_on_vouchers(b)::numeric / b.amount_minor));
  if v_unpaid > 0 then
    v_unpaid_step := duly.cancel_vouchers_by(b, p_key, v_hash, v_ids[:v_unpaid], false, p_actor, p_reason);
    p_key := p_key || ':paid';
  end if;
  if v_unpaid < cardinality(v_ids) then
    v_paid := duly.cancel_vouchers_by(b, p_key, v_hash, v_ids[v_unpaid + 1:], b.account_id is not null, p_actor, p_reason);
  end if;
  return coalesce(v_unpaid_step, v_paid);
end $$;

-- What was written off of the invoice of a batch, and was not taken back by cancelling its vouchers.
create or replace function duly.lost_on_vouchers(b duly.voucher_batches) returns bigint language sql stable as $$
  select greatest(0, coalesce(sum(w.total_minor), 0)::bigint - (select coalesce(sum(s.amount_minor), 0)::bigint
      from duly.voucher_transactions s where s.batch_id = b.id and s.kind = 'cancelled' and s.transaction_id is null))
    from duly.voucher_transactions i
    join duly.financial_transactions w on w.counterpart_id = i.transaction_id and w.classification = 'write_off' and w.state = 'posted'
    where b.account_id is not null and i.batch_id = b.id and i.kind = 'issued'
$$;

-- One step that cancels vouchers: by a credit note for who has bought them, or at the expense of their type, or of the loss on them.
create or replace function duly.cancel_vouchers_by(b duly.voucher_batches, p_key text, p_hash bytea, p_ids text[], p_is_credited boolean,
  p_actor text, p_reason text) returns text language plpgsql as $$
declare
  x duly.voucher_transactions := duly.new_voucher_step(b.id, 'cancelled', p_key, p_hash, cardinality(p_ids), p_actor, p_reason);
  y duly.voucher_types;
  t duly.financial_transactions;
begin
  select * into strict y from duly.voucher_types where id = b.type_id;
  x.account_id := b.account_id;
  x.posted_on := (clock_timestamp() at time zone 'UTC')::date;
  if p_is_credited then
    t := duly.voucher_document(x, 'credit_note', y.product_id, b.amount_minor, cardinality(p_ids),
      array(select i.transaction_id from duly.voucher_transactions i join duly.financial_transactions f on f.id = i.transaction_id
        where i.batch_id = b.id and i.kind = 'issued' and duly.is_payable(f)));
    x.transaction_id := t.id;
    x.posted_on := t.posted_on;
  end if;
  perform duly.post_vouchers(x, case when p_is_credited then 'voucher_clearing' when b.account_id is not null then 'write_off'
    else y.ledger_account::text end);
  insert into duly.voucher_ends (voucher_id, transaction_id) select id, x.id from unnest(p_ids) v (id);
  return x.id;
end $$;
