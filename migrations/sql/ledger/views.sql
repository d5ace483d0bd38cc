-- What readers see: a transaction with its number and what is still open on it.

create view duly.transactions as
  select t.id, t.reference_number, n.number, t.classification, duly.side_of(t.classification) as side, t.type_id,
      t.category, t.account_id, t.currency, t.total_minor, i.amount_minor - i.allocated_minor as unsettled_minor,
      coalesce(i.amount_minor = i.allocated_minor and t.state = 'posted', false) as is_settled,
      t.state, t.issued_on, t.posted_on, t.posted_at, t.due_on, t.issue_reason, t.back_office_code, t.method, t.provider,
      t.gateway_reference, t.payment_reference, t.payment_preference, t.voucher_number, t.addressed_invoice_ids,
      t.intended_account_id, t.counterpart_id, t.origin, t.actor,
      t.rejection_reason, t.rejected_by, t.rejected_at, t.account_version, t.balance_after_minor, t.created_at,
      t.idempotency_key
    from duly.financial_transactions t
    left join duly.transaction_numbers n on n.transaction_id = t.id
    left join duly.open_items i on i.transaction_id = t.id;

-- The invoices of an account that somebody still has to pay, earliest due first; also what was written off and is owed
-- again.
create function duly.unsettled_invoices(p_account_id text)
returns table (transaction_id text, number text, due_on date, total_minor bigint, unsettled_minor bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.id, n.number, t.due_on, t.total_minor, i.amount_minor - i.allocated_minor
    from duly.open_items i
    join duly.financial_transactions t on t.id = i.transaction_id
    join duly.transaction_numbers n on n.transaction_id = t.id
    where i.account_id = p_account_id and i.side = 'debit' and i.allocated_minor < i.amount_minor
      and duly.is_payable(t)
    order by i.sort_on, i.account_version
$$;
