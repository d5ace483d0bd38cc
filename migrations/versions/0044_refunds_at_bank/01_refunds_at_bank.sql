-- After a restore: refunds by bank transfer of which a person has shown the file that the bank has. No other file has them.
create table duly.refunds_at_bank (
    transaction_id text collate "C" primary key references duly.financial_transactions,
    file text not null,
    adopted_at timestamptz not null default clock_timestamp(),
    actor text not null,
    reason text not null
);

comment on table duly.refunds_at_bank is
    'Refunds of files that were sent before a restore, each by a file that a person has shown: no export writes them again.';

create trigger no_truncate before truncate on duly.refunds_at_bank
    for each statement execute function duly.refuse_change();
