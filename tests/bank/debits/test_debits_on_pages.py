"""The page of an account shows by which mandates it is debited, and what became of each debit; never an IBAN."""

from pathlib import Path

from activities.database import Database
from tests.bank.debits.direct_debits import IBAN, DirectDebits
from tests.console.conftest import Browser, browser, web  # noqa: F401  # the fixtures
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


async def test_an_account_shows_its_mandates_and_debits(
    merchant: Merchant,
    cli: CommandLine,
    database: Database,
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    await browser.sign_in()
    account = await debits.payer("c1")
    created = await browser.open(f"/accounts/{account}/ways")
    debit = (await debits.collect(account)).gateway_reference
    batch = (await debits.export())["batch"]
    await merchant.account("c2", cards=())

    page = await browser.open(f"/accounts/{account}/ways")

    assert "Nothing was debited yet." in created
    assert all(text in page for text in ("M-c1", IBAN[-4:], debit, f"/debit-files/{batch}", "25.00", "exported"))
    assert IBAN not in page
    assert "Mandates" not in await browser.open("/accounts/c2/ways")
