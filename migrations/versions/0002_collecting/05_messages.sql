-- Messages to customers and operators: an outbox, written in the commit of the transition that a message tells of.

create table duly.messages (
    id text collate "C" primary key,
    audience text not null default 'customer' check (audience in ('customer', 'operator')),
    kind text not null check ((audience = 'customer') = (kind in ('receipt', 'declined', 'card_needed',
        'action_required', 'given_up', 'card_expiring', 'card_confirmation', 'card_rejected', 'refunded',
        'refund_returned', 'invoice_due', 'invoice_overdue'))),
    account_id text collate "C" not null default '',
    period text collate "C" not null default '',
    run_id text collate "C" not null default '',
    parameters jsonb not null default '{}',
    state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed', 'withheld')),
    reason text not null default '',
    decisions text[] not null default '{}',
    created_at timestamptz not null default now(),
    queued_at timestamptz not null default now(),
    claimed_at timestamptz,
    sent_at timestamptz,
    check ((state = 'sent') = (sent_at is not null))
) with (fillfactor = 80);

create index messages_to_send on duly.messages (account_id, id) where state = 'pending';

create index messages_to_operators on duly.messages (account_id, kind) where audience = 'operator';

comment on table duly.messages is
    'One message a receivable and transition: the id says which, so that nothing is sent twice. No personal data.';

comment on column duly.messages.state is
    'sending: claimed before it was handed to the mail server. Left so by a crash, nobody knows; a person decides.';

-- Alerts to operators (S22, S24, S40 to S42), each once by its id: found in sets, after a run or with a collection's step.

create table duly.alert_rules (
    is_only boolean primary key default true check (is_only),
    failures_min integer not null default 3 check (failures_min >= 2),
    failures_days integer not null default 7 check (failures_days between 1 and 365),
    unusual_factor numeric(6, 2) not null default 5 check (unusual_factor > 1),
    unusual_payments_min integer not null default 3 check (unusual_payments_min between 1 and 12)
);

insert into duly.alert_rules default values;

comment on table duly.alert_rules is
    'One row. So many declines in so many days are several; an amount so many times the mean of the last is unusual.';

-- Reminders of invoices that fall due and that are overdue (S8, S21), for customers who pay by themselves. Each is one row
-- of the outbox, its id made of the invoice and the rule's day, so that none is written twice.

create table duly.reminder_rules (
    segment text not null default '',
    version integer not null check (version >= 1),
    days_before integer[] not null default '{3}',
    days_after integer[] not null default '{1,7,14}',
    reminds_card_payers boolean not null default false,
    primary key (segment, version),
    check (0 <= all (days_before) and 0 < all (days_after))
);

insert into duly.reminder_rules (version) values (1);

comment on table duly.reminder_rules is
    'How many days before and after the due date customers of a segment are reminded; the newest version counts, that of the
empty segment where there is none. Who is charged by card is reminded where the rule says so.';
