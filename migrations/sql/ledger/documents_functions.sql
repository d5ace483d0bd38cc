-- Single invoices and credit notes, by people and by processes: a batch of one.

create function duly.create_document(p_classification duly.classification, p_document jsonb, p_draft boolean)
returns duly.receipt language plpgsql as $$
begin
  perform duly.write_documents(p_classification, jsonb_build_array(jsonb_strip_nulls(p_document)), p_draft);
  return (select duly.receipt_of(id) from duly.financial_transactions where idempotency_key = p_document ->> 'key');
end $$;

create function duly.create_invoice(
  p_key text, p_account_id text, p_currency text, p_lines jsonb, p_draft boolean default false,
  p_due_on date default null, p_issued_on date default null, p_posted_on date default null,
  p_type_id text default null, p_category text default null, p_back_office_code text default null,
  p_origin text default 'user', p_actor text default 'system'
) returns duly.receipt language plpgsql security definer as $$
begin
  return duly.create_document('invoice', jsonb_build_object('key', p_key, 'account_id', p_account_id,
    'currency', p_currency, 'lines', p_lines, 'due_on', p_due_on, 'issued_on', p_issued_on, 'posted_on', p_posted_on,
    'type_id', p_type_id, 'category', p_category, 'back_office_code', p_back_office_code, 'origin', p_origin,
    'actor', p_actor), p_draft);
end $$;

create function duly.create_credit_note(
  p_key text, p_account_id text, p_currency text, p_lines jsonb, p_addressed_invoice_ids text[] default '{}',
  p_draft boolean default false, p_issued_on date default null, p_posted_on date default null,
  p_type_id text default null, p_category text default null, p_issue_reason text default null,
  p_back_office_code text default null, p_origin text default 'user', p_actor text default 'system'
) returns duly.receipt language plpgsql security definer as $$
begin
  return duly.create_document('credit_note', jsonb_build_object('key', p_key, 'account_id', p_account_id,
    'currency', p_currency, 'lines', p_lines, 'invoices', to_jsonb(p_addressed_invoice_ids), 'issued_on', p_issued_on,
    'posted_on', p_posted_on, 'type_id', p_type_id, 'category', p_category, 'issue_reason', p_issue_reason,
    'back_office_code', p_back_office_code, 'origin', p_origin, 'actor', p_actor), p_draft);
end $$;
