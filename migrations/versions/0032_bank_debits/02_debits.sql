-- Who collects by bank debit, who has allowed it, and each debit from its request to what the bank says of it.

create table duly.creditors (
    id text collate "C" primary key references duly.providers,
    name text not null check (length(name) between 1 and 70),
    iban text not null,
    bic text not null default '',
    creditor_identifier text not null check (length(creditor_identifier) between 8 and 35),
    scheme text not null check (scheme in ('CORE', 'B2B')),
    version text not null check (version in ('02', '08', '09', '10')),
    notice_days smallint not null check (notice_days between 0 and 60),
    lead_days smallint not null check (lead_days between 1 and 14),
    cut_off text not null check (cut_off ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    time_zone text not null
);

comment on table duly.creditors is
    'Our side of the bank debits of a provider, its id: the account that gets the money, and the bank''s working days and hours.';

create trigger definition_changes after insert or update on duly.creditors
    for each row execute function duly.keep_configuration_change('creditors', 'id');

create table duly.mandates (
    id text collate "C" primary key check (id ~ '^[A-Za-z0-9+?/:().,''-]{1,35}$' and id !~ '^/|//|/$'),
    account_id text collate "C" not null references duly.accounts,
    provider_id text collate "C" not null references duly.creditors,
    preference_id text collate "C" not null references duly.payment_preferences,
    payer_name text not null check (length(payer_name) between 1 and 70),
    iban text not null,
    bic text not null default '',
    state text not null default 'created' check (state in ('created', 'signed', 'active', 'suspended', 'cancelled', 'expired')),
    state_reason text not null default '',
    signed_on date,
    last_used_on date,
    is_amended boolean not null default false,
    decisions text[] not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    check (state in ('created', 'cancelled', 'expired') or signed_on is not null)
);

create unique index one_mandate_in_use on duly.mandates (account_id, provider_id) where state in ('signed', 'active');

comment on table duly.mandates is
    'A payer''s permission to debit a bank account; the id is the unique mandate reference. Its IBAN is read by the bank''s file alone.';

comment on column duly.mandates.is_amended is 'The next debit says that the payer''s bank account has changed.';

create sequence duly.debit_numbers;

create table duly.debit_batches (
    id text collate "C" primary key default 'DDB-' || nextval('duly.debit_numbers'),
    provider_id text collate "C" not null references duly.creditors,
    state text not null default 'written' check (state in ('written', 'sent')),
    creditor jsonb not null,
    decisions text[] not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz
);

comment on table duly.debit_batches is
    'A file of debits, its id the message id: written as often as wanted with the same content, and sent once a person says so.';

create table duly.debits (
    id text collate "C" primary key default 'DD-' || nextval('duly.debit_numbers'),
    request_id text collate "C" not null,
    attempt smallint not null,
    idempotency_key text collate "C" not null unique,
    provider_id text collate "C" not null references duly.creditors,
    mandate_id text collate "C" not null references duly.mandates,
    account_id text collate "C" not null references duly.accounts,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    state text not null default 'pending' check (state in ('pending', 'exported', 'rejected', 'collected', 'returned')),
    collect_on date not null,
    batch_id text collate "C" references duly.debit_batches,
    payment_information text collate "C" not null default '',
    sequence_type text not null default '' check (sequence_type in ('', 'FRST', 'RCUR')),
    -- As the file says it: a mandate that is amended later changes no file.
    written jsonb not null default '{}',
    code text not null default '',
    created_at timestamptz not null default clock_timestamp(),
    answered_at timestamptz,
    foreign key (request_id, attempt) references duly.gateway_attempts,
    check (case state when 'pending' then batch_id is null when 'rejected' then true else batch_id is not null end)
);

create index debits_to_export on duly.debits (provider_id, collect_on) where state = 'pending';
create index debits_of_batch on duly.debits (batch_id, payment_information) where batch_id is not null;
create index debits_of_mandate on duly.debits (mandate_id);

comment on table duly.debits is 'One debit, its id the end-to-end id that the bank gives back; it is an attempt of a request.';

create table duly.debit_lines (
    key text collate "C" primary key,
    provider_id text collate "C" not null references duly.creditors,
    reference text collate "C" not null,
    amount_minor bigint not null,
    currency text not null,
    booked_on date not null
);

comment on table duly.debit_lines is 'The lines of statements that brought debits in, or took them back, each once by its key; below zero was taken.';
