-- Whether a bill is mailed to its account when it is made, with its document.
alter table duly.message_rules add column sends_bills boolean not null default false;

comment on table duly.message_rules is
    'One row. Whether an invoice is mailed when it is posted and a bill when it is made, and whether a payment by bank or by hand is confirmed.';

-- What is there keeps the rule: it is only widened.
alter table duly.messages drop constraint messages_check;

alter table duly.messages add constraint messages_check check ((audience = 'customer') = (kind in ('receipt', 'declined',
    'card_needed', 'action_required', 'given_up', 'card_expiring', 'card_confirmation', 'card_rejected', 'refunded',
    'refund_returned', 'invoice_due', 'invoice_overdue', 'payment_requested', 'portal_link', 'communication',
    'invoice_posted', 'debit_announced', 'bill_made'))) not valid;
