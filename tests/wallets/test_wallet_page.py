"""The page of an account in the console shows its wallet, where it has one."""

import pytest

from tests.console.conftest import Browser, browser, web  # noqa: F401  # the fixtures
from tests.support.company import Company
from tests.wallets.test_cli_wallets import WHO, prepaid  # noqa: F401  # the fixture


@pytest.mark.nightly
async def test_the_page_of_an_account_shows_what_is_in_its_wallet_and_how_it_came_there(
    prepaid: Company,  # noqa: F811
    browser: Browser,  # noqa: F811
) -> None:
    await browser.sign_in()
    assert "Wallet:" not in await browser.open("/accounts/a1/money")

    await prepaid.cli("wallets", "credit", "a1", "50.00", "--type", "top_up", *WHO)

    page = await browser.open("/accounts/a1/money")
    assert all(text in page for text in ("Wallet: 50.00 EUR", "WAL-0000000001", "INV-0000000001", "ann: as agreed"))
