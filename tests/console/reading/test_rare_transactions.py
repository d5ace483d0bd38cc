"""Transactions of a rare kind or state, and payments of no run, are found by an index."""

import re
from collections.abc import Sequence

import pytest

from activities.database import Database
from activities.ledger.transaction_queries import TransactionFilter, TransactionQueries
from activities.payments.queries import PaymentFilter, PaymentQueries
from models.listing import ListPage
from tests.console.test_pages import counted
from tests.support.builders import Merchant


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (TransactionFilter(classification="credit_note"), "transactions_of_rare_kind"),
        (TransactionFilter(state="draft"), "transactions_of_rare_state"),
        (TransactionFilter(state="draft", reference="SAP-9"), "transactions_by_payment_reference"),
    ],
)
async def test_what_is_rare_is_found_by_its_index(
    database: Database, merchant: Merchant, wanted: TransactionFilter, index: str
) -> None:
    # given drafts of refunds, and more of what is not rare
    account = await merchant.account(owes_minor=1190)
    for number in (1, 2, 3):
        await merchant.run(
            "select duly.create_refund(:key, :account, 1, 'EUR', 'bank_transfer', p_draft => true,"
            " p_payment_reference => 'SAP-9')",
            key=f"refund:{number}",
            account=account,
        )
    records = TransactionQueries(database)

    # when they are listed, a page and the one behind it
    with counted(database) as statements:
        first = await records.page(wanted, before=await records.behind(""), limit=2)
    second = await records.page(wanted, before=await records.behind(first[-1].id), limit=2) if first else []

    # then they are there, the newest first, and the index would be used where there are many
    ids = [row.id for row in (*first, *second)]
    assert len(ids) == (3 if wanted.state else 0)
    assert ids == sorted(ids, key=lambda id: -int(id[3:]))
    assert index in await plan_of(database, statements)


async def test_payments_of_no_run_are_found_by_their_index(database: Database, merchant: Merchant) -> None:
    await merchant.account(owes_minor=1190)

    with counted(database) as statements:
        await PaymentQueries(database).page(ListPage(limit=2), PaymentFilter(kind="service"), with_totals=False)

    assert "requests_of_no_run" in await plan_of(database, statements)


async def plan_of(database: Database, statements: Sequence[str]) -> str:
    """Return how the list among statements would be found where there are many rows."""
    asked = next(one for one in statements if "ORDER BY" in one)
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", asked)))
    numbered = re.sub(r"%\((\w+)\)s", lambda one: f"${names.index(one[1]) + 1}", asked)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("set local enable_seqscan = off")
        plan = (await connection.exec_driver_sql("explain (generic_plan) " + numbered)).scalars().all()
    return "\n".join(plan)
