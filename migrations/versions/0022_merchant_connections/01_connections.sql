-- Merchants that are paid on accounts of their own at the gateway (P3 to P13). A merchant is the one that takes part in rewards: its
-- connection says which account its payments go to, and whether any may.

alter table duly.merchants add column takes_payments boolean not null default false;

comment on column duly.merchants.takes_payments is
    'Whether the merchant may connect an account at the gateway and be paid on it (P3). Switched by a person, with a reason.';

create table duly.merchant_connections (
    merchant_id text collate "C" primary key references duly.merchants,
    provider_id text collate "C" not null references duly.providers,
    generation smallint not null default 1 check (generation between 1 and 1000),
    gateway_account text collate "C" unique check (gateway_account ~ '^acct_[A-Za-z0-9]{1,240}$'),
    email text not null check (length(email) between 3 and 254),
    country text not null check (country ~ '^[A-Z]{2}$'),
    state text not null default 'pending'
        check (state in ('pending', 'incomplete', 'successful', 'restricted', 'disconnected')),
    reason text not null default '',
    missing text[] not null default '{}',
    problems text[] not null default '{}',
    due_at timestamptz,
    has_returned boolean not null default false,
    is_paid_out boolean not null default false,
    link_token text collate "C" not null unique
        default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
    created_at timestamptz not null default clock_timestamp(),
    checked_at timestamptz,
    closed_at timestamptz,
    check ((state = 'disconnected') = (closed_at is not null)),
    check (state in ('pending', 'disconnected') or gateway_account is not null)
);

create index open_merchant_connections on duly.merchant_connections (merchant_id) where closed_at is null;

comment on table duly.merchant_connections is
    'The account of a merchant at the gateway, and where its onboarding stands, as the gateway said it last.';

comment on column duly.merchant_connections.generation is
    'How many accounts the merchant was given: a part of the key under which one is made.';

create table duly.merchant_connection_changes (
    id bigint generated always as identity primary key,
    merchant_id text collate "C" not null references duly.merchants,
    at timestamptz not null default clock_timestamp(),
    change text not null check (change in ('switched_on', 'switched_off', 'connected', 'account_made', 'moved', 'disconnected',
        'reconnected')),
    state text not null default '',
    gateway_account text collate "C" not null default '',
    reason text not null default '',
    actor text not null default '',
    because text not null default ''
);

create index changes_of_connection on duly.merchant_connection_changes (merchant_id, id);

comment on table duly.merchant_connection_changes is
    'What became of each merchant''s connection, and in whose name: never changed, also after it was disconnected.';

create trigger no_truncate before truncate on duly.merchant_connections
    for each statement execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.merchant_connection_changes
    for each statement execute function duly.refuse_change();

create trigger no_change before update or delete on duly.merchant_connection_changes
    for each row execute function duly.refuse_change();

-- Events of a connected account name it. Those that are about the account itself go to its connection.
alter table duly.gateway_events add column gateway_account text collate "C" not null default '';

comment on column duly.gateway_events.gateway_account is
    'The connected account at which it happened; empty for the provider''s own. Its ids mean nothing at any other.';

alter table duly.gateway_events drop constraint gateway_events_subject_check;

alter table duly.gateway_events add constraint gateway_events_subject_check check (subject in
    ('', 'payment', 'card', 'refund', 'dispute', 'movement', 'merchant')) not valid;
