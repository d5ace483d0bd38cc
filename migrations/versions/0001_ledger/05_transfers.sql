-- Transfers: one positive amount from one ledger account (credit) to another (debit), in one row. An unbalanced posting
-- cannot be written down.

create table duly.transfers (
  id bigint generated always as identity,
  -- The financial transaction (ft_) or gateway booking (gb_) that owns it.
  source_id text collate "C" not null,
  position smallint not null,
  debit_account duly.ledger_account not null,
  credit_account duly.ledger_account not null,
  currency text collate "C" not null,
  amount_minor duly.amount_minor not null,
  posted_on date not null,
  primary key (source_id, position),
  constraint two_accounts check (debit_account <> credit_account)
);

-- Rows lie in order of their id, so a few bytes per block find the tail that no roll-up covers yet.
create index transfers_by_id on duly.transfers using brin (id);

create sequence duly.gateway_booking_ids;

-- What moves money at a gateway without touching a customer's account: fees, disputes, payouts.
create table duly.gateway_bookings (
  id text collate "C" primary key default 'gb_' || nextval('duly.gateway_booking_ids'),
  idempotency_key text collate "C" not null unique check (length(idempotency_key) between 1 and 200),
  request_hash bytea not null check (octet_length(request_hash) = 32),
  kind text not null check (kind in
    ('fee', 'fee_refund', 'dispute_held', 'dispute_released', 'dispute_lost',
      'dispute_written_off', 'payout', 'payout_failed')),
  provider text collate "C" not null check (provider ~ '^[a-z][a-z0-9_-]{0,31}$'),
  currency text collate "C" not null references duly.currencies,
  amount_minor duly.amount_minor not null,
  gateway_reference text collate "C" not null,
  payment_id text collate "C" references duly.financial_transactions,
  posted_on date not null,
  posted_at timestamptz not null,
  posted_xid xid8 not null
);

-- Balances of ledger accounts, summed day by day. Each roll-up covers the transfers of one range of ids; what was
-- posted late to an old day simply arrives with the next one. All receivables are one control account here.
create table duly.ledger_roll_ups (
  id bigint generated always as identity primary key,
  after_transfer_id bigint not null unique,
  upto_transfer_id bigint not null,
  previous_seal bytea,
  seal bytea,
  marked_at timestamptz not null default clock_timestamp(),
  check (upto_transfer_id >= after_transfer_id),
  check (octet_length(seal) = 32)
);

create table duly.ledger_day_sums (
  roll_up_id bigint not null references duly.ledger_roll_ups,
  ledger_account text collate "C" not null,
  currency text collate "C" not null,
  posted_on date not null,
  debit_minor bigint not null check (debit_minor >= 0),
  credit_minor bigint not null check (credit_minor >= 0),
  primary key (ledger_account, currency, posted_on, roll_up_id)
);
