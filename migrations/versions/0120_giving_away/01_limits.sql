-- Limits of whatever else gives value away, as the columns beside them: {} is any amount.
alter table duly.approval_rules
    add column credit_notes_minor jsonb not null default '{}',
    add column payments_minor jsonb not null default '{}',
    add column moves_minor jsonb not null default '{}',
    add column suspense_moves_minor jsonb not null default '{}',
    add column wallet_credits_minor jsonb not null default '{}',
    add column vouchers_minor jsonb not null default '{}',
    add column statements_minor jsonb not null default '{}';

-- Kinds are named in models/console/approval.py, and a test holds that table against the functions.
alter table duly.approvals drop constraint approvals_kind_check;
alter table duly.approvals add constraint approvals_kind_check check (kind in ('refund', 'write_off', 'cancellation', 'refund_file', 'debit_file',
    'credit_note', 'payment', 'move', 'suspense_move', 'wallet_credit', 'voucher', 'statement'));

-- What another person has approved, used up to its amount: it counts against nobody's day.
alter table duly.limited_actions add column approval_id text collate "C" references duly.approvals;
create index limited_actions_of_approval on duly.limited_actions (approval_id) where approval_id is not null;

-- A file for the bank is of no account; nor is a batch of vouchers that nobody buys, or a statement.
alter table duly.approvals drop constraint approvals_account_check;
