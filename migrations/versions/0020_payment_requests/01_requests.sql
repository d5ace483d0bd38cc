-- Payment requests: what somebody asks an account to pay by a link (P17, P18, X60). The row, its receivable and the claim on what it
-- names are one commit, before the link exists.

create table duly.payment_requests (
    id text collate "C" primary key check (id ~ '^[A-Za-z][A-Za-z0-9_.-]{0,51}$'),
    account_id text collate "C" not null references duly.accounts,
    period text collate "C" not null,
    provider_id text collate "C" not null references duly.providers,
    title text not null check (length(title) between 1 and 200),
    description text not null default '' check (length(description) <= 2000),
    asked_minor bigint check (asked_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    invoices text[] not null default '{}',
    amount_minor bigint not null check (amount_minor > 0),
    valid_days integer not null check (valid_days between 1 and 365),
    sender text not null check (sender <> ''),
    sender_email text not null default '',
    reason text not null default '',
    is_mailed boolean not null default false,
    state text not null default 'open' check (state in ('open', 'processing', 'paid', 'expired', 'withdrawn')),
    end_reason text not null default '',
    decisions text[] not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    closed_at timestamptz,
    unique (account_id, period),
    check (asked_minor is not null or cardinality(invoices) > 0),
    check ((state in ('paid', 'expired', 'withdrawn')) = (closed_at is not null))
);

create index payment_requests_by_time on duly.payment_requests (created_at, id);

create index open_payment_requests on duly.payment_requests (id) where closed_at is null;

comment on table duly.payment_requests is
    'What somebody asks an account to pay by a link. Without invoices it is on account. An id means one request for good.';

comment on column duly.payment_requests.amount_minor is 'What it asked for when it was made; what it asks for now is less once something was paid.';

create trigger no_truncate before truncate on duly.payment_requests
    for each statement execute function duly.refuse_change();

-- The message with the link is for the payer. What is there keeps the rule: it is only widened.
alter table duly.messages drop constraint messages_check;

alter table duly.messages add constraint messages_check check ((audience = 'customer') = (kind in ('receipt', 'declined',
    'card_needed', 'action_required', 'given_up', 'card_expiring', 'card_confirmation', 'card_rejected', 'refunded',
    'refund_returned', 'invoice_due', 'invoice_overdue', 'payment_requested'))) not valid;
