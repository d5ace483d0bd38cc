-- Four eyes: above which amounts another person has to approve what somebody asks for in the console, and what waits for that.

create table duly.approval_rules (
    is_only boolean primary key default true check (is_only),
    refunds_minor jsonb not null default '{}',
    write_offs_minor jsonb not null default '{}',
    cancellations_minor jsonb not null default '{}',
    expire_hours integer not null default 72 check (expire_hours between 1 and 720)
);
insert into duly.approval_rules default values;

comment on table duly.approval_rules is
    'Up to which amount a day, by currency, one person does something alone. {}: any amount; a currency that is not among others: none.';

create trigger definition_changes after insert or update on duly.approval_rules
    for each row execute function duly.keep_configuration_change('approval_rules', '');

create table duly.approvals (
    id text collate "C" primary key check (id ~ '^apv_[0-9a-f]{32}$'),
    action text not null,
    kind text not null check (kind in ('refund', 'write_off', 'cancellation')),
    subject text not null,
    account_id text collate "C" not null references duly.accounts,
    amount_minor bigint not null check (amount_minor >= 0),
    currency text not null,
    fields jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'approved', 'rejected', 'withdrawn')),
    asked_by text collate "C" not null references duly.users,
    asked_because text not null,
    asked_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    decided_by text collate "C" references duly.users,
    decided_because text not null default '',
    decided_at timestamptz,
    outcome text not null default '' check (outcome in ('', 'done', 'refused', 'failed')),
    answer text not null default '',
    -- Whoever asks never approves.
    check ((state = 'waiting') = (decided_by is null)),
    check (state not in ('approved', 'rejected') or decided_by <> asked_by)
);
create index approvals_waiting on duly.approvals (asked_at) where state = 'waiting';
create index approvals_of_subject on duly.approvals (subject) where state = 'waiting';
create index approvals_by_moment on duly.approvals (asked_at, id);

-- What one person did alone within the limits: a large amount in several small ones is one large amount.
create table duly.limited_actions (
    key text collate "C" primary key,
    user_id text collate "C" not null references duly.users,
    kind text not null,
    currency text not null,
    amount_minor bigint not null,
    used_at timestamptz not null default clock_timestamp()
);
create index limited_actions_of_day on duly.limited_actions (user_id, kind, currency, used_at);

alter table duly.console_forms drop constraint console_forms_outcome_check;
alter table duly.console_forms add constraint console_forms_outcome_check
    check (outcome in ('begun', 'done', 'refused', 'failed', 'waiting'));
