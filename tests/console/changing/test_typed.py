"""What is typed wrongly is named at its field and kept, and has the bounds of the command line."""

import re
from html import unescape

import pytest

from tests.console.conftest import OURS, Browser
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LINE = {"product": "plan", "quantity": "1", "price": "1.00"}
_WRONG = re.compile(r'id="w-(\w+)">(.*?)</div>', re.DOTALL)


async def wrong(browser: Browser, path: str, **fields: str) -> dict[str, str]:
    """Send a form that is refused; return what is wrong by the field at which it stands, and that it is kept."""
    browser.last = await browser.open(path)
    answer = await browser.send(path, OURS, **fields, reason="as agreed")
    assert answer.status_code == 422, (fields, answer.status_code, answer.headers)
    lost = [value for value in fields.values() if value not in unescape(answer.text)]
    assert lost == [], fields
    return {name: unescape(message).strip() for name, message in _WRONG.findall(answer.text)}


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("path", ["invoice", "credit-note"])
async def test_an_amount_with_a_comma_is_no_other_word_of_its_line(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, path: str
) -> None:
    account = await merchant.account(cards=())
    await browser.sign_in()
    form = f"/do/accounts/{path}/{account}"

    found = {
        (name, value): await wrong(browser, form, **{**LINE, name: value})
        for name, value in [
            *[("price", one) for one in ("9,99", "1.234,50", "1,234.50", "1.00,tax_rate=0", "1e3", "-0", "9.999")],
            *[("quantity", one) for one in ("1,5", "2,price=0.01", "-1", "0")],
            *[("discount", one) for one in ("1,50", "100%,quantity=9", "150%", "-3")],
            ("more", "product=plan,price=9,99"),
            ("more", "product=plan,price=1e3"),
        ]
    }

    assert {key: list(named) for key, named in found.items()} == {key: [key[0]] for key in found}
    assert found["price", "9,99"]["price"] == "'9,99' is not a decimal number such as '12.34'"
    assert found["more", "product=plan,price=1e3"]["more"].startswith("line 1: price must be")
    assert (await cli.json("transactions", "list", "--account", account))["transactions"] == []


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("name", "values"),
    {
        "starts_on": ("0001-01-01", "9999-12-31", "1969-12-31", "31.12.2026", "2026-02-30", "20261201"),
        "quantity": ("0", "1000001", "1.5", "9" * 500),
        "billing_day": ("0", "32", "999999"),
        "trial_days": ("3661", "999999", "-1"),
    }.items(),
)
async def test_a_subscription_has_the_bounds_of_the_command(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, name: str, values: tuple[str, ...]
) -> None:
    account = await merchant.account(cards=())
    await browser.sign_in()

    found = [
        await wrong(browser, f"/do/accounts/subscribe/{account}", **{**LINE, "term": "month", name: value})
        for value in values
    ]

    assert [list(one) for one in found] == [[name]] * len(values)
    assert (await cli.json("subscriptions", "list", "--account", account))["subscriptions"] == []


async def test_other_days_and_numbers_have_bounds_too(acting: None, browser: Browser, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=1190)
    await browser.sign_in()
    asked = {"provider": "stripe", "title": "Rest"}
    given = {"type": "gift", "count": "1", "amount": "10.00", "currency": "EUR"}

    found = [
        *[
            await wrong(browser, f"/do/accounts/request/{account}", **asked, valid_days=days)
            for days in ("0", "366", "999999")
        ],
        *[
            await wrong(browser, "/do/vouchers/issue/new", **{**given, name: value})
            for name, value in [("count", "0"), ("count", "9" * 500), ("expires_on", "9999-12-31")]
        ],
        await wrong(browser, f"/do/collections/extend/{account}/2026-11", until="9999-12-31"),
    ]

    assert [list(one) for one in found] == [["valid_days"]] * 3 + [["count"]] * 2 + [["expires_on"], ["until"]]
