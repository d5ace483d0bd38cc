-- An order of more than its account owes: what is left is the account's credit.
alter table duly.payment_orders add column is_prepayment boolean not null default false
    check (not is_prepayment or asked_minor is not null and cardinality(invoices) = 0 and not hands_over);
comment on column duly.payment_orders.is_prepayment is
    'All that was asked for is charged, whatever is owed; what is left of it is the account''s credit.';
