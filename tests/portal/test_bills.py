"""Bills in the portal: the customer sees each with its documents, downloads it, and pays what is unsettled of it."""

import re

import pytest

from activities.database import Database
from tests.portal.conftest import Customer, reachable
from tests.portal.test_pages import SELLER
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as agreed")
LINE = '[{"product_id": "plan", "quantity": 1, "unit_price_minor": 4000, "net_minor": 4000, "total_minor": 4000}]'


async def invoiced(merchant: Merchant, account: str, key: str) -> None:
    """Post an invoice of 40.00 as the system does."""
    await merchant.run(
        "select duly.create_invoice(:key, :account, 'EUR', cast(:lines as jsonb), p_origin => 'system')",
        key=key,
        account=account,
        lines=LINE,
    )


async def billed(merchant: Merchant, cli: CommandLine, account: str, *, invoices: int = 2) -> str:
    """Bill some invoices of 40.00 each; return the bill's id."""
    for number in range(invoices):
        await invoiced(merchant, account, f"{account}/{number}")
    (month,) = await merchant.run("select to_char(now() at time zone 'Europe/Nicosia', 'YYYY-MM') as now")
    return str((await cli.json("bills", "make", account, month.now, *WHO))["id"])


async def test_a_customer_sees_each_bill_with_what_is_open_and_downloads_it(
    customer: Customer, merchant: Merchant, cli: CommandLine
) -> None:
    account = await reachable(merchant, await merchant.account(cards=()), locale="de")
    bill = await billed(merchant, cli, account)
    await customer.enter(account)

    listed, shown = [await customer.open(path) for path in ("/bills", f"/bills/{bill}")]
    before = await customer.status(f"/bills/{bill}/file/pdf")
    await merchant.configure(SELLER)
    file = await customer.client.get(f"/bills/{bill}/file/pdf")

    assert f'href="/bills/{bill}"' in listed
    assert all(re.search(r"80,00\s€", page) for page in (listed, shown))
    assert "Saldovortrag" in shown
    assert re.search(r"80,00\s€ bezahlen", shown)
    assert (before, file.status_code, file.content[:5]) == (409, 200, b"%PDF-")
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''BIL-0000000001.pdf"
    assert [await customer.status(f"/bills/{bill}/file/{one}") for one in ("xlsx", "html")] == [200, 404]


async def test_a_bill_of_somebody_else_is_not_there(customer: Customer, merchant: Merchant, cli: CommandLine) -> None:
    theirs = await billed(merchant, cli, await merchant.account(cards=()))
    await customer.enter(await merchant.account(cards=()))

    paths = (f"/bills/{theirs}", f"/bills/{theirs}/file/pdf", f"/bills?after={theirs}", "/bills/x", "/bills/bill_99")

    assert [await customer.status(path) for path in paths] == [404] * 5
    assert "There is nothing here yet." in await customer.open("/bills")
    assert (await customer.send(f"/bills/{theirs}/pay", key="0" * 32)).status_code == 404


@pytest.mark.nightly
async def test_a_bill_is_paid_by_one_request_for_what_is_unsettled_of_it(
    customer: Customer, merchant: Merchant, cli: CommandLine, database: Database, workers: None, acting: None
) -> None:
    # given a bill of two invoices, and a later one that is not on it
    account = await merchant.account()
    bill = await billed(merchant, cli, account)
    await invoiced(merchant, account, "later")
    await customer.enter(account)
    await customer.open(f"/bills/{bill}")

    answer = await customer.send(f"/bills/{bill}/pay")

    query = "select title, amount_minor, cardinality(invoices) as invoices from duly.payment_requests"
    (asked,) = await database.rows(query)
    assert "leaving" in answer.text or "http" in answer.text
    assert (asked.title, asked.amount_minor, asked.invoices) == ("Bill BIL-0000000001", 8000, 2)
    # Asked for already, it leads to the same page again.
    assert "We are collecting it already" in await customer.open(f"/bills/{bill}")
    assert (await customer.send(f"/bills/{bill}/pay")).status_code == 200
    assert len(await database.rows("select id from duly.payment_requests")) == 1
