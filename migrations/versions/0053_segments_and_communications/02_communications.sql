-- A communication: one template, for some transactions or for a segment. Its text is kept as it was when it was asked for.
create table duly.communications (
    id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    template_id text collate "C" not null,
    texts jsonb not null,
    attaches_documents boolean not null,
    -- What it is about, as it was asked for: a repeat says the same.
    asked jsonb not null,
    counts jsonb not null,
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    created_at timestamptz not null default clock_timestamp()
);

comment on table duly.communications is
    'What was communicated by a template, each once by its id; its messages are communication/ID/... in the outbox.';

-- Whom no mail reaches, and who wants none. Of an address its hash alone: another address of the account is written to again.
create table duly.mail_stops (
    account_id text collate "C" not null references duly.accounts,
    kind text not null check (kind in ('bounced', 'opted_out')),
    address_hash text not null default '',
    actor text not null check (actor <> ''),
    reason text not null default '',
    since timestamptz not null default clock_timestamp(),
    primary key (account_id, kind),
    check ((kind = 'bounced') = (address_hash <> ''))
);

comment on table duly.mail_stops is
    'bounced: nothing is sent to the address. opted_out: no communications; what the law or a payment wants is sent.';

-- What is there keeps the rule: it is only widened.
alter table duly.messages drop constraint messages_check;

alter table duly.messages add constraint messages_check check ((audience = 'customer') = (kind in ('receipt', 'declined',
    'card_needed', 'action_required', 'given_up', 'card_expiring', 'card_confirmation', 'card_rejected', 'refunded',
    'refund_returned', 'invoice_due', 'invoice_overdue', 'payment_requested', 'portal_link', 'communication',
    'invoice_posted'))) not valid;
