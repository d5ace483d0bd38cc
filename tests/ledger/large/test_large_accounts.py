"""20,001 open invoices on one account: each family of postings that allocates stays well within its time-out."""

import time

import pytest

from activities.database import STANDARD_SECONDS
from tests.ledger.books import Books
from tests.ledger.large.conftest import EACH_MINOR, INVOICES

TOTAL = INVOICES * EACH_MINOR
# A machine that is busy is a few times as slow as an idle one.
ALLOWED_SECONDS = STANDARD_SECONDS / 2

ALL = (
    "(select array_agg(id order by id) from duly.financial_transactions"
    " where account_id = 'acc_1' and classification = 'invoice')"
)
FIRST = "(select min(id) from duly.financial_transactions where account_id = 'acc_1' and classification = 'invoice')"
PAYMENT = "select transaction_id from duly.create_payment('pay', 'acc_1', %s, 'EUR', 'cash')"
DRAFT = f"select duly.draft_payment('charge', 'acc_1', %s, 'EUR', 'card', 'stripe', {ALL}, 'system')"

# What each family writes, behind what must be there before it; every amount is all that the account owes.
FAMILIES: dict[str, tuple[str, str]] = {
    "a charge is drafted": ("select 1", DRAFT),
    "a charge is booked": (DRAFT, "select duly.post_gateway_payment(:id, 'pi_1')"),
    "a bank transfer comes": ("select 1", PAYMENT),
    "a bank transfer names every invoice": (
        "select 1",
        f"select duly.create_payment('pay', 'acc_1', %s, 'EUR', 'cash', p_addressed_invoice_ids => {ALL})",
    ),
    "a bank transfer names what others had settled": (
        PAYMENT,
        f"select duly.create_payment('two', 'acc_1', %s, 'EUR', 'cash', p_addressed_invoice_ids => {ALL})",
    ),
    "a credit note comes": ("select 1", "select duly.create_credit_note('crn', 'acc_1', 'EUR', :lines)"),
    "a credit note names every invoice": (
        "select 1",
        f"select duly.create_credit_note('crn', 'acc_1', 'EUR', :lines, {ALL})",
    ),
    "a payment is cancelled": (PAYMENT, "select duly.cancel_payment('pcn', :id)"),
    "a payment is moved": (PAYMENT, "select duly.move_to_account('mov', :id, 'acc_2')"),
    "a charge is refunded in part": (
        f"with d as materialized ({DRAFT} as id) select id from d, duly.post_gateway_payment(d.id, 'pi_1')",
        "select duly.return_payment('ret', :id, 1, 're_1', 'Refund', 'user', 'clerk')",
    ),
    "a disputed charge is lost": (
        f"with d as materialized ({DRAFT} as id) select id from d, duly.post_gateway_payment(d.id, 'pi_1')",
        "select duly.return_payment('ret', :id, %s, 'dp_1', 'Dispute lost', 'system', 'system')",
    ),
    "a refund takes every credit": (
        "select 1",
        "select duly.create_refund('ref', 'acc_2', %s, 'EUR', 'cash', p_acknowledge_credit_limit => true)",
    ),
    "an invoice meets every credit": (
        "select 1",
        "select duly.create_invoice('inv', 'acc_2', 'EUR', :lines, p_posted_on => '2026-05-20')",
    ),
    "an invoice is written off": (
        "select 1",
        f"select duly.write_off('wro', {FIRST}, 'write_off')",
    ),
    "an invoice is cancelled": (
        PAYMENT,
        f"select duly.cancel_invoice('icn', {FIRST})",
    ),
    "everything is allocated again": (PAYMENT, "select duly.allocate_accounts(array['acc_1'])"),
}


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_posting_that_settles_20001_invoices_stays_within_half_of_its_time_out(owner: Books, family: str) -> None:
    before, statement = FAMILIES[family]
    text, amounts = filled(before, None)
    made = owner.value(text, *amounts)
    text, amounts = filled(statement, made)

    began = time.perf_counter()
    owner.value(text, *amounts)
    seconds = time.perf_counter() - began

    assert seconds < ALLOWED_SECONDS, f"{family}: {seconds:.2f} s"


def filled(statement: str, made: object) -> tuple[str, list[int]]:
    """Return a statement with its arguments: the amount of everything, a line of it, and what was made before."""
    lines = (
        f'\'[{{"product_id": "gold", "quantity": 1, "unit_price_minor": {TOTAL}, "net_minor": {TOTAL},'
        f' "total_minor": {TOTAL}}}]\''
    )
    text = statement.replace(":lines", lines).replace(":id", f"'{made}'")
    return text, [TOTAL] * text.count("%s")
