-- A refund for goods that came back may bring a credit note. It is planned by the command before the refund is asked for, and
-- posted in the commit that posts the refund (functions/refunds/credits.sql), whichever release's worker does it.

create table duly.refund_credits (
    refund_id text collate "C" primary key,
    invoice_id text collate "C" not null references duly.financial_transactions,
    amount_minor bigint not null check (amount_minor > 0),
    document jsonb not null,
    credit_note_id text collate "C" references duly.financial_transactions,
    refused_because text not null default '',
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    planned_at timestamptz not null default clock_timestamp()
);

create index credits_of_invoice on duly.refund_credits (invoice_id);

comment on table duly.refund_credits is 'The credit note that a refund brings: planned with it, and posted when it is.';
