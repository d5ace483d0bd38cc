-- Whether limits are loosened, and users given rights, by two people alone; and up to which amount one accepts disputes.
alter table duly.approval_rules
    add column disputes_minor jsonb not null default '{}',
    add column changes_by_two boolean not null default false;

alter table duly.approvals drop constraint approvals_kind_check;
alter table duly.approvals add constraint approvals_kind_check check (kind in ('refund', 'write_off', 'cancellation', 'refund_file', 'debit_file',
    'credit_note', 'payment', 'move', 'suspense_move', 'wallet_credit', 'voucher', 'statement', 'dispute', 'limits', 'user'));

-- What is changed has no amount.
alter table duly.approvals alter column amount_minor drop not null;
alter table duly.approvals alter column currency drop not null;
alter table duly.approvals add constraint approvals_amount_of_kind check (
    (kind in ('limits', 'user')) = (amount_minor is null) and (amount_minor is null) = (currency is null));

-- The key of what was written within an amount that a form had counted: it is used up by that alone.
alter table duly.limited_actions add column written_as text collate "C";

create function duly.guard_limits() returns trigger language plpgsql as $$ begin return null; end $$;

-- At the commit, so that a document may be compared and taken back.
create constraint trigger limits_are_loosened_by_two after update on duly.approval_rules
    deferrable initially deferred for each row execute function duly.guard_limits();
