-- Scenario 1 (F120) by itself: on a day of the month refunds are drafted, and a person releases the bank's file.
alter table duly.refund_rules
    add column bank_day smallint not null default 0 check (bank_day between 0 and 28),
    add column bank_file text not null default 'pain.001' check (bank_file in ('pain.001', 'csv'));

comment on column duly.refund_rules.bank_day is
    'The day of each month on which accounts in credit are drafted to be refunded by bank transfer; 0 leaves that to people.';

comment on column duly.refund_rules.bank_file is
    'For which file the drafts are made: pain.001 takes euros alone.';

create table duly.bank_refund_months (
    period text collate "C" primary key check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    state text not null check (state in ('waiting', 'released', 'rejected', 'empty')),
    refunds integer not null default 0 check (refunds >= 0),
    drafted_at timestamptz not null default clock_timestamp(),
    decided_at timestamptz,
    actor text not null default '',
    reason text not null default '',
    check ((state in ('released', 'rejected')) = (decided_at is not null))
);

create index waiting_bank_refund_months on duly.bank_refund_months (period) where state = 'waiting';

comment on table duly.bank_refund_months is
    'The months whose refunds by bank transfer a schedule has drafted: the file is written once a person has released it.';

create trigger no_truncate before truncate on duly.bank_refund_months
    for each statement execute function duly.refuse_change();
