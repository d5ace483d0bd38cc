-- Posting, rejecting and editing drafts (F54 to F60).

-- A draft's account may change while we wait for its lock, so the draft is read, locked, and read again.
create or replace function duly.lock_transaction(p_transaction_id text) returns duly.financial_transactions language plpgsql as $$
declare
  t duly.financial_transactions;
  v_account_id text;
begin
  loop
    select account_id into v_account_id from duly.financial_transactions where id = p_transaction_id;
    if not found then
      perform duly.refuse('prerequisite', 'transaction_exists', jsonb_build_object('transaction_id', p_transaction_id));
    end if;
    perform from duly.account_balances where account_id = v_account_id for no key update;
    select * into t from duly.financial_transactions where id = p_transaction_id for no key update;
    exit when t.account_id = v_account_id;
  end loop;
  return t;
end $$;

create or replace function duly.refuse_state(t duly.financial_transactions, p_rule text) returns void language plpgsql as $$
begin
  perform duly.refuse('prerequisite', p_rule,
    jsonb_build_object('transaction_id', t.id, 'classification', t.classification, 'state', t.state));
end $$;

-- The due date of an invoice: as the rule says when none is given, else checked against it (F57, F110 to F115).
create or replace function duly.due_on_for(t duly.financial_transactions) returns date language plpgsql stable as $$
declare
  w record;
begin
  select * into w from duly.due_dates(t.account_id, t.posted_on);
  if w.earliest is null then
    perform duly.refuse('configuration', 'definition_exists', jsonb_build_object('account_id', t.account_id));
  elsif coalesce(t.due_on, w.default_on) not between w.earliest and w.latest then
    perform duly.refuse('postcondition', 'due_date_in_credit_period', jsonb_build_object('account_id', t.account_id,
      'due_on', coalesce(t.due_on, w.default_on), 'earliest', w.earliest, 'latest', w.latest));
  end if;
  return coalesce(t.due_on, w.default_on);
end $$;

-- A draft that is saved is held to the rule as if it were posted that day (F111).
create or replace function duly.check_due_on(t duly.financial_transactions, p_on date) returns void language plpgsql stable as $$
begin
  t.posted_on := p_on;
  perform duly.due_on_for(t);
end $$;

-- Write a locked draft as posted and move the money.
create or replace function duly.post_locked(t duly.financial_transactions, a duly.accounts, p_acknowledge_credit_limit boolean,
  p_actor text default 'system')
returns text language plpgsql as $$
begin
  perform duly.check_gateway_reference(t);
  t := duly.assign_posting(t, a.time_zone);
  if t.classification = 'invoice' then t.due_on := duly.due_on_for(t); end if;
  perform duly.check_credit_limit(t, a, p_acknowledge_credit_limit);
  update duly.financial_transactions set state = t.state, posted_on = t.posted_on, posted_at = t.posted_at,
      posted_xid = t.posted_xid, due_on = t.due_on, account_id = t.account_id,
      intended_account_id = t.intended_account_id, gateway_reference = t.gateway_reference,
      account_version = t.account_version, balance_after_minor = t.balance_after_minor, posted_by = p_actor
    where id = t.id;
  perform duly.write_transfers_and_open_item(t, a);
  perform duly.settle(t);
  return duly.give_number(t);
end $$;

-- Post a draft. Posting what is posted already changes nothing and returns the same receipt, so that a lost reply can be
-- requested again.
create or replace function duly.post_draft(p_transaction_id text, p_posted_on date default null,
  p_gateway_reference text default null, p_acknowledge_credit_limit boolean default false, p_actor text default null)
returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  t duly.financial_transactions := duly.lock_transaction(p_transaction_id);
  a duly.accounts;
begin
  -- By its moment: a draft of an older release may have the day that was asked for.
  if t.posted_at is not null then return duly.receipt_of(t.id); end if;
  if t.state <> 'draft' then perform duly.refuse_state(t, 'draft_only'); end if;
  -- Of the two who may have a draft, the bank answers here (activities/bank), a gateway by the outcome of its request.
  perform duly.refuse_draft_under_way(t, true);
  perform duly.refuse_gateway(t.classification::text, null, p_gateway_reference);
  select * into a from duly.accounts where id = t.account_id;
  -- What the bank has paid has left, whatever became of the account meanwhile.
  if not duly.is_with_bank(t) then perform duly.refuse_terminated(a); end if;
  t.posted_on := p_posted_on;
  perform duly.post_locked(t, a, p_acknowledge_credit_limit, coalesce(p_actor, 'system'));
  if p_actor is not null then perform duly.keep_draft_change(t.id, 'posted', '{}', p_actor); end if;
  return duly.receipt_of(t.id);
end $$;

-- A month's export drafts its refunds under such keys (activities/bank/refund_export.py): they are with the bank.
create or replace function duly.is_with_bank(t duly.financial_transactions) returns boolean language sql immutable as $$
  select t.classification = 'refund' and t.provider is null and t.origin = 'system'
    and t.idempotency_key ~ '^refund:[0-9]{4}-[0-9]{2}:'
$$;

-- A gateway or the bank may be working on it: the answer posts or rejects the draft, and nobody else does anything about
-- it (Q8). The bank's answer comes as a file, and its refusal names itself.
create or replace function duly.refuse_draft_under_way(t duly.financial_transactions, p_is_bank_answer boolean default false)
returns void language plpgsql as $$
begin
  if t.provider is not null then
    perform duly.refuse('prerequisite', 'gateway_decides',
      jsonb_build_object('transaction_id', t.id, 'provider', t.provider));
  elsif duly.is_with_bank(t) and not p_is_bank_answer then
    perform duly.refuse('prerequisite', 'bank_decides', jsonb_build_object('transaction_id', t.id));
  end if;
end $$;

create or replace function duly.reject_locked(t duly.financial_transactions, p_reason text, p_actor text) returns void
language plpgsql as $$
begin
  if t.state = 'rejected' then return; end if;
  if t.state <> 'draft' then perform duly.refuse_state(t, 'draft_only'); end if;
  update duly.financial_transactions
    set state = 'rejected', rejection_reason = p_reason, rejected_by = p_actor, rejected_at = clock_timestamp()
    where id = t.id;
end $$;

-- F55: by a person, with one of the configured reasons.
create or replace function duly.reject_draft(p_transaction_id text, p_reason_id text, p_actor text default 'system',
  p_is_bank_answer boolean default false) returns void
language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  t duly.financial_transactions := duly.lock_transaction(p_transaction_id);
begin
  if t.state <> 'rejected' then
    if t.state <> 'draft' then perform duly.refuse_state(t, 'draft_only'); end if;
    perform duly.refuse_draft_under_way(t, p_is_bank_answer);
    if not exists (select from duly.transaction_reasons
        where id = p_reason_id and purpose = 'rejection' and is_active) then
      perform duly.refuse('postcondition', 'rejection_reason_given', jsonb_build_object('reason', p_reason_id));
    end if;
    if not p_is_bank_answer then
      perform duly.refuse_terminated(a) from duly.accounts a where a.id = t.account_id;
    end if;
  end if;
  perform duly.reject_locked(t, p_reason_id, p_actor);
end $$;

-- Editing drafts (F54) and writing notes (F36).

-- Change fields of a draft. Only the fields named here may change; lines are replaced as a whole.
create or replace function duly.edit_draft(p_transaction_id text, p_changes jsonb, p_actor text default null) returns duly.receipt
language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  t duly.financial_transactions := duly.lock_transaction(p_transaction_id);
  a duly.accounts;
  v_field text;
  v_was jsonb := to_jsonb(t) || jsonb_build_object('lines', duly.lines_as_asked(t.id));
begin
  if t.state <> 'draft' then perform duly.refuse_state(t, 'draft_only'); end if;
  perform duly.refuse_draft_under_way(t);
  select k into v_field from jsonb_object_keys(p_changes) k where k <> all (duly.editable_fields(t.classification))
    limit 1;
  if found then
    perform duly.refuse('input', 'field_editable',
      jsonb_build_object('field', v_field, 'classification', t.classification));
  end if;
  if p_changes ? 'issued_on' then t.issued_at := null; end if;
  t := jsonb_populate_record(t, p_changes - 'lines');
  if p_changes ? 'lines' then t.total_minor := duly.replace_lines(t, p_changes -> 'lines'); end if;
  select * into a from duly.accounts where id = t.account_id;
  perform duly.check_new(t, a);
  t := duly.issued(t, a.time_zone);
  if t.due_on is not null and p_changes ? 'due_on' then perform duly.check_due_on(t, (clock_timestamp() at time zone a.time_zone)::date); end if;
  t.type_id := duly.type_for(t.classification, t.type_id, t.method, t.category);
  update duly.financial_transactions set total_minor = t.total_minor, type_id = t.type_id, category = t.category,
      issued_on = t.issued_on, issued_at = t.issued_at, due_on = t.due_on, issue_reason = t.issue_reason, back_office_code = t.back_office_code,
      method = t.method, payment_reference = t.payment_reference,
      payment_preference = t.payment_preference, addressed_invoice_ids = t.addressed_invoice_ids
    where id = t.id;
  if p_actor is not null then
    perform duly.keep_draft_change(t.id, 'edited', (select jsonb_object_agg(c.key, jsonb_build_object('was', v_was -> c.key, 'is', c.value))
      from jsonb_each(p_changes) c), p_actor);
  end if;
  return duly.receipt_of(t.id);
end $$;

-- The lines of a draft, for what is kept of an edit.
create or replace function duly.lines_as_asked(p_transaction_id text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(l) - 'transaction_id') order by l.position), '[]')
    from duly.transaction_lines l where l.transaction_id = p_transaction_id
$$;

create or replace function duly.editable_fields(p_classification duly.classification) returns text[]
language sql immutable parallel safe as $$
  select array['type_id', 'category', 'issued_on', 'issued_at', 'back_office_code'] || case p_classification
    when 'invoice' then array['lines', 'due_on']
    when 'credit_note' then array['lines', 'issue_reason', 'addressed_invoice_ids']
    when 'payment' then array['total_minor', 'method', 'payment_reference', 'payment_preference', 'addressed_invoice_ids']
    when 'refund' then array['total_minor', 'method', 'payment_reference', 'payment_preference', 'issue_reason'] end
$$;

create or replace function duly.replace_lines(t duly.financial_transactions, p_lines jsonb) returns bigint language plpgsql as $$
declare
  v_lines duly.ledger_line[];
begin
  if jsonb_typeof(p_lines) is distinct from 'array' or p_lines = '[]' then
    perform duly.refuse('input', 'line_required', jsonb_build_object('transaction_id', t.id));
  end if;
  v_lines := duly.read_lines(array[t.id], array[p_lines], t.classification = 'credit_note');
  perform duly.check_lines(v_lines, array[t.idempotency_key], array[t.id]);
  delete from duly.transaction_lines where transaction_id = t.id;
  perform duly.insert_lines(v_lines);
  return (select sum(total_minor) from duly.transaction_lines where transaction_id = t.id);
end $$;

create or replace function duly.add_note(p_transaction_id text, p_author text, p_note text) returns bigint
language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  v_id bigint;
begin
  if not exists (select from duly.financial_transactions where id = p_transaction_id) then
    perform duly.refuse('prerequisite', 'transaction_exists', jsonb_build_object('transaction_id', p_transaction_id));
  end if;
  insert into duly.transaction_notes (transaction_id, author, note) values (p_transaction_id, p_author, p_note)
    returning id into v_id;
  return v_id;
end $$;
