-- Who notifies payers of debits, and what becomes of one whose payer was not notified in time: its day moves, or it is held.
alter table duly.creditors
    add column notice_by text not null default 'invoice' check (notice_by in ('invoice', 'mail')),
    add column late_notice text not null default 'move' check (late_notice in ('move', 'hold'));

comment on column duly.creditors.notice_by is
    'invoice: whoever writes invoices names amount and day on them. mail: a letter for each debit, without which in time none is filed.';

alter table duly.mandates add column notice_days smallint check (notice_days between 1 and 60);

comment on column duly.mandates.notice_days is
    'How many days of the calendar before a debit its payer is notified, as agreed with this payer; null: as with everybody.';

-- What is there keeps the rule: it is only widened.
alter table duly.messages drop constraint messages_check;

alter table duly.messages add constraint messages_check check ((audience = 'customer') = (kind in ('receipt', 'declined',
    'card_needed', 'action_required', 'given_up', 'card_expiring', 'card_confirmation', 'card_rejected', 'refunded',
    'refund_returned', 'invoice_due', 'invoice_overdue', 'payment_requested', 'portal_link', 'communication',
    'invoice_posted', 'debit_announced'))) not valid;
