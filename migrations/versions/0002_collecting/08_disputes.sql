-- Disputes: a cardholder's bank takes money back. It is held in an account of its own until the bank decides (S23).

create table duly.disputes (
    id text collate "C" primary key check (id ~ '^[a-z]+_[A-Za-z0-9_]+$'),
    provider_id text collate "C" not null references duly.providers,
    request_id text collate "C" not null references duly.gateway_requests,
    account_id text collate "C" not null references duly.accounts,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    reason text not null default '',
    state text not null check (state in ('inquiry', 'open', 'won', 'lost', 'closed')),
    status text not null,
    evidence_due_at timestamptz,
    has_evidence boolean not null default false,
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    decisions text[] not null default '{}',
    check ((state in ('won', 'lost', 'closed')) = (closed_at is not null))
);

create index disputes_of_request on duly.disputes (request_id);

create index open_disputes on duly.disputes (id) where closed_at is null;

comment on table duly.disputes is
    'A charge that its cardholder disputes. inquiry: no money has moved yet; closed: an inquiry that ended.';
