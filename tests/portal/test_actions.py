"""What customers do in the portal: by the use cases of the command line, once, and kept in their name."""

import asyncio
import re
from html import unescape
from importlib import import_module
from typing import Any

import pytest

from activities.database import Database, DatabaseUnavailableError
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.portal.conftest import KEY, URL, Customer, reachable
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    """Settings of a worker that sends its messages to the mail catcher."""
    return settings.model_copy(update={"smtp_url": mailbox.url})


def page_of(text: str) -> str:
    """Return the address of the gateway's page to which a page of ours leads."""
    (url,) = re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', text)
    return unescape(url)


async def commands(cli: CommandLine) -> list[tuple[str, str, str]]:
    kept = (await cli.json("commands", "list"))["commands"]
    return [(one["name"], one["actor"], one["outcome"]) for one in reversed(kept)]


async def test_an_invoice_is_paid_on_one_page_however_often_the_button_is_pressed(
    acting: None, workers: None, customer: Customer, cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    account = await reachable(merchant, await merchant.account(owes_minor=1190))
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
    await customer.enter(account)
    await customer.open(f"/documents/{invoice}")

    pages = [page_of((await customer.send(f"/documents/{invoice}/pay")).text) for _ in range(2)]
    await customer.open(f"/documents/{invoice}")
    pages.append(page_of((await customer.send(f"/documents/{invoice}/pay")).text))

    asked = (await cli.json("payment-requests", "list", "--account", account))["payment_requests"]
    assert (len(set(pages)), [(one["amount_minor"], one["state"]) for one in asked]) == (1, [(1190, "open")])
    assert ("payment-requests create", "customer", "done") in await commands(cli)


async def test_two_tabs_at_once_open_one_page(
    acting: None, workers: None, customer: Customer, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
    await customer.enter(account)

    tabs = await asyncio.gather(*(customer.send(f"/documents/{invoice}/pay", key=key * 32) for key in "abc"))

    # Whoever comes between the claim and its page is asked to come back.
    assert {one.status_code for one in tabs} <= {200, 409}
    assert len({page_of(one.text) for one in tabs if one.status_code == 200}) == 1


@pytest.mark.nightly
async def test_the_key_of_a_form_names_nothing_that_another_account_has_begun(
    acting: None, workers: None, customer: Customer, merchant: Merchant
) -> None:
    pages = []
    for _ in range(2):
        account = await merchant.account(cards=(), owes_minor=1190)
        invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
        await customer.enter(account)
        pages += [
            page_of((await customer.send(path, key="a" * 32)).text)
            for path in ("/cards/add", f"/documents/{invoice}/pay")
        ]

    assert len(set(pages)) == 4


async def test_nothing_is_changed_of_an_account_that_is_over_and_no_machine_word_is_said(
    acting: None, customer: Customer, merchant: Merchant
) -> None:
    account = await merchant.account(cards=())
    await customer.enter(account)
    await customer.open("/details")
    await merchant.run("update duly.accounts set state = 'terminated' where id = :id", id=account)

    name = await customer.send("/details", owner_name="Anna Berg", locale="en", time_zone="UTC")
    home = await customer.send("/details/address", street="Ring 1", city="Wien", country="AT")

    assert (name.status_code, home.status_code, "database" in name.text + home.text) == (409, 409, False)


def lose_answers(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let what the portal asks for be done, and its answer be lost."""
    module, _, attribute = name.rpartition(".")
    done = getattr(import_module(module), attribute)

    async def lost(*given: Any, **named: Any) -> None:
        await done(*given, **named)
        raise DatabaseUnavailableError("the connection was lost")

    patch.setattr(name, lost)


async def test_whose_answer_was_lost_after_its_commit_is_not_called_undone_and_what_is_so_now_is_shown(
    acting: None, workers: None, customer: Customer, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await merchant.account(cards=("pm_card_visa", "pm_card_mastercard"), owes_minor=1190)
    second = await merchant.value(
        "select id from duly.cards where account_id = :id order by fallback_order desc limit 1", id=account
    )
    await customer.enter(account)
    await customer.open("/details")

    with monkeypatch.context() as outage:
        for called in ("details.edit", "details.set_one", "paying.send_update", "paying.register", "paying.create"):
            lose_answers(outage, f"web.portal.{called}")
        name = await customer.send("/details", owner_name="Anna Berg", locale="en", time_zone="UTC")
        home = await customer.send("/details/address", street="Ring 1", postal_code="1010", city="Wien", country="AT")
        cards = await customer.open("/cards")
        first = await customer.send(f"/cards/{second}/default")
        added = await customer.send("/cards/add")
        await customer.open("/")
        paid = await customer.send("/pay")
    customer.last = added.text
    again = await customer.send("/cards/add")

    answers = (name, home, first, added)
    assert {one.status_code for one in answers} == {503}
    assert all("We do not know whether this was done" in one.text for one in answers)
    assert "Anna Berg" in name.text
    assert "Ring 1" in home.text
    assert first.text.casefold().index("mastercard") < first.text.casefold().index("visa")
    assert page_of(again.text)
    # It was asked for: what has its invoices is found, and its page opened.
    assert page_of(paid.text)
    assert KEY.findall(cards)[-1] == KEY.findall(added.text)[-1]
    assert await merchant.value("select count(*) from duly.payment_requests where account_id = :id", id=account) == 1
    assert await merchant.value("select count(*) from duly.cards where account_id = :id", id=account) == 3


async def test_a_form_that_the_database_does_not_answer_is_not_called_undone(
    customer: Customer, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await customer.enter(await merchant.account())

    async def away(*_given: Any, **_named: Any) -> None:
        raise DatabaseUnavailableError("the connection was lost")

    monkeypatch.setattr("activities.portal.access.PortalAccess.of_session", away)
    read = await customer.client.get("/details")
    sent = await customer.send("/details", owner_name="Anna Berg", locale="en", time_zone="UTC")

    assert (read.status_code, "Nothing was changed" in read.text) == (503, True)
    assert (sent.status_code, "whether it was done" in sent.text) == (503, True)


@pytest.mark.nightly
async def test_a_card_is_added_once_by_a_form_and_one_is_set_first_and_removed(
    acting: None, workers: None, customer: Customer, cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(cards=("pm_card_visa", "pm_card_mastercard"))
    cards = "select id, state, fallback_order from duly.cards where account_id = :id order by fallback_order, id"
    first, second = [row.id for row in await database.rows(cards, id=account)]
    await customer.enter(account)
    await customer.open("/cards")

    pages = [page_of((await customer.send("/cards/add")).text) for _ in range(2)]
    await customer.send(f"/cards/{second}/default")
    asks_first = await customer.open(f"/cards/{first}/remove")
    removed = await customer.send(f"/cards/{first}/remove")

    after = await database.rows(cards, id=account)
    assert (len(set(pages)), removed.status_code, "Visa" in asks_first) == (1, 303, True)
    assert (after[0].id, {row.id: row.state for row in after}[first]) == (second, "removed")
    assert (len(after), first in await customer.open("/cards")) == (3, False)
    kept = await commands(cli)
    assert [name for name, *who in kept if who == ["customer", "done"]] == [
        *("cards register", "cards set-default"),
        "cards remove",
    ]


async def test_details_are_changed_by_the_rules_of_accounts_edit_and_an_address_of_e_mail_is_not(
    acting: None, customer: Customer, cli: CommandLine, merchant: Merchant
) -> None:
    account = await reachable(merchant, await merchant.account(cards=()), locale="de_AT")
    await customer.enter(account)
    await customer.open("/details")
    given: dict[str, Any] = {"owner_name": "Anna Berg", "locale": "de", "time_zone": "Europe/Vienna"}
    home: dict[str, Any] = {"street": "Ring 1", "city": "Wien", "country": "at"}

    done = await customer.send("/details", email="evil@example.com", **given)
    wrong = await customer.send("/details", **{**given, "time_zone": "Europe/Nowhere"})
    card = await customer.send("/details", **{**given, "owner_name": "4242 4242 4242 4242"})
    addressed = await customer.send("/details/address", **home)
    nowhere = await customer.send("/details/address", **{**home, "country": "Austria"})

    statuses = [one.status_code for one in (done, wrong, card, addressed, nowhere)]
    shown = await cli.json("accounts", "show", account)
    kept = ("owner_name", "email", "locale", "time_zone")
    assert statuses == [303, 422, 422, 303, 422]
    assert [shown[name] for name in kept] == ["Anna Berg", "anna@example.com", "de_AT", "Europe/Vienna"]
    assert "Wien" in await customer.open("/details")
    assert await commands(cli) == [(name, "customer", "done") for name in ("accounts edit", "accounts address")]


async def test_a_link_is_mailed_and_lets_its_customer_in(
    acting: None, workers: None, customer: Customer, merchant: Merchant, mailbox: Mailbox
) -> None:
    account = await reachable(merchant, await merchant.account(cards=()), locale="de")
    await customer.send("/sign-in", email="anna@example.com")

    (letter,) = await mailbox.wait_for(1, timeout_seconds=60)
    (link,) = re.findall(rf"{URL}(/enter/\S+)", letter.text)
    entered = await customer.send(link)

    assert (letter.recipients, letter.subject) == (("anna@example.com",), "Ihr Link zur Anmeldung")
    assert (entered.status_code, account in await customer.open("/details")) == (303, True)


async def test_operators_hand_out_a_link_and_end_sessions(
    acting: None, customer: Customer, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(cards=())
    who = ("--actor", "maria", "--reason", "on the telephone")
    given = await cli.json("portal", "link", account, *who)
    entered = await customer.send(given["url"].removeprefix(URL))
    before = await customer.status("/")

    ended = await cli.json("portal", "end-sessions", account, *who)

    assert (given["minutes"], entered.status_code, before) == (30, 303, 200)
    assert (ended["ended"], await customer.status("/")) == (1, 303)
    assert [name for name, *_ in await commands(cli)] == ["portal link", "portal end-sessions"]


@pytest.mark.nightly
async def test_everything_open_is_paid_on_one_page_but_for_what_somebody_asks_for_already(
    acting: None, workers: None, customer: Customer, cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    # given three open invoices, of which somebody asks for one
    account = await reachable(merchant, await merchant.account(owes_minor=1190))
    for price in ("5.00", "7.00"):
        words = ("--line", f"product=plan,price={price},tax_rate=none")
        await cli.json("transactions", "create", "invoice", account, *words)
    first, *others = [
        row.transaction_id for row in await database.rows("select * from duly.unsettled_invoices(:id)", id=account)
    ]
    asked = ("--title", "Repair", "--invoice", first, "--no-mail", "--actor", "maria", "--reason", "as agreed")
    await cli.json("payment-requests", "create", account, *asked)

    # when the customer pays all at once, and presses the button twice
    await customer.enter(account)
    overview = await customer.open("/")
    pages = [page_of((await customer.send("/pay")).text) for _ in range(2)]

    # then the two that were free have one page
    requests = (await cli.json("payment-requests", "list", "--account", account))["payment_requests"]
    assert "Pay 2 invoices at once" in overview
    assert len(set(pages)) == 1
    assert sorted(len(one["invoices"]) for one in requests) == [1, 2]
    assert sorted(next(one["invoices"] for one in requests if len(one["invoices"]) == 2)) == sorted(others)
    assert "at once" not in await customer.open("/")


async def test_who_owes_nothing_pays_nothing(acting: None, customer: Customer, merchant: Merchant) -> None:
    await customer.enter(await merchant.account())

    assert (await customer.send("/pay", key="a" * 32)).status_code == 409
