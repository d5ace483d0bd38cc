create or replace view duly.ledger_entries as
  select id as transfer_id, source_id, debit_account::text as ledger_account,
      duly.control_account(debit_account) as control_account, currency, amount_minor::bigint as debit_minor,
      0::bigint as credit_minor, posted_on
    from duly.transfers
  union all
  select id, source_id, credit_account, duly.control_account(credit_account), currency, 0, amount_minor, posted_on
    from duly.transfers;

create or replace view duly.current_allocations as
  select a.* from duly.allocations a
  where not exists (select from duly.deallocations d where d.allocation_id = a.id);

create or replace view duly.transactions as
  select t.id, t.reference_number, n.number, t.classification, duly.side_of(t.classification) as side, t.type_id,
      t.category, t.account_id, t.currency, t.total_minor, i.amount_minor - i.allocated_minor as unsettled_minor,
      coalesce(i.amount_minor = i.allocated_minor and t.state = 'posted', false) as is_settled,
      t.state, t.issued_on, t.posted_on, t.posted_at, t.due_on, t.issue_reason, t.back_office_code, t.method, t.provider,
      t.gateway_reference, t.payment_reference, t.payment_preference, t.voucher_number, t.addressed_invoice_ids,
      t.intended_account_id, t.counterpart_id, t.origin, t.actor,
      t.rejection_reason, t.rejected_by, t.rejected_at, t.account_version, t.balance_after_minor, t.created_at,
      t.idempotency_key, t.issued_at,
      case when t.posted_at is not null then coalesce(t.posted_by, t.actor) end as posted_by
    from duly.financial_transactions t
    left join duly.transaction_numbers n on n.transaction_id = t.id
    left join duly.open_items i on i.transaction_id = t.id;
