-- Financial transactions: drafts, and what was posted, for good.

create sequence duly.financial_transaction_ids;

create table duly.financial_transactions (
  id text collate "C" primary key default 'ft_' || nextval('duly.financial_transaction_ids'),
  -- Given at creation, before posting (F29); the number comes with posting (F28).
  reference_number text collate "C" not null generated always as ('R' || substr(id, 4)) stored,
  idempotency_key text collate "C" not null unique,
  request_hash bytea not null,
  classification duly.classification not null,
  type_id text collate "C" not null,
  category text,
  account_id text collate "C" not null,
  currency text collate "C" not null,
  total_minor bigint not null,
  state duly.transaction_state not null,
  issued_on date not null,
  posted_on date,
  posted_at timestamptz,
  posted_xid xid8,
  due_on date,
  issue_reason text,
  back_office_code text collate "C",
  -- Payments and refunds.
  method text collate "C",
  provider text collate "C",
  gateway_reference text collate "C",
  payment_reference text,
  payment_preference text,
  voucher_number text,
  addressed_invoice_ids text[] collate "C" not null default '{}',
  -- Whom the money was meant for when it had to go to the suspense account.
  intended_account_id text collate "C",
  -- What a cancellation cancels, a write-off writes off, an invoice in the write-off account mirrors, or from where a
  -- payment was moved: the classification says which.
  counterpart_id text collate "C" references duly.financial_transactions,
  origin duly.origin not null,
  actor text not null,
  rejection_reason text,
  rejected_by text,
  rejected_at timestamptz,
  -- The account's balance after this posting, and which posting of the account it was.
  account_version bigint,
  balance_after_minor bigint,
  created_at timestamptz not null default now(),
  foreign key (account_id, currency) references duly.accounts (id, currency) not enforced,
  unique (account_id, account_version)
) with (fillfactor = 85);

-- A document is cancelled, written off, mirrored or moved once.
create unique index one_counterpart on duly.financial_transactions (counterpart_id, classification)
  where counterpart_id is not null;

-- Unique within a classification when given (F34), so that it can serve as another system's key.
create unique index one_back_office_code on duly.financial_transactions (back_office_code, classification)
  where back_office_code is not null;

-- One booking for one charge; a moved payment keeps its reference, so the move is left out.
create unique index one_gateway_booking on duly.financial_transactions (gateway_reference, provider, classification)
  where gateway_reference is not null and counterpart_id is null;

create table duly.transaction_lines (
  transaction_id text collate "C" not null references duly.financial_transactions not enforced,
  position smallint not null check (position > 0),
  product_id text collate "C" not null,
  description text not null default '',
  quantity numeric(18, 6) not null check (quantity > 0),
  unit_price_minor bigint not null check (unit_price_minor >= 0),
  discount_percent numeric(7, 4) check (discount_percent between 0 and 100),
  discount_minor bigint not null check (discount_minor >= 0),
  net_minor bigint not null check (net_minor >= 0),
  tax_rate_id text collate "C",
  tax_percent numeric(7, 4) not null check (tax_percent between 0 and 100),
  tax_minor bigint not null check (tax_minor >= 0),
  total_minor bigint not null,
  period_from date,
  period_to date,
  sales_channel text,
  -- What a tax service answered, as it answered (F40).
  applied_taxes jsonb,
  primary key (transaction_id, position),
  check (total_minor = net_minor + tax_minor),
  check (period_to >= period_from)
);

-- The number that posting gives, gap-free per classification: the highest plus one, taken under a lock that is held
-- from here to the commit. A row of its own, so that numbering writes two small rows and no index of the header.
create table duly.transaction_numbers (
  number text collate "C" primary key,
  transaction_id text collate "C" not null unique
);

-- Shared notes: who wrote what and when (F36).
create table duly.transaction_notes (
  id bigint generated always as identity primary key,
  transaction_id text collate "C" not null references duly.financial_transactions,
  author text not null check (author <> ''),
  note text not null check (length(note) between 1 and 4000),
  noted_at timestamptz not null default clock_timestamp()
);

create index notes_by_transaction on duly.transaction_notes (transaction_id);
