"""Users who are limited to merchants see their customers alone: on every page, list and export, and in the search."""

import re
from collections.abc import Iterator

import pytest
from starlette.routing import Route

from activities.console.search import FOUND_AT_MOST
from activities.console.users import Users
from activities.database import Database, RuleBrokenError
from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, Browser
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.actions.forms import ACTIONS
from web.app import build_app
from web.assets import own_assets
from web.context import Web
from web.views.record_lists import LISTS

# What of the addresses is nobody's, or the user's own.
OPEN = {"/", "/accounts", "/accounts.csv", "/passkeys", "/sent/{key}"}
SETUP = """
    insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR'), ('bakery', 'Bakery', 'EUR');
    insert into duly.providers (id, gateway, mode, merchant_id) values ('stripe-cafe', 'stripe', 'test', 'cafe'),
        ('stripe-bakery', 'stripe', 'test', 'bakery')
"""
CUSTOMER = """
    insert into duly.gateway_customers (provider_id, account_id, customer_reference)
    values (:provider, :account, 'cus_' || :account || :provider)
"""


async def at(merchant: Merchant, provider: str, account: str) -> str:
    """Let an account be a customer at a provider."""
    await merchant.run(CUSTOMER, provider=provider, account=account)
    return account


@pytest.fixture
async def customers(merchant: Merchant) -> dict[str, str]:
    """A café's customer, a bakery's, one of both, and one of the café and the house."""
    for statement in SETUP.split(";"):
        await merchant.run(statement)
    found = {name: await merchant.account(owes_minor=1190, cards=()) for name in ("cafe", "bakery", "both", "house")}
    # Who was made here is at the house's provider already.
    await merchant.run("delete from duly.gateway_customers where account_id <> :house", house=found["house"])
    await at(merchant, "stripe-cafe", found["cafe"])
    await at(merchant, "stripe-bakery", found["bakery"])
    await at(merchant, "stripe-bakery", await at(merchant, "stripe-cafe", found["both"]))
    await at(merchant, "stripe-cafe", found["house"])
    return found


async def limited(browser: Browser, role: ConsoleRole = ConsoleRole.ACCOUNTANT) -> None:
    """Sign in as somebody who sees the café's customers alone."""
    await browser.users.add("carla", role, PASSWORD, ["cafe"])
    answer = await browser.send("/sign-in", OURS, user="carla", password=PASSWORD, to="/")
    assert answer.status_code == 303, answer.text
    await browser.open("/")


async def test_accounts_and_search_have_the_merchants_customers_alone(
    browser: Browser, merchant: Merchant, customers: dict[str, str]
) -> None:
    await merchant.run("update duly.accounts set owner_name = 'Ann Smith', email = id || '@shop.example'")
    await limited(browser)

    home = await browser.open("/")
    listed = re.findall(r'href="/accounts/([^"]+)"', await browser.open("/accounts"))
    exported = (await browser.client.get("/accounts.csv")).text
    by_name = (await browser.send("/search", words="ann smi")).headers.get("location")
    by_id = {one: (await browser.send("/search", words=id)).headers.get("location") for one, id in customers.items()}
    by_amount = (await browser.send("/search", words="11.90")).headers.get("location")

    assert listed == [customers["cafe"]]
    assert [id in exported for id in customers.values()] == [True, False, False, False]
    assert by_name == f"/accounts/{customers['cafe']}"
    assert by_id == {**dict.fromkeys(customers), "cafe": f"/accounts/{customers['cafe']}"}
    assert by_amount
    assert "/transactions/" in by_amount
    assert ("customers of cafe" in home, "Needs a person" in home, 'href="/runs"' in home) == (True, False, False)


async def test_an_amount_is_found_however_many_newer_ones_others_have(
    browser: Browser, merchant: Merchant, customers: dict[str, str]
) -> None:
    own = await merchant.invoice(customers["cafe"], 4711)
    for _ in range(FOUND_AT_MOST):
        await merchant.invoice(customers["bakery"], 4711)
    await limited(browser)

    found = await browser.send("/search", words="47.11")

    assert found.headers.get("location") == f"/transactions/{own}"


def addresses(web: Web) -> Iterator[tuple[str, str]]:
    """Yield every address of the console that somebody who is signed in may ask for, by its template."""
    for route in build_app(web, own_assets()).routes:
        assert isinstance(route, Route)
        if "GET" in (route.methods or ()) and not route.path.startswith(("/assets", "/health", "/ready", "/sign-in")):
            yield route.path, route.path


async def test_every_address_is_as_if_it_were_not_there_for_who_is_limited_to_another_merchant(
    browser: Browser, merchant: Merchant, web: Web, customers: dict[str, str]
) -> None:
    # given the ids of all that a bakery's customer has
    other = customers["bakery"]
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=other)
    bill = await merchant.value(
        "select duly.make_bill(:id, to_char(now() at time zone 'Europe/Nicosia', 'YYYY-MM'), 'maria')", id=other
    )
    ids = {"accounts": other, "transactions": invoice, "bills": bill, "collections": f"{other}/2026-11"}
    await limited(browser)

    # when each address is asked for, with the other's ids, and each list, without an account and with the other's
    wrong = {}
    for template, path in addresses(web):
        noun = template.split("/")[1]
        filled = path.replace("{id:path}", "{id}").replace("{id}", ids.get(noun, "x")).replace("{format}", "pdf")
        filled = filled.replace("{ending}", "csv").replace("{noun}/{verb}", "accounts/edit").replace("{key}", "0" * 32)
        for query in ("", f"?account={other}", f"?account={customers['both']}&run=x&month=2026-11&batch=x"):
            status = await browser.status(filled + query)
            if template not in OPEN and status not in {404, 403}:
                wrong[filled + query] = status

    # then nothing of it is there
    assert wrong == {}


async def test_what_is_the_merchants_customers_own_is_there_with_its_lists(
    browser: Browser, merchant: Merchant, customers: dict[str, str]
) -> None:
    own = customers["cafe"]
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=own)
    await limited(browser)

    page = await browser.open(f"/accounts/{own}")
    shown = [of for of in LISTS if f'href="/{of}?account={own}"' in page]
    statuses = {of: await browser.status(f"/{of}?account={own}") for of in shown}
    parts = [await browser.status(f"/accounts/{own}/{part}") for part in ("timeline", "money", "ways", "about")]
    transaction = await browser.open(f"/transactions/{invoice}")

    assert len(shown) >= 8
    assert set(statuses.values()) == {200}
    assert parts == [200] * 4
    assert (f"/do/transactions/write-off/{invoice}" in transaction, "/do/transactions/move/" in transaction) == (
        *(True, False),
    )
    assert await browser.status(f"/do/accounts/edit/{own}") == 200


async def test_no_action_is_taken_on_what_is_anothers_or_the_houses(
    browser: Browser, merchant: Merchant, customers: dict[str, str]
) -> None:
    other = await merchant.value(
        "select id from duly.financial_transactions where account_id = :id", id=customers["bakery"]
    )
    await limited(browser)
    ids = {"transactions": str(other), "accounts": customers["bakery"]}

    sent = {
        action.path: (await browser.send(f"/do/{action.path}/{ids.get(action.noun, 'x')}", reason="x")).status_code
        for action in ACTIONS.values()
    }
    files = [
        (await browser.send(path, reason="x")).status_code for path in ("/bank-files", "/bank-files/send", "/nothing")
    ]

    assert set(sent.values()) <= {403, 404}
    assert files == [404, 404, 404]


async def test_operators_and_administrators_are_not_limited_and_a_limit_names_a_merchant(
    cli: CommandLine, database: Database, customers: dict[str, str]
) -> None:
    users = Users(database)
    for role, merchants in ((ConsoleRole.OPERATOR, ["cafe"]), (ConsoleRole.VIEWER, ["nobody"])):
        with pytest.raises(RuleBrokenError):
            await users.add("x", role, "", merchants)
    say = ("--actor", "maria", "--reason", "new")

    added = await cli.json("users", "add", "carla", "--role", "agent", "--no-password", "--merchant", "cafe", *say)
    wrong = await cli("users", "change", "carla", "--role", "administrator", *say)
    await cli.json("users", "change", "carla", "--all-merchants", "--role", "operator", *say)
    listed = (await cli.json("users", "list"))["users"]

    assert added["merchants"] == "cafe"
    assert ("limited_users_have_roles" in wrong.stderr, wrong.exit_code) == (True, 1)
    assert [(one["id"], one["role"], one["merchants"]) for one in listed] == [("carla", "operator", [])]
