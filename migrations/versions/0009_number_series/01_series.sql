-- What a number begins with, and how the next one is found (functions/ledger/posting.sql). A series keeps its kind for good:
-- who wants another kind names another prefix, so that no number can be given twice while it changes.

create table duly.number_series (
    prefix text collate "C" not null check (prefix ~ '^[A-Z]{1,8}$'),
    is_per_year boolean not null,
    classification duly.classification not null,
    is_gap_free boolean not null,
    created_at timestamptz not null default now(),
    primary key (prefix, is_per_year),
    unique (prefix, is_per_year, classification)
);

comment on table duly.number_series is
    'How numbers are given: without gaps, one posting after another; or by a sequence, and nobody waits.';

-- Invoices, credit notes and what cancels an invoice are numbered without gaps, as the law of many countries wants it.
insert into duly.number_series (prefix, is_per_year, classification, is_gap_free) values
    ('INV', false, 'invoice', true), ('CRN', false, 'credit_note', true), ('ICN', false, 'invoice_cancellation', true),
    ('PAY', false, 'payment', false), ('REF', false, 'refund', false), ('WRO', false, 'write_off', false),
    ('PCN', false, 'payment_cancellation', false);

alter table duly.transaction_types
    add column number_prefix text collate "C",
    add column is_numbered_per_year boolean not null default false,
    add constraint number_series_of_classification foreign key (number_prefix, is_numbered_per_year, classification)
        references duly.number_series (prefix, is_per_year, classification);

update duly.transaction_types t set number_prefix = s.prefix from duly.number_series s where s.classification = t.classification;

comment on column duly.transaction_types.number_prefix is 'Its series; without one, the one that its classification came with.';

create table duly.number_counters (
    stem text collate "C" primary key,
    waits_for xid8 not null,
    is_open boolean not null default false
);

comment on table duly.number_counters is
    'Series with gaps. Open: numbers come from the sequence numbers_<stem>. Until then they are the highest plus one, under a lock,
    as long as a transaction is running that began before waits_for: it may still number as the release before this one did.';

create sequence duly.numbers_pay;
create sequence duly.numbers_ref;
create sequence duly.numbers_wro;
create sequence duly.numbers_pcn;

create trigger append_only before update or delete on duly.number_series
    for each row execute function duly.refuse_change();

create trigger append_only before delete on duly.number_counters
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.number_series
    for each statement execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.number_counters
    for each statement execute function duly.refuse_change();
