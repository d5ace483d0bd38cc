-- Refund runs: once a day, rewards that are due and accounts in credit get their money back through the gateway (X67, F120).

alter table duly.refund_rules add column refunds_credit boolean not null default false;

comment on column duly.refund_rules.refunds_credit is
    'Whether a refund run gives accounts in credit their money back where a payment through the gateway can be refunded.';

create table duly.refund_runs (
    id text collate "C" primary key,
    provider_id text collate "C" not null references duly.providers,
    day date not null,
    members integer not null default 0,
    certificate jsonb,
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    unique (provider_id, day),
    check ((completed_at is null) = (certificate is null))
);

create table duly.refund_run_items (
    run_id text collate "C" not null references duly.refund_runs,
    member_id text collate "C" not null,
    kind text not null check (kind in ('reward', 'credit')),
    account_id text collate "C" not null,
    award_id text collate "C" references duly.reductions,
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    refund_ids text[] not null default '{}',
    outcome text,
    refunded_minor bigint not null default 0,
    primary key (run_id, member_id)
);

comment on table duly.refund_run_items is 'The frozen members of a refund run, what was requested for each, and what had become of it at the end.';
