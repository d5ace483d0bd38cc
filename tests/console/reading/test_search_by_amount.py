"""Whoever has an amount in hand finds the transactions of it, however it is written."""

import pytest

from activities.console.search import Search
from activities.database import Database
from tests.console.conftest import Browser
from tests.support.builders import Merchant
from web.views.search import _amounts


@pytest.mark.parametrize(
    ("words", "minor", "currency"),
    [
        ("119.00", 11900, "EUR"),
        ("119,00", 11900, "USD"),
        ("1.190,00 EUR", 119000, "EUR"),
        ("EUR 1,190.00", 119000, "EUR"),
        ("1190 jpy", 1190, "JPY"),
        ("1.250 KWD", 1250, "KWD"),
        ("1 250.500 KWD", 1250500, "KWD"),
    ],
)
def test_an_amount_is_read_as_people_write_it(words: str, minor: int, currency: str) -> None:
    [(found, codes)] = _amounts(words).items()

    assert (found, currency in codes) == (minor, True)


@pytest.mark.parametrize(
    "words", ["1190", "4242", "1.250", "11.90.00 EUR", "119.0 EUR", "119.00 QQQ", "acc_1", "0.001 EUR", ""]
)
def test_what_is_no_amount_is_looked_for_as_something_else(words: str) -> None:
    assert _amounts(words) == {}


@pytest.mark.nightly
async def test_the_search_lists_the_transactions_of_an_amount_and_jumps_to_the_only_one(
    browser: Browser, merchant: Merchant, database: Database
) -> None:
    for owes in (1190, 1190, 2500):
        await merchant.account(owes_minor=owes)
    await browser.sign_in()
    await browser.open("/")

    two = await browser.send("/search", words="11.90")
    one = await browser.send("/search", words="25,00 EUR")
    none = await browser.send("/search", words="77.77")

    assert (two.status_code, two.text.count("INV-")) == (200, 2)
    assert one.headers["location"].startswith("/transactions/ft_")
    assert (none.status_code, "INV-" in none.text) == (200, False)
    assert len(await Search(database).of_amount({1190: ["EUR"]})) == 2
    indexes = await merchant.run("select indexdef from pg_indexes where tablename = 'financial_transactions'")
    assert any("(total_minor, currency, created_at)" in row.indexdef for row in indexes)
