"""Statements that would leave the ledger in a state it must never be in, by what they try."""

HEADER = (
    "insert into duly.financial_transactions (idempotency_key, request_hash, classification, type_id, account_id,"
    " currency, total_minor, state, issued_on, origin, actor"
)
POSTED = "posted_on, posted_at, posted_xid, account_version, balance_after_minor"
DRAFT = f"{HEADER}) values "
TRANSFER = (
    "insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)"
    " values "
)
ALLOCATION = "insert into duly.allocations (account_id, credit_id, debit_id, amount_minor) values "

BY_OWNER = {
    "change a posted amount": "update duly.financial_transactions set total_minor = 1 where id = 'ft_1'",
    "change a posted date": "update duly.financial_transactions set due_on = '2030-01-01' where id = 'ft_1'",
    "make a posted transaction a draft": "update duly.financial_transactions set state = 'draft' where id = 'ft_1'",
    "reject a posted transaction": "update duly.financial_transactions set state = 'rejected' where id = 'ft_1'",
    "cancel a credit note by state": "update duly.financial_transactions set state = 'cancelled' where id = 'ft_3'",
    "write off a payment by state": "update duly.financial_transactions set state = 'written_off' where id = 'ft_2'",
    "delete a transaction": "delete from duly.financial_transactions where id = 'ft_1'",
    "delete a draft": "delete from duly.financial_transactions where id = 'ft_4'",
    "change a line": "update duly.transaction_lines set net_minor = 1",
    "delete a posted line": "delete from duly.transaction_lines where transaction_id = 'ft_1'",
    "add a line to what is posted": (
        "insert into duly.transaction_lines (transaction_id, position, product_id, quantity, unit_price_minor,"
        " discount_minor, net_minor, tax_percent, tax_minor, total_minor)"
        " values ('ft_1', 9, 'gold', 1, 1, 0, 1, 0, 0, 1)"
    ),
    "change a number": "update duly.transaction_numbers set number = 'INV-0000000009'",
    "delete a number": "delete from duly.transaction_numbers",
    "number a draft": "insert into duly.transaction_numbers values ('INV-0000000009', 'ft_4')",
    "change a transfer": "update duly.transfers set amount_minor = 1",
    "delete a transfer": "delete from duly.transfers",
    "add a late transfer": (TRANSFER + "('ft_1', 9, 'bank', 'cash', 'EUR', 1, '2026-05-20')"),
    "transfer without an owner": (TRANSFER + "('ft_99', 1, 'bank', 'cash', 'EUR', 1, '2026-05-20')"),
    "transfer to an account of no kind": (TRANSFER + "('ft_1', 9, 'bank', 'mattress', 'EUR', 1, '2026-05-20')"),
    "transfer from an account to itself": (TRANSFER + "('ft_1', 9, 'bank', 'bank', 'EUR', 1, '2026-05-20')"),
    "transfer nothing": (TRANSFER + "('ft_1', 9, 'bank', 'cash', 'EUR', 0, '2026-05-20')"),
    "change an allocation": "update duly.allocations set amount_minor = 1",
    "delete an allocation": "delete from duly.allocations",
    "allocate by hand": "update duly.open_items set allocated_minor = amount_minor",
    "delete an open item": "delete from duly.open_items",
    "open an item for a draft": ("insert into duly.open_items values ('ft_4', 'acc_1', 'debit', '2026-05-20', 9, 100)"),
    "over-allocate": ALLOCATION + "('acc_1', 'ft_2', 'ft_1', 61)",
    "allocate across accounts": (ALLOCATION + "('acc_1', 'ft_2', 'ft_5', 1)"),
    "allocate an invoice to an invoice": (ALLOCATION + "('acc_1', 'ft_1', 'ft_1', 1)"),
    "allocate a negative amount": (ALLOCATION + "('acc_1', 'ft_2', 'ft_1', -1)"),
    "undo an allocation twice": "insert into duly.deallocations select id from duly.allocations, generate_series(1, 2)",
    "take a balance back": "update duly.account_balances set balance_minor = 0, version = 0",
    "delete a balance": "delete from duly.account_balances",
    "change an account's currency": "update duly.accounts set currency = 'USD' where id = 'acc_1'",
    "delete an account": "delete from duly.accounts",
    "suspend a system account": "update duly.accounts set state = 'suspended' where kind <> 'customer'",
    "post a header alone": (
        f"{HEADER}, method, {POSTED}) values ('x', sha256('x'), 'payment', 'payment', 'acc_1', 'EUR', 5, 'posted',"
        " '2026-05-20', 'user', 'ada', 'cash', '2026-05-20', now(), pg_current_xact_id(), 99, 5)"
    ),
    "insert a draft cancellation": (
        f"{HEADER}, counterpart_id) values ('x', sha256('x'), 'invoice_cancellation', 'invoice_cancellation', 'acc_1',"
        " 'EUR', 100, 'draft', '2026-05-20', 'user', 'ada', 'ft_1')"
    ),
    "insert a payment without a method": (
        DRAFT + "('x', sha256('x'), 'payment', 'payment', 'acc_1', 'EUR', 5, 'draft', '2026-05-20', 'user', 'ada')"
    ),
    "insert a transaction in another currency": (
        DRAFT + "('x', sha256('x'), 'invoice', 'invoice', 'acc_1', 'USD', 5, 'draft', '2026-05-20', 'user', 'ada')"
    ),
    "insert a transaction of no account": (
        DRAFT + "('x', sha256('x'), 'invoice', 'invoice', 'acc_9', 'EUR', 5, 'draft', '2026-05-20', 'user', 'ada')"
    ),
    "take a draft to an account of another currency": (
        "update duly.financial_transactions set account_id = 'acc_usd' where id = 'ft_4'"
    ),
    "insert an amount of nothing": (
        DRAFT
        + "('x', sha256('x'), 'credit_note', 'credit_note', 'acc_1', 'EUR', 0, 'draft', '2026-05-20', 'user', 'ada')"
    ),
    "use a key twice": (
        DRAFT + "('i1', sha256('x'), 'invoice', 'invoice', 'acc_1', 'EUR', 5, 'draft', '2026-05-20', 'user', 'ada')"
    ),
    "cancel with another amount": (
        f"{HEADER}, counterpart_id, {POSTED}) values ('x', sha256('x'), 'invoice_cancellation',"
        " 'invoice_cancellation', 'acc_1', 'EUR', 99, 'posted', '2026-05-20', 'user', 'ada', 'ft_1', '2026-05-20',"
        " now(), pg_current_xact_id(), 99, 5)"
    ),
    "delete a product": "delete from duly.products",
    "change a sealed roll-up": "update duly.ledger_roll_ups set seal = sha256('x')",
    "delete a day's sum": "delete from duly.ledger_day_sums",
}
