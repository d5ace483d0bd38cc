-- What must move at a gateway because of what the ledger has posted. The gateway says the movement (its balance transaction)
-- with the answer, or later: under automatic_async capture, Stripe's default, mostly within an hour.

create table duly.gateway_expectations (
    provider_id text collate "C" not null,
    object text collate "C" not null,
    kind text not null check (kind in ('charge', 'refund', 'refund_failure', 'dispute', 'dispute_reversal')),
    account_id text collate "C" not null,
    payment_id text collate "C" not null,
    amount_minor bigint not null check (amount_minor <> 0),
    currency text not null,
    expected_at timestamptz not null default clock_timestamp(),
    due_at timestamptz not null,
    overdue_at timestamptz not null,
    movement text collate "C",
    settled_minor bigint,
    settled_currency text,
    fee_minor bigint,
    fulfilled_at timestamptz,
    alerted_at timestamptz,
    primary key (provider_id, object, kind),
    check ((movement is null) = (fulfilled_at is null))
);

create index open_expectations on duly.gateway_expectations (provider_id, due_at) where movement is null;

create unique index one_expectation_a_movement on duly.gateway_expectations (provider_id, movement) where movement is not null;

comment on table duly.gateway_expectations is
    'What must move at a gateway, written in the commit that posts it. The movement fulfils it once, with its fee and conversion.';

comment on column duly.gateway_expectations.object is 'The gateway''s charge, refund or dispute whose money moves.';

comment on column duly.gateway_expectations.amount_minor is
    'What the gateway''s balance changes by, before fees, in the currency that the customer sees; negative when money leaves.';

comment on column duly.gateway_expectations.settled_minor is
    'The same amount as the gateway has moved it, in the currency of its balance; null for what an older release has booked.';

create table duly.movement_marks (
    provider_id text collate "C" primary key,
    read_until timestamptz not null
);

comment on table duly.movement_marks is 'Up to when a provider''s own list of movements has been read, by its clock.';

-- What releases before this one posted is given its expectations afterwards, in pages (duly.expect_of_older_release).
create table duly.expectation_backfill (
    is_only boolean primary key default true check (is_only),
    after_request text collate "C" not null default '',
    is_done boolean not null default false
);

insert into duly.expectation_backfill default values;

-- Each rule lets more through than the one it replaces, so that no row has to be read again.
alter domain duly.ledger_account drop constraint ledger_account_kind;
alter domain duly.ledger_account add constraint ledger_account_kind check (
    split_part(value, ':', 1) in ('receivable', 'suspense', 'written_off', 'internal', 'revenue', 'vat_payable',
    'gateway_clearing', 'gateway_fees', 'bank', 'cash', 'other_methods', 'write_off', 'bad_debt_allowance',
    'reward_expense', 'dispute_holding', 'currency_conversion')) not valid;

alter table duly.gateway_bookings drop constraint gateway_bookings_kind_check;
alter table duly.gateway_bookings add constraint gateway_bookings_kind_check check (kind in
    ('fee', 'fee_refund', 'dispute_held', 'dispute_released', 'dispute_lost', 'dispute_written_off', 'payout', 'payout_failed',
    'converted_from', 'converted_to')) not valid;

alter table duly.gateway_events drop constraint gateway_events_subject_check;
alter table duly.gateway_events add constraint gateway_events_subject_check check (subject in
    ('', 'payment', 'card', 'refund', 'dispute', 'movement')) not valid;
