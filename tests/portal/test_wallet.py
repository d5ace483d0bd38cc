"""The page of the wallet: what is in it, vouchers that are redeemed, and automatic top-ups."""

import asyncio
import logging

import pytest

from models.vouchers.voucher import hash_of_code
from tests.portal.conftest import KEY, Customer, reachable
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.vouchers.conftest import VOUCHERS
from tests.wallets.top_ups import TOP_UPS

CODE = "7K3M-9Q2X-4R8T-6W5Z-A1B"


@pytest.fixture
async def account(customer: Customer, merchant: Merchant) -> str:
    """An account that owes 11.90 and has 5.00 in its wallet, in front of the portal; a voucher of 25.00 is out."""
    await merchant.configure(TOP_UPS)
    await merchant.configure(VOUCHERS)
    account = await reachable(merchant, await merchant.account(owes_minor=1190))
    await merchant.run("select duly.wallet_credit('given', :id, 500, 'EUR', 'present')", id=account)
    await merchant.run(
        "select duly.issue_vouchers('batch', 'given', 2500, 'EUR', array[cast(:code as text)])", code=hash_of_code(CODE)
    )
    await customer.enter(account)
    return account


async def test_the_page_shows_the_wallet_and_how_it_came_there(account: str, customer: Customer) -> None:
    page = await customer.open("/wallet")

    assert all(text in page for text in ("€5.00", "WAL-0000000001", "Redeem a voucher"))


async def test_a_voucher_is_redeemed_once_and_its_code_is_in_no_log(
    acting: None,
    account: str,
    customer: Customer,
    merchant: Merchant,
    cli: CommandLine,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    await customer.open("/wallet")

    answers = [await customer.send("/wallet/voucher", code=CODE.lower()) for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert await merchant.balance(account) == 1190 - 2500
    kept = await cli.json("commands", "list")
    assert ("vouchers redeem", "customer") in [(one["name"], one["actor"]) for one in kept["commands"]]
    printed = capsys.readouterr()
    recorded = (caplog.text + printed.out + printed.err + str(kept)).upper()
    assert CODE not in recorded
    assert CODE.replace("-", "") not in recorded


async def test_a_voucher_that_is_redeemed_in_two_tabs_at_once_is_worth_it_once(
    acting: None, account: str, customer: Customer, merchant: Merchant
) -> None:
    await customer.open("/wallet")

    tabs = await asyncio.gather(*(customer.send("/wallet/voucher", code=CODE, key=key * 32) for key in "ab"))

    assert sorted(one.status_code for one in tabs) == [303, 422]
    assert await merchant.balance(account) == 1190 - 2500


async def test_what_is_no_code_is_refused_alike_and_few_are_tried(
    acting: None, account: str, customer: Customer, merchant: Merchant
) -> None:
    await customer.open("/wallet")

    tried = [await customer.send("/wallet/voucher", code=code) for code in ("AAAA-BBBB", "", "4242 4242 4242 4242")]
    more = [await customer.send("/wallet/voucher", code="CCCC", key=f"{one}" * 32) for one in "123"]

    assert [one.status_code for one in (*tried, *more)] == [422, 422, 422, 422, 422, 429]
    assert all("There is no voucher with this code" in one.text and "BBBB" not in one.text for one in tried)
    assert await merchant.balance(account) == 1190


async def test_a_database_that_is_away_says_nothing_of_a_code_and_the_form_keeps_its_key(
    acting: None, account: str, customer: Customer, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = await customer.open("/wallet")
    wrong = await customer.send("/wallet/voucher", code="AAAA-BBBB")

    with monkeypatch.context() as outage:
        outage.setenv("DULY_DATABASE_URL", "postgresql://duly@127.0.0.1:1/duly")
        away = await customer.send("/wallet/voucher", code=CODE)
        switched = await customer.send("/wallet/top-up", is_on="yes")
    customer.last = away.text
    again = [await customer.send("/wallet/voucher", code=CODE) for _ in range(2)]

    assert [one.status_code for one in (wrong, away, switched, *again)] == [422, 503, 503, 303, 303]
    assert "There is no voucher" not in away.text
    assert "whether it was done" in away.text
    assert len({KEY.findall(page)[-1] for page in (form, wrong.text, away.text)}) == 1
    assert await merchant.balance(account) == 1190 - 2500


async def test_a_customer_switches_the_automatic_top_up_on_and_off(
    acting: None, account: str, customer: Customer, merchant: Merchant
) -> None:
    assert "It is off." in await customer.open("/wallet")

    await customer.send("/wallet/top-up", is_on="yes")

    page = await customer.open("/wallet")
    assert "Below €10.00 your card is charged €20.00, at most 2 times a month." in page
    await customer.send("/wallet/top-up", is_on="no")
    assert "It is off." in await customer.open("/wallet")
    chosen = await merchant.run(
        "select changes -> 'wallet_top_up' as kept, actor from duly.account_changes order by id"
    )
    assert [(row.kept["is"], row.actor) for row in chosen] == [(True, "customer"), (False, "customer")]


async def test_a_rule_that_is_out_of_use_leaves_no_switch(account: str, customer: Customer, merchant: Merchant) -> None:
    await merchant.run("update duly.wallet_top_up_rules set is_active = false")

    page = await customer.open("/wallet")

    assert "/wallet/top-up" not in page
    assert "Redeem a voucher" in page
