"""What is done through the console: by whom it may be, with who and why, once, and by the rules of the command line."""

import logging
import re
from html import unescape

import pytest

from activities.database import Database
from models.console.roles import ALLOWED, ConsoleRole, Permission, is_allowed
from tests.console.conftest import OURS, Browser
from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine
from web.actions.forms import ACTIONS


async def done(browser: Browser, path: str, **fields: str) -> str:
    """Open a form, send it, and return the page that says what became of it."""
    await browser.open(path)
    answer = await browser.send(path, OURS, **fields)
    assert answer.status_code == 303, unescape(answer.text)
    return unescape(await browser.open(answer.headers["location"]))


async def refused(browser: Browser, path: str, **fields: str) -> list[str]:
    """Open a form, send it, and return why it is refused."""
    await browser.open(path)
    answer = await browser.send(path, OURS, **fields)
    assert answer.status_code == 422, answer.text
    return [unescape(one) for one in re.findall(r"<li>(.*?)</li>", answer.text)]


async def draft_of(cli: CommandLine, account: str) -> str:
    words = ("--amount", "11.90", "--method", "cash", "--draft")
    made = await cli.json("transactions", "create", "payment", account, *words)
    return str(made["transaction"]["id"])


async def test_each_action_is_offered_and_taken_by_its_roles_alone(browser: Browser, database: Database) -> None:
    wrong = []

    for role in ConsoleRole:
        await browser.sign_in(user=role.value, role=role)
        for action in (one for one in ACTIONS.values() if not one.place):
            path, may = f"/do/{action.path}/x", is_allowed(role, action.permission)
            sent = await browser.send(path, key="0" * 32, reason="")
            if (await browser.status(path), sent.status_code) != ((200, 422) if may else (403, 403)):
                wrong.append((role, action.path, sent.status_code))
        await browser.send("/sign-out")

    assert wrong == []
    assert {action.permission for action in ACTIONS.values()} == set(ALLOWED) - {
        *(Permission.SEE, Permission.EXPORT, Permission.SEE_USERS, Permission.SHARE_VIEWS)
    }


async def test_a_draft_is_posted_and_it_is_kept_who_did_it_and_why(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    draft = await draft_of(cli, account)
    await browser.sign_in()
    page = await browser.open(f"/transactions/{draft}")
    handlers = list(logging.getLogger().handlers)

    shown = await done(browser, f"/do/transactions/post/{draft}", reason="found on the statement")
    without_key = await browser.send(f"/do/transactions/post/{draft}", reason="found on the statement")

    assert f'href="/do/transactions/post/{draft}"' in page
    assert "Post: done" in shown
    assert logging.getLogger().handlers == handlers, "the log of a server is set up once, when it starts"
    assert "Number: PAY-" in shown
    assert (without_key.status_code, (await cli.json("accounts", "balance", account))["balance_minor"]) == (409, 0)
    (kept,) = (await cli.json("commands", "list", "--command", "transactions post"))["commands"]
    assert (kept["subject"], kept["actor"], kept["reason"], kept["outcome"]) == (
        *(draft, "maria", "found on the statement"),
        "done",
    )
    assert "/do/transactions/post/" not in await browser.open(f"/transactions/{draft}")


async def test_a_form_that_is_sent_twice_is_answered_twice_and_carried_out_once(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    (invoice,) = (await cli.json("transactions", "list", "--account", account))["transactions"]
    path = f"/do/transactions/note/{invoice['id']}"
    await browser.sign_in(role=ConsoleRole.AGENT)
    form = await browser.open(path)

    first = await browser.send(path, note="called, will pay", reason="a call")
    second = await browser.send(path, note="called, will pay", reason="a call")
    other = await browser.send(path.replace(invoice["id"], "ft_999"), note="x", reason="a call")

    assert first.headers["location"] == second.headers["location"]
    assert len((await cli.json("transactions", "show", invoice["id"]))["notes"]) == 1
    assert other.status_code == 409
    assert "Kept with your name, maria" in form


async def test_what_nobody_may_keep_is_refused_wherever_a_form_has_it(browser: Browser, merchant: Merchant) -> None:
    await browser.sign_in(role=ConsoleRole.AGENT)
    path = "/do/transactions/note/ft_1"

    steering = await refused(browser, path, note="paid\x1b[2J", reason="\u202edlot")
    address = await refused(browser, "/do/transactions/note/4242424242424242", note="x", reason="x")
    keys = [
        (await browser.send(path, note="x", reason="x", key=key)).status_code
        for key in ("", "4242424242424242", "../" + "é" * 29, "0" * 33)
    ]

    assert [one.partition(":")[0] for one in steering] == ["note", "reason"]
    assert [one.partition(":")[0] for one in address] == ["id"]
    assert keys == [409] * 4
    assert await merchant.run("select key from duly.console_forms") == []
    assert await merchant.run("select subject from duly.commands") == []


async def test_a_refusal_has_the_words_of_the_command_line_and_what_was_typed_stays(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    (invoice,) = (await cli.json("transactions", "list", "--account", account))["transactions"]
    typed = await cli("transactions", "create", "payment", account, "--amount", "11.90", "--method", "card")
    await browser.sign_in()

    answered = await refused(browser, f"/do/transactions/quick-pay/{invoice['id']}", method="card", reason="paid here")
    without = await refused(browser, f"/do/transactions/write-off/{invoice['id']}", reason="")
    number = await refused(
        browser, f"/do/transactions/note/{invoice['id']}", note="4242 4242 4242 4242", reason="on the phone"
    )

    assert answered == [typed.stderr.strip().removeprefix("error: ")]
    assert [one.partition(":")[0] for one in without] == ["reason", "type"]
    assert number[0].startswith("note: ")
    answer = await browser.send(
        f"/do/transactions/quick-pay/{invoice['id']}", method="card", reason="paid here", reference="till 3"
    )
    assert 'value="till 3"' in answer.text


@pytest.mark.nightly
async def test_an_accountant_corrects_what_was_posted(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    accounts = [await merchant.account(owes_minor=1190) for _ in range(4)]
    invoices = [(await cli.json("transactions", "list", "--account", one))["transactions"][0]["id"] for one in accounts]
    rejected = await draft_of(cli, accounts[0])
    paid = await cli.json("transactions", "create", "payment", accounts[3], "--amount", "1.00", "--method", "cash")
    await browser.sign_in()

    await done(browser, f"/do/transactions/reject/{rejected}", rejection="duplicate", reason="twice")
    await done(browser, f"/do/transactions/quick-pay/{invoices[0]}", method="cash", reason="paid at the counter")
    await done(browser, f"/do/transactions/cancel/{invoices[1]}", reason="wrong customer")
    await done(browser, f"/do/transactions/write-off/{invoices[2]}", type="write_off", reason="insolvent")
    await done(
        browser, f"/do/transactions/move/{paid['transaction']['id']}", account=accounts[1], reason="of the other one"
    )

    states = [(await cli.json("transactions", "show", one))["state"] for one in (rejected, *invoices[:3])]
    assert states == ["rejected", "settled", "cancelled", "written_off"]
    assert (await cli.json("accounts", "balance", accounts[1]))["balance_minor"] == -100


async def test_a_discrepancy_is_resolved_by_decision(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    await merchant.run(
        "insert into duly.discrepancies (provider_id, kind, object, amount_minor, currency, evidence)"
        " values ('stripe', 'differs', 'ch_1', 100, 'EUR', '{\"booked_minor\": 100, \"gateway_minor\": 90}')"
    )
    (found,) = (await cli.json("reconcile", "list"))["discrepancies"]
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    page = await browser.open(f"/discrepancies/{found['id']}")

    await done(browser, f"/do/discrepancies/resolve/{found['id']}", **{"as": "explained"}, reason="fee of the network")

    assert ("0.90 EUR" in page, "1.00 EUR" in page) == (True, True)
    assert (await cli.json("reconcile", "list"))["discrepancies"] == []


async def test_the_lines_of_a_payout_are_named_where_it_is_late_alone(
    acting: None, browser: Browser, merchant: Merchant
) -> None:
    late, differs = [
        await merchant.value(
            "insert into duly.discrepancies (provider_id, kind, object, amount_minor, currency)"
            " values ('stripe', :kind, 'po_1', 2397, 'EUR') returning id",
            kind=kind,
        )
        for kind in ("payout_not_arrived", "differs")
    ]
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    path = f"/do/discrepancies/payout/{late}"

    pages = [await browser.open(f"/discrepancies/{one}") for one in (late, differs)]
    form = await browser.open(path)
    problems = await refused(browser, path, payout="po_1", payments="PAY-1 PAY-2", reason="two lines")

    assert ["/do/discrepancies/payout/" in page for page in pages] == [True, False]
    assert ('value="po_1"' in form, problems) == (True, ["payout: there is no payout 'po_1' (payout_exists)"])


async def test_a_collection_is_tried_again_on_another_card_and_money_goes_back(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    # given a declined charge, and another card
    account = await merchant.account(
        f"acc_console_{period}",
        cards=("pm_card_visa", "pm_card_mastercard"),
        answers=[declined("insufficient_funds")],
        answers_for_ever=True,
        owes_minor=1190,
    )
    second = "account_id = :id and fallback_order = 2"
    await merchant.run(f"update duly.cards set is_recurring = false where {second}", id=account)
    await cli.json("collections", "start", account, period)
    await browser.sign_in(role=ConsoleRole.AGENT)
    page = await browser.open(f"/collections/{account}/{period}")
    card = await merchant.value(f"select id from duly.cards where {second}", id=account)

    # when an agent tries it, and an accountant gives a part of it back
    await done(browser, f"/do/collections/retry/{account}/{period}", card=card, reason="the customer has called")
    payment = await merchant.value(
        "select transaction_id from duly.gateway_requests where account_id = :id and kind = 'payment'", id=account
    )
    shown = await done(browser, f"/do/transactions/refund/{payment}", amount="2.00", reason="one was broken")

    # then each was done, by them
    assert "insufficient_funds" in page
    assert "Refund: done" in shown
    (refund,) = (await cli.json("refunds", "list", "--account", account))["refunds"]
    assert (refund["amount_minor"], refund["asked_by"], refund["asked_because"]) == (200, "maria", "one was broken")


async def test_without_temporal_pages_are_there_and_an_order_says_that_nobody_knows(
    acting: None, browser: Browser, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DULY_TEMPORAL_ADDRESS", "127.0.0.1:1")
    await merchant.run(
        "insert into duly.process_runs (id, definition_id, kind, period) values"
        " ('run/monthly/2026-09', 'monthly', 'payment', '2026-09')"
    )
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    page = await browser.open("/runs/run/monthly/2026-09")
    now = await browser.open("/runs-now/run/monthly/2026-09")
    shown = await done(browser, "/do/runs/pause/run/monthly/2026-09", reason="the bank has called")

    neither = await refused(browser, "/do/runs/rate/run/monthly/2026-09", reason="too fast", calls_per_second=" ")
    no_number = await refused(browser, "/do/runs/rate/run/monthly/2026-09", reason="too fast", calls_per_second="1e3")

    assert neither == ["calls_per_second: give a number, or choose to give the rate back (field_given)"]
    assert no_number == ["calls_per_second: must be a whole number of calls (whole_number)"]
    assert "/do/runs/pause/run/monthly/2026-09" in page
    assert "Temporal does not answer" in now
    assert "Pause: not known" in shown
