-- What the ledger is configured with. Rows are retired, never deleted: posted transactions refer to them without a
-- foreign key, because the share lock of a foreign key on a row that every posting names would make them all queue.

create table duly.currencies (
  code text collate "C" primary key check (code ~ '^[A-Z]{3}$'),
  exponent smallint not null check (exponent between 0 and 4)
);

create table duly.tax_rates (
  id text collate "C" primary key,
  name text not null check (name <> ''),
  percent numeric(7, 4) not null check (percent between 0 and 100),
  is_active boolean not null default true
);

create table duly.products (
  id text collate "C" primary key check (id ~ '^[!-~]{1,64}$'),
  name text not null check (name <> ''),
  product_line text,
  tax_rate_id text collate "C" references duly.tax_rates,
  -- Where its net amount goes: revenue of its own unless said otherwise.
  ledger_account duly.ledger_account not null
    check (split_part(ledger_account, ':', 1) in ('revenue', 'reward_expense', 'write_off')),
  is_active boolean not null default true
);

create table duly.payment_methods (
  id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_]{0,31}$'),
  name text not null check (name <> ''),
  -- Where the money is when no gateway handles it.
  ledger_account duly.ledger_account not null
    check (split_part(ledger_account, ':', 1) in ('bank', 'cash', 'other_methods')),
  is_active boolean not null default true
);

create table duly.transaction_types (
  id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_]{0,63}$'),
  name text not null check (name <> ''),
  alternative_code text,
  description text,
  classification duly.classification not null,
  -- Payment and refund types say which methods they allow; for the others the question does not arise (F17, F18).
  allowed_methods text[] check (case when classification in ('payment', 'refund')
    then coalesce(cardinality(allowed_methods), 0) > 0 else allowed_methods is null end),
  allowed_categories text[] not null default '{}',
  is_default boolean not null default false,
  is_active boolean not null default true,
  check (is_active or not is_default)
);

create unique index one_default_type on duly.transaction_types (classification) where is_default;

create table duly.transaction_reasons (
  id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_]{0,63}$'),
  name text not null check (name <> ''),
  purpose text not null check (purpose in ('rejection', 'issue')),
  is_active boolean not null default true
);

create table duly.due_date_rules (
  id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_]{0,63}$'),
  kind text not null check (kind in ('days_after', 'day_of_month')),
  number_of_days integer check (number_of_days between 0 and 3660),
  day_of_month integer check (day_of_month between 1 and 31),
  after_months integer check (after_months between 0 and 120),
  proximity_operator text check (proximity_operator in ('minus', 'plus', 'plus_minus')),
  proximity_days integer check (proximity_days between 1 and 366),
  check ((kind = 'days_after') = (number_of_days is not null)),
  check ((kind = 'day_of_month') = (day_of_month is not null and after_months is not null)),
  check ((proximity_operator is null) = (proximity_days is null))
);

-- One row: the definition that every account works by (F21 to F24, F100).
create table duly.definitions (
  id smallint primary key default 1 check (id = 1),
  allocation_principle text not null default 'against_item_and_fifo'
    check (allocation_principle in ('fifo', 'against_item_and_fifo')),
  due_date_rule_id text collate "C" not null references duly.due_date_rules,
  write_off_product_id text collate "C" references duly.products
);

-- The chart of accounts. A ledger account is one of these kinds, followed where needed by ':' and a name.
create table duly.ledger_account_kinds (
  kind text collate "C" primary key,
  nature text not null check (nature in ('asset', 'liability', 'income', 'expense')),
  description text not null
);
