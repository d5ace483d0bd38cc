"""A posting is whole or not at all, whoever writes it: one by hand, and what happens when a step is missing."""

import pytest

from models.ledger.refusals import AppendOnlyError, InvalidInputError
from tests.ledger.books import Books, refused
from tests.ledger.guards.forbidden import ALLOCATION, HEADER, POSTED, TRANSFER

PAYMENT = (
    f"{HEADER}, id, method, {POSTED}) values ('x', sha256('x'), 'payment', 'payment', 'acc_1', 'EUR', 5, 'posted',"
    " '2026-05-20', 'user', 'ada', 'ft_9', 'cash', '2026-05-20', now(), pg_current_xact_id(), 1, -5)"
)
INVOICE = (
    f"{HEADER}, id, due_on, {POSTED}) values ('x', sha256('x'), 'invoice', 'invoice', 'acc_1', 'EUR', 5, 'posted',"
    " '2026-05-20', 'user', 'ada', 'ft_9', '2026-05-20', '2026-05-20', now(), pg_current_xact_id(), 1, 5)"
)
MONEY = TRANSFER + "('ft_9', 1, 'cash', 'receivable:acc_1', 'EUR', 5, '2026-05-20')"
REVENUE = TRANSFER + "('ft_9', 1, 'receivable:acc_1', 'revenue:gold', 'EUR', 5, '2026-05-20')"
LINE = (
    "insert into duly.transaction_lines (transaction_id, position, product_id, quantity, unit_price_minor,"
    " discount_minor, net_minor, tax_percent, tax_minor, total_minor)"
    " values ('ft_9', {}, 'gold', 1, {}, 0, {}, 0, 0, {})"
)
CREDIT = "insert into duly.open_items values ('ft_9', 'acc_1', 'credit', '2026-05-20', 1, 5)"
DEBIT = "insert into duly.open_items values ('ft_9', 'acc_1', 'debit', '2026-05-20', 1, 5)"
NUMBER = "insert into duly.transaction_numbers values ('{}-0000000009', 'ft_9')"

PAID = (PAYMENT, MONEY, CREDIT, NUMBER.format("PAY"))
INVOICED = (INVOICE, LINE.format(1, 5, 5, 5), REVENUE, DEBIT, NUMBER.format("INV"))
# What the payment settles: another version of the account, whose balance is nothing then.
THEN_INVOICED = tuple(
    step.replace("'x'", "'y'")
    .replace("ft_9", "ft_8")
    .replace("000009", "000008")
    .replace("1, 5)", "2, 0)" if step is INVOICE else "1, 5)")
    for step in (*INVOICED[:3], DEBIT.replace("1, 5)", "2, 5)"), INVOICED[-1])
)
MORE_MONEY = TRANSFER + "('ft_9', 2, 'cash', 'receivable:acc_1', 'EUR', 1, '2026-05-20')"
FOR_ANOTHER = MONEY.replace("receivable:acc_1", "receivable:acc_2")

INCOMPLETE = {
    "transfers short of the total": ("posting_is_complete", (PAYMENT, MONEY.replace("5, '2", "4, '2"), CREDIT)),
    "transfers of another account": ("posting_is_complete", (PAYMENT, FOR_ANOTHER, CREDIT)),
    "no transfers": ("posting_is_complete", (PAYMENT, CREDIT)),
    "no lines": ("posting_is_complete", (INVOICE, REVENUE, DEBIT)),
    "lines short of the total": ("posting_is_complete", (INVOICE, LINE.format(1, 4, 4, 4), REVENUE, DEBIT)),
    "no number": ("posting_is_complete", PAID[:-1]),
    "a transfer afterwards": ("late_transfer", (PAYMENT, MONEY, CREDIT, MORE_MONEY)),
    "a line afterwards": ("lines_of_posted", (*INVOICED[:-1], LINE.format(2, 1, 1, 1))),
    "an open item of another amount": ("late_open_item", (PAYMENT, MONEY, CREDIT.replace("1, 5)", "1, 4)"))),
    "an open item on the wrong side": ("late_open_item", (PAYMENT, MONEY, CREDIT.replace("credit", "debit"))),
    "an open item of another account": ("late_open_item", (PAYMENT, MONEY, CREDIT.replace("acc_1", "acc_2"))),
    # Foreign keys that the guards stand in for (decision 0108).
    "a posting in another currency": ("late_open_item", (PAYMENT.replace("EUR", "USD"), MONEY, CREDIT)),
    "a posting of an account that is not there": (
        "late_open_item",
        tuple(step.replace("acc_1", "acc_9") for step in (PAYMENT, MONEY, CREDIT)),
    ),
    "an open item of nothing": ("late_open_item", (CREDIT,)),
    "a line of nothing": ("lines_of_posted", (LINE.format(1, 5, 5, 5),)),
    "an allocation of a credit that is not there": (
        "allocation_within_account",
        (*INVOICED, ALLOCATION + "('acc_1', 'ft_8', 'ft_9', 5)"),
    ),
    "an allocation to a debit that is not there": (
        "allocation_within_account",
        (*PAID, ALLOCATION + "('acc_1', 'ft_9', 'ft_8', 5)"),
    ),
    "several allocations, one of them to nothing": (
        "allocation_within_account",
        (*PAID, ALLOCATION + "('acc_1', 'ft_9', 'ft_8', 2), ('acc_1', 'ft_9', 'ft_7', 3)"),
    ),
    "several allocations, one of them in another account's name": (
        "allocation_within_account",
        (*PAID, *THEN_INVOICED, ALLOCATION + "('acc_1', 'ft_9', 'ft_8', 2), ('acc_2', 'ft_9', 'ft_8', 3)"),
    ),
}


def post(owner: Books, *steps: str) -> None:
    """Take the steps in one transaction, look at what is looked at when it commits, and leave nothing behind."""
    with owner.connection.transaction(force_rollback=True):
        for step in (*steps, "set constraints all immediate"):
            owner.run(step)


@pytest.mark.parametrize("steps", [PAID, INVOICED], ids=["payment", "invoice"])
def test_a_whole_posting_goes_through(owner: Books, books: Books, steps: tuple[str, ...]) -> None:
    post(owner, *steps)


@pytest.mark.parametrize("missing", INCOMPLETE)
def test_a_posting_that_is_not_whole_is_refused(owner: Books, books: Books, missing: str) -> None:
    rule, steps = INCOMPLETE[missing]

    refused(lambda: post(owner, *steps), AppendOnlyError, rule)


def test_a_number_without_an_open_item_is_refused(owner: Books, books: Books) -> None:
    refused(lambda: post(owner, PAYMENT, MONEY, NUMBER.format("PAY")), InvalidInputError, "field_valid")
