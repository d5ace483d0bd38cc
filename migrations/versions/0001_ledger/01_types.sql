-- The ledger's own types. What a column may hold is said by its type where it can be: PostgreSQL prepares the CHECKs of
-- a table anew for every statement, which on the tables that each posting writes cost as much as the posting itself,
-- while it keeps the rules of an enum or a domain at hand (docs/decisions/0104).

create type duly.classification as enum
  ('invoice', 'credit_note', 'payment', 'refund', 'write_off', 'invoice_cancellation', 'payment_cancellation');

create type duly.transaction_state as enum ('draft', 'posted', 'rejected', 'cancelled', 'written_off');

create type duly.side as enum ('debit', 'credit');

create type duly.origin as enum ('system', 'user');

-- A positive amount that a reader with double precision still sees exactly.
create domain duly.amount_minor as bigint constraint amount_in_range check (value between 1 and 9007199254740991);

-- A line of the chart of accounts: one of its kinds, followed where needed by ':' and a name.
create domain duly.ledger_account as text collate "C" constraint ledger_account_kind check (
  split_part(value, ':', 1) in ('receivable', 'suspense', 'written_off', 'internal', 'revenue', 'vat_payable',
    'gateway_clearing', 'gateway_fees', 'bank', 'cash', 'other_methods', 'write_off', 'bad_debt_allowance',
    'reward_expense', 'dispute_holding'));
