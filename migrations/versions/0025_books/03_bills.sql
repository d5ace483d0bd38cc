-- Bills (F162, X56 to X58): one an account and period, made by a billing run or for one account, never written by hand.

create sequence duly.account_bill_ids;

create table duly.account_bills (
    id text collate "C" primary key default 'bill_' || nextval('duly.account_bill_ids'),
    number text collate "C" not null unique generated always as ('BIL-' || lpad(substr(id, 6), 10, '0')) stored,
    account_id text collate "C" not null references duly.accounts,
    currency text collate "C" not null references duly.currencies,
    period text collate "C" not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    starts_on date not null,
    ends_on date not null,
    -- What was owed before, what was debited and credited since beside the bill, and the bill itself; in minor units.
    brought_forward_minor bigint not null,
    debited_minor bigint not null check (debited_minor >= 0),
    credited_minor bigint not null check (credited_minor >= 0),
    invoiced_minor bigint not null check (invoiced_minor >= 0),
    credit_notes_minor bigint not null check (credit_notes_minor >= 0),
    outstanding_minor bigint not null,
    is_exceptional boolean not null,
    -- What it is above: a limit of the currency, or the account's credit limit.
    exceeded_minor bigint,
    run_id text collate "C",
    actor text not null check (actor <> ''),
    made_by name not null default session_user,
    made_at timestamptz not null default clock_timestamp(),
    unique (account_id, period),
    check (outstanding_minor = brought_forward_minor + debited_minor - credited_minor + invoiced_minor - credit_notes_minor),
    check (is_exceptional = (exceeded_minor is not null))
);

create index bills_newest_first on duly.account_bills (made_at desc, id desc);

comment on table duly.account_bills is 'What an account was billed for a period, with what was brought forward; whether it is settled is computed.';

-- Each posting of an account is on one bill of it: as a document of it, between it and the one before, or from before the first.
create table duly.bill_entries (
    transaction_id text collate "C" primary key references duly.financial_transactions,
    bill_id text collate "C" not null references duly.account_bills,
    part text not null check (part in ('document', 'between', 'before'))
);

create index entries_of_bill on duly.bill_entries (bill_id, part);

comment on table duly.bill_entries is 'On which bill a posting is, and as what: nothing is on two.';

-- Above which amount a bill is exceptional.
create table duly.bill_limits (
    currency text collate "C" primary key references duly.currencies,
    limit_minor bigint not null check (limit_minor between 1 and 9007199254740991)
);

create trigger definition_changes after insert or update or delete on duly.bill_limits
    for each row execute function duly.keep_configuration_change('bill_limits', 'currency');

do $$
declare
    t text;
begin
    foreach t in array array['account_bills', 'bill_entries'] loop
        execute format('create trigger append_only before update or delete on duly.%I
            for each row execute function duly.refuse_change()', t);
    end loop;
    foreach t in array array['account_bills', 'bill_entries', 'bill_limits'] loop
        execute format('create trigger no_truncate before truncate on duly.%I
            for each statement execute function duly.refuse_change()', t);
    end loop;
end $$;
