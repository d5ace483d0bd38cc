-- Which files for the bank may be written: those within what one person releases alone in a day, or that another has approved.

alter table duly.approval_rules
    add column refund_files_minor jsonb not null default '{}',
    add column debit_files_minor jsonb not null default '{}';

-- A file is of many accounts.
alter table duly.approvals alter column account_id drop not null;
alter table duly.approvals drop constraint approvals_kind_check;
alter table duly.approvals add constraint approvals_kind_check
    check (kind in ('refund', 'write_off', 'cancellation', 'refund_file', 'debit_file'));
alter table duly.approvals add constraint approvals_account_check
    check ((account_id is null) = (kind in ('refund_file', 'debit_file')));

create table duly.bank_file_releases (
    kind text not null check (kind in ('refund_file', 'debit_file')),
    subject text collate "C" not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    released_by text collate "C" not null references duly.users,
    released_because text not null,
    released_at timestamptz not null default clock_timestamp(),
    approval_id text collate "C" references duly.approvals,
    primary key (kind, subject, currency)
);

comment on table duly.bank_file_releases is
    'Files that may be written while limits are set: of a month of refunds, or of a batch of debits, and up to which amount.';
