-- What is passed on to a merchant of each payment that was taken for it: as much as the customer has paid and not got back.
create table duly.merchant_transfers (
    id bigint generated always as identity primary key,
    request_id text collate "C" not null unique references duly.gateway_requests,
    provider_id text collate "C" not null references duly.providers,
    merchant_provider_id text collate "C" not null references duly.providers,
    currency text collate "C" not null,
    refunds_application_fee boolean not null,
    captured_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    lost_minor bigint not null default 0,
    changes integer not null default 0,
    state text not null default 'pending' check (state in ('pending', 'settled', 'lacks_balance', 'needs_review')),
    code text not null default '',
    created_at timestamptz not null default clock_timestamp(),
    next_try_at timestamptz not null default clock_timestamp()
);

create index merchant_transfers_to_settle on duly.merchant_transfers (provider_id, next_try_at) where state <> 'settled';
create index transfers_of_merchant on duly.merchant_transfers (merchant_provider_id, state);

comment on table duly.merchant_transfers is
    'Payments that the platform took for a merchant: captured, refunded and lost as booked, and whether the transfers have followed.';

create table duly.merchant_transfer_moves (
    transfer_id bigint not null references duly.merchant_transfers,
    place smallint not null check (place > 0),
    kind text not null check (kind in ('transfer', 'reversal')),
    cause text not null check (cause in ('payment', 'refund', 'dispute', 'outside')),
    amount_minor bigint not null check (amount_minor > 0),
    -- Empty of what the gateway made by itself, or a person in its dashboard.
    idempotency_key text collate "C" not null default '',
    state text not null check (state in ('sent', 'moved', 'refused')),
    of_reference text collate "C" not null default '',
    gateway_reference text collate "C",
    connected_reference text collate "C",
    code text not null default '',
    sent_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    primary key (transfer_id, place)
);

create unique index one_move_under_way on duly.merchant_transfer_moves (transfer_id) where state = 'sent';
create unique index move_of_reference on duly.merchant_transfer_moves (gateway_reference) where gateway_reference is not null;
create index move_of_connected on duly.merchant_transfer_moves (connected_reference) where connected_reference is not null;

comment on table duly.merchant_transfer_moves is
    'Transfers to a merchant''s account and what was taken back of them, each written down before its call, with the ids of both sides.';

do $$
declare
    v_expression text;
begin
    select pg_get_expr(conbin, 0) into strict v_expression from pg_constraint
    where conname = 'ledger_account_kind' and contypid = 'duly.ledger_account'::regtype;
    alter domain duly.ledger_account drop constraint ledger_account_kind;
    execute format('alter domain duly.ledger_account add constraint ledger_account_kind check ((%s)
        or split_part(value, '':'', 1) in (''merchant_payables'', ''due_from_platform'')) not valid', v_expression);
    select pg_get_expr(conbin, conrelid) into strict v_expression from pg_constraint
    where conname = 'gateway_bookings_kind_check' and conrelid = 'duly.gateway_bookings'::regclass;
    alter table duly.gateway_bookings drop constraint gateway_bookings_kind_check;
    execute format('alter table duly.gateway_bookings add constraint gateway_bookings_kind_check check ((%s)
        or kind in (''merchant_owed'', ''merchant_owed_less'', ''transfer'', ''transfer_reversed'', ''transfer_received'',
            ''transfer_returned'')) not valid', v_expression);
    select pg_get_expr(conbin, conrelid) into strict v_expression from pg_constraint
    where conname = 'gateway_expectations_kind_check' and conrelid = 'duly.gateway_expectations'::regclass;
    alter table duly.gateway_expectations drop constraint gateway_expectations_kind_check;
    execute format('alter table duly.gateway_expectations add constraint gateway_expectations_kind_check check ((%s)
        or kind in (''transfer'', ''transfer_reversal'')) not valid', v_expression);
end $$;

insert into duly.ledger_account_kinds (kind, nature, description) values
    ('merchant_payables', 'liability', 'What the platform has taken for a merchant and not passed on; one for each provider of a merchant'),
    ('due_from_platform', 'asset', 'The same in the merchant''s book: what the platform has taken for it and not passed on');
