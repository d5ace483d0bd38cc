-- A day of a provider, reconciled: in rounds, each of which reads its windows anew.

create table duly.reconciliations (
    id text collate "C" primary key,
    provider_id text collate "C" not null references duly.providers,
    day date not null,
    round integer not null default 1 check (round >= 1),
    read_from timestamptz not null,
    read_until timestamptz not null,
    state text not null default 'running' check (state in ('running', 'completed')),
    certificate jsonb,
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    unique (provider_id, day),
    check (read_from < read_until),
    check ((state = 'completed') = (completed_at is not null and certificate is not null))
);

comment on column duly.reconciliations.started_at is
    'By this clock. What the ledger had booked by then is looked for in lists that are read afterwards.';

comment on column duly.reconciliations.read_until is 'By the gateway''s clock, as all moments of what it lists.';

create table duly.reconciliation_windows (
    reconciliation_id text collate "C" not null references duly.reconciliations,
    round integer not null,
    list text not null check (list in ('movements', 'refunds', 'disputes', 'payouts')),
    read_from timestamptz not null,
    read_until timestamptz not null,
    cursor text not null default '',
    listed bigint not null default 0,
    found bigint not null default 0,
    done_at timestamptz,
    primary key (reconciliation_id, round, list, read_from)
);

comment on table duly.reconciliation_windows is
    'How far a list has been read: the cursor is the last id that was stored, in the commit that stored it.';

create sequence duly.discrepancy_numbers;

create table duly.discrepancies (
    id text collate "C" primary key default 'disc_' || nextval('duly.discrepancy_numbers'),
    provider_id text collate "C" not null references duly.providers,
    kind text not null check (kind ~ '^[a-z_]{1,40}$'),
    object text collate "C" not null,
    account_id text collate "C" not null default '',
    transaction_id text collate "C" not null default '',
    amount_minor bigint not null default 0,
    currency text not null default '',
    evidence jsonb not null default '{}',
    state text not null default 'open' check (state in ('open', 'mended', 'resolved', 'gone')),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    reconciliation_id text collate "C" references duly.reconciliations,
    actor text not null default '',
    reason text not null default '',
    resolution text not null default '',
    alerted_at timestamptz,
    closed_at timestamptz,
    check ((state = 'open') = (closed_at is null)),
    check ((state = 'resolved') <= (actor <> '' and reason <> '' and resolution <> ''))
);

create unique index one_open_discrepancy on duly.discrepancies (provider_id, kind, object) where state = 'open';

create index discrepancies_of_object on duly.discrepancies (object);

create trigger append_only before delete on duly.discrepancies for each row execute function duly.refuse_change();

comment on table duly.discrepancies is
    'In what gateway and ledger differ. mended: Duly has booked it; gone: both sides agree by now; resolved: a person''s decision.';
