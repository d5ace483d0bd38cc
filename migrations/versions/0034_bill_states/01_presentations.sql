-- A bill is posted when it is made, then presented to its account, which confirms or rejects it (X57). The bill itself never changes:
-- each step is a row, and the last one is where it stands.
create table duly.bill_presentations (
    id bigint generated always as identity primary key,
    bill_id text collate "C" not null references duly.account_bills,
    state text not null check (state in ('presented', 'confirmed', 'rejected')),
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    at timestamptz not null default clock_timestamp()
);

create index presentations_of_bill on duly.bill_presentations (bill_id, id desc);

comment on table duly.bill_presentations is 'When a bill was presented, confirmed and rejected, by whom and why; the last row is where it stands.';

create trigger append_only before update or delete on duly.bill_presentations
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.bill_presentations
    for each statement execute function duly.refuse_change();
