-- Accounts receivable. What identifies an account is apart from its balance, so that the row everything refers to is
-- not the row that every posting writes.

create table duly.accounts (
  id text collate "C" primary key check (id ~ '^[!-~]{1,64}$'),
  kind text not null default 'customer' check (kind in ('customer', 'suspense', 'write_off', 'internal')),
  currency text collate "C" not null references duly.currencies,
  owner_name text not null check (length(owner_name) between 1 and 200),
  owner_reference text,
  email text,
  locale text not null default 'en',
  time_zone text not null default 'UTC',
  state text not null default 'active' check (state in ('active', 'suspended', 'terminated')),
  credit_limit_minor bigint check (credit_limit_minor >= 0),
  -- Days by which this account's due dates differ from the rule's, within the rule's proximity range.
  credit_period_days integer check (credit_period_days between -366 and 366),
  due_date_rule_id text collate "C" references duly.due_date_rules,
  region text,
  segment text,
  created_at timestamptz not null default now(),
  unique (id, currency),
  -- A system account is active or terminated (X44).
  check (kind = 'customer' or state <> 'suspended')
);

create unique index one_system_account on duly.accounts (kind, currency) where kind in ('suspense', 'write_off');

-- The balance is also the account's lock: whoever moves money on an account takes this row first. Amounts and the
-- version step only with a posting; free space on the page keeps the updates from touching the index.
create table duly.account_balances (
  account_id text collate "C" primary key references duly.accounts,
  balance_minor bigint not null default 0,
  version bigint not null default 0,
  posted_at timestamptz
) with (fillfactor = 60);
