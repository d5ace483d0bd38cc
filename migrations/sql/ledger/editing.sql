-- Editing drafts (F54) and writing notes (F36).

-- Change fields of a draft. Only the fields named here may change; lines are replaced as a whole.
create function duly.edit_draft(p_transaction_id text, p_changes jsonb) returns duly.receipt
language plpgsql security definer as $$
declare
  t duly.financial_transactions := duly.lock_transaction(p_transaction_id);
  a duly.accounts;
  v_field text;
begin
  if t.state <> 'draft' then perform duly.refuse_state(t, 'draft_only'); end if;
  perform duly.refuse_draft_of_gateway(t);
  select k into v_field from jsonb_object_keys(p_changes) k where k <> all (duly.editable_fields(t.classification))
    limit 1;
  if found then
    perform duly.refuse('input', 'field_editable',
      jsonb_build_object('field', v_field, 'classification', t.classification));
  end if;
  t := jsonb_populate_record(t, p_changes - 'lines');
  if p_changes ? 'lines' then t.total_minor := duly.replace_lines(t, p_changes -> 'lines'); end if;
  select * into a from duly.accounts where id = t.account_id;
  perform duly.check_new(t, a);
  t.type_id := duly.type_for(t.classification, t.type_id, t.method, t.category);
  update duly.financial_transactions set total_minor = t.total_minor, type_id = t.type_id, category = t.category,
      issued_on = t.issued_on, due_on = t.due_on, issue_reason = t.issue_reason, back_office_code = t.back_office_code,
      method = t.method, payment_reference = t.payment_reference,
      payment_preference = t.payment_preference, addressed_invoice_ids = t.addressed_invoice_ids
    where id = t.id;
  return duly.receipt_of(t.id);
end $$;

create function duly.editable_fields(p_classification duly.classification) returns text[]
language sql immutable parallel safe as $$
  select array['type_id', 'category', 'issued_on', 'back_office_code'] || case p_classification
    when 'invoice' then array['lines', 'due_on']
    when 'credit_note' then array['lines', 'issue_reason', 'addressed_invoice_ids']
    when 'payment' then array['total_minor', 'method', 'payment_reference', 'payment_preference', 'addressed_invoice_ids']
    when 'refund' then array['total_minor', 'method', 'payment_reference', 'payment_preference', 'issue_reason'] end
$$;

create function duly.replace_lines(t duly.financial_transactions, p_lines jsonb) returns bigint language plpgsql as $$
declare
  v_lines duly.ledger_line[];
begin
  if jsonb_typeof(p_lines) is distinct from 'array' or p_lines = '[]' then
    perform duly.refuse('input', 'line_required', jsonb_build_object('transaction_id', t.id));
  end if;
  v_lines := duly.read_lines(array[t.id], array[p_lines]);
  perform duly.check_lines(v_lines, array[t.idempotency_key], array[t.id]);
  delete from duly.transaction_lines where transaction_id = t.id;
  perform duly.insert_lines(v_lines);
  return (select sum(total_minor) from duly.transaction_lines where transaction_id = t.id);
end $$;

create function duly.add_note(p_transaction_id text, p_author text, p_note text) returns bigint
language plpgsql security definer as $$
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
