"""What is made from an account's page: drafts, subscriptions, payment requests; once, by the rules of the commands."""

from typing import Any

import pytest

from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, Browser
from tests.console.test_actions import done, refused
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


async def made(cli: CommandLine, noun: str, account: str) -> list[dict[str, Any]]:
    """Return what is listed of an account."""
    found = await cli.json(noun, "list", "--account", account)
    listed: list[dict[str, Any]] = next(value for value in found.values() if isinstance(value, list))
    return listed


@pytest.mark.parametrize(("path", "more"), [("invoice", {"due_on": ""}), ("credit-note", {"invoice": ""})])
async def test_a_draft_of_several_lines_is_made_once(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, path: str, more: dict[str, str]
) -> None:
    account = await merchant.account(owes_minor=1190)
    await browser.sign_in()
    await browser.open(f"/do/accounts/{path}/{account}")
    line = {"product": "plan", "quantity": "2", "price": "10.00", "discount": "10%", "more": "product=plan,price=1.00"}

    sent = [
        await browser.send(f"/do/accounts/{path}/{account}", OURS, **line, **more, reason="as agreed") for _ in range(2)
    ]

    assert [one.status_code for one in sent] == [303, 303], sent[0].text
    drafts = [one for one in await made(cli, "transactions", account) if one["state"] == "draft"]
    assert [one["total_minor"] for one in drafts] == [2261]
    assert drafts[0]["classification"] == path.replace("-", "_")


async def test_what_is_wrong_is_said_in_the_words_of_the_command_and_nothing_is_made(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(cards=())
    await browser.sign_in()
    path, line = f"/do/accounts/invoice/{account}", {"product": "plan", "quantity": "1", "price": "1.00"}

    wrong = {
        "price": await refused(browser, path, **{**line, "price": "1.001"}, reason="x"),
        "product": await refused(browser, path, **{**line, "product": "gold"}, reason="x"),
        "more": await refused(browser, path, **line, more="wealth=9", reason="x"),
        "description": await refused(browser, path, **line, description="a, b", reason="x"),
        "reason": await refused(browser, path, **line),
        "trial": await refused(browser, f"/do/accounts/subscribe/{account}", **line, trial_days="two", reason="x"),
    }
    printed = await cli("transactions", "create", "invoice", account, "--line", "product=plan,price=1.001", "--draft")

    assert [len(one) for one in wrong.values()] == [1] * 6
    assert wrong["price"][0].partition(": ")[2] in printed.shown.replace("\n", " ")
    assert await made(cli, "transactions", account) == []


async def test_a_subscription_and_a_payment_request_are_made_under_the_forms_key(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, workers: None
) -> None:
    account = await merchant.account(owes_minor=1190)
    await browser.sign_in()

    bought = await done(
        browser,
        f"/do/accounts/subscribe/{account}",
        product="plan",
        price="9.99",
        term="year",
        quantity="3",
        reason="on the phone",
    )
    asked = await done(
        browser,
        f"/do/accounts/request/{account}",
        title="Repair",
        amount="5.00",
        provider="stripe",
        valid_days="3",
        reason="as agreed",
    )

    (subscription,) = await made(cli, "subscriptions", account)
    (request,) = await made(cli, "payment-requests", account)
    assert "created" in bought
    assert "Link: " in asked
    assert (subscription["quantity"], subscription["price_minor"]) == (3, 999)
    assert (request["amount_minor"], request["title"]) == (500, "Repair")


async def test_an_agent_charges_a_card_now_once_a_form_and_more_than_is_owed_only_when_it_is_meant(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, workers: None
) -> None:
    account = await merchant.account(owes_minor=1190)
    await browser.sign_in(user="agnes", role=ConsoleRole.AGENT)
    form = {"amount": "20.00", "provider": "stripe", "reason": "on the phone"}

    [problem] = await refused(browser, f"/do/accounts/charge/{account}", **form)
    paid = await done(browser, f"/do/accounts/charge/{account}", **form, prepays="yes")

    (payment,) = await made(cli, "payments", account)
    assert "kept as credit" in problem
    assert "succeeded" in paid
    assert (payment["state"], payment["amount_minor"], payment["kind"]) == ("succeeded", 2000, "by_hand")
    assert await merchant.run("select actor, is_prepayment from duly.payment_orders") == [("agnes", True)]
    assert await merchant.balance(account) == -810


async def test_an_account_offers_what_may_be_made_to_whoever_may_make_it(browser: Browser, merchant: Merchant) -> None:
    account = await merchant.account(cards=())
    offered = {}
    for role in (ConsoleRole.VIEWER, ConsoleRole.AGENT, ConsoleRole.ACCOUNTANT):
        await browser.sign_in(user=role.value, role=role)
        page = await browser.open(f"/accounts/{account}")
        offered[role.value] = [
            one
            for one in ("invoice", "credit-note", "request", "charge", "subscribe")
            if f"/do/accounts/{one}/" in page
        ]
        await browser.send("/sign-out")

    assert offered == {
        "viewer": [],
        "agent": ["request", "charge"],
        "accountant": ["invoice", "credit-note", "request", "charge", "subscribe"],
    }
