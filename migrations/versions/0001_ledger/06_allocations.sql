-- Open items and allocations: which credit settles which debit. They never change a balance.
--
-- A foreign key is declared but not enforced where a guard looks at the referenced row anyway, and asks more of it than
-- to be there (docs/decisions/0108). No row that is referenced is ever deleted.

create table duly.open_items (
  transaction_id text collate "C" primary key references duly.financial_transactions not enforced,
  account_id text collate "C" not null,
  side duly.side not null,
  -- FIFO order: the due date of a debit, the posting date of a credit, then the order of posting (F102, Q13).
  sort_on date not null,
  account_version bigint not null,
  amount_minor bigint not null,
  allocated_minor bigint not null default 0,
  constraint not_over_allocated check (allocated_minor between 0 and amount_minor)
) with (fillfactor = 80);

create index open_items_fifo on duly.open_items (account_id, side, sort_on, account_version)
  where allocated_minor < amount_minor;

create table duly.allocations (
  id bigint generated always as identity primary key,
  account_id text collate "C" not null,
  credit_id text collate "C" not null references duly.open_items not enforced,
  debit_id text collate "C" not null references duly.open_items not enforced,
  amount_minor duly.amount_minor not null,
  created_at timestamptz not null default clock_timestamp()
);

create index allocations_by_credit on duly.allocations (credit_id);

create index allocations_by_debit on duly.allocations (debit_id);

-- Undoing an allocation, all of it, once: the key allows no second time and there is no amount to get wrong.
create table duly.deallocations (
  allocation_id bigint primary key references duly.allocations,
  created_at timestamptz not null default clock_timestamp()
);

-- A number is given to what has been booked.
alter table duly.transaction_numbers add foreign key (transaction_id) references duly.open_items;
