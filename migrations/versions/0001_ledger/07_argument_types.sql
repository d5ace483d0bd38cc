-- Opening, changing and locking accounts.

create type duly.receipt as (transaction_id text, reference_number text, number text, state text);

-- The lines of documents: read from JSON, checked, stored, and turned into transfers.

create type duly.document_line as (
  product_id text, description text, quantity numeric, unit_price_minor bigint, discount_percent numeric,
  discount_minor bigint, net_minor bigint, tax_rate_id text, tax_rate numeric, tax_minor bigint, total_minor bigint,
  period_from date, period_to date, sales_channel text, applied_taxes jsonb
);

-- A line as it is stored, with the rule that it breaks, if any, and the ledger account of its product.
create type duly.ledger_line as (stored duly.transaction_lines, ledger_account text, rule text);

-- Invoices and credit notes: documents with lines, written one or a thousand at a time by the same statements.

create type duly.document as (
  -- As asked for.
  ord bigint, hash bytea, key text, account_id text, currency text, type_id text, category text, issued_on date,
  posted_on date, due_on date, issue_reason text, back_office_code text, invoices text[], origin text, actor text,
  lines jsonb,
  -- As looked up: its id, what posting does to the account, and why it is refused, if it is.
  id text, total_minor bigint, posted_at timestamptz, account_version bigint, balance_after_minor bigint,
  meets_credit boolean, refusal_kind text, rule text, arguments jsonb
);
