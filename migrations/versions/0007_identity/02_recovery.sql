-- A database that was restored knows it by what others remember, and sends nothing until it has read what it forgot.

alter table duly.installation
    add column epoch integer not null default 1 check (epoch >= 1),
    add column beat bigint not null default 0,
    add column beat_at timestamptz not null default now(),
    add column epoch_began_at timestamptz,
    add column temporal_beat bigint[],
    add column server_line text collate "C";

comment on column duly.installation.beat is
    'Raised all the time, and remembered elsewhere: a database whose beat is lower than that has forgotten something.';

comment on column duly.installation.epoch_began_at is
    'When the last restore was declared: workflows that began before it believe what the database has forgotten.';
comment on column duly.installation.temporal_beat is
    'Epoch and beat that Temporal was given last: when it remembers less, its database was restored, or lost.';
comment on column duly.installation.server_line is
    'Cluster and timeline on which the database was written last: on another it was restored, or its standby promoted.';

create table duly.sending (
    provider_id text collate "C" primary key,
    state text not null check (state in ('open', 'held', 'recovering')),
    epoch integer not null,
    reason text not null,
    forgot_since timestamptz not null,
    declared_at timestamptz,
    reads jsonb not null default '[]',
    decisions text[] not null default '{}',
    changed_at timestamptz not null default now(),
    is_certain boolean not null default true,
    check ((state = 'recovering') <= (declared_at is not null))
);

comment on table duly.sending is 'Whether anything may be sent to a provider. Without a row it may.';
comment on column duly.sending.is_certain is
    'Whether something is known to be forgotten. Else its server is another one, which may have all.';

-- A workflow that was ended because it began before a restore is nobody's wish: it is resumed at once.
alter table duly.workflow_stops drop constraint workflow_stops_how_check,
    add constraint workflow_stops_how_check check (
        how in ('cancel_asked', 'terminated', 'canceled', 'failed', 'timed_out', 'completed', 'missing', 'restored'));

create table duly.recovery_left (
    provider_id text collate "C" not null,
    object text collate "C" not null,
    kind text not null,
    account_id text collate "C" not null,
    amount_minor bigint not null,
    currency text not null,
    why text not null,
    noted_at timestamptz not null default now(),
    settled_at timestamptz,
    settled_by text not null default '',
    settled_because text not null default '',
    primary key (provider_id, object)
);

create index recovery_left_by_account on duly.recovery_left (account_id) where settled_at is null;

comment on table duly.recovery_left is
    'What a recovery could not write down. Its account, which may not exist yet, is not charged until a person has settled it.';

create table duly.number_gaps (
    stem text collate "C" not null,
    first bigint not null check (first >= 1),
    last bigint not null check (last >= first),
    reason text not null,
    declared_at timestamptz not null default now(),
    primary key (stem, first)
);

comment on table duly.number_gaps is
    'Numbers that are not given: a database that was restored has forgotten which of them are on documents that left the house.';
