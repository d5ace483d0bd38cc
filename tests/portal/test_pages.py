"""What a customer sees in the portal, in their language, and within a few statements a page."""

import json
import re

import pytest

from activities.database import Database
from activities.messages.rendering import LANGUAGES
from tests.portal.conftest import Customer, reachable
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.portal.words import FOLDER, catalogue

DECLINED = """
    insert into duly.gateway_requests (id, kind, provider_id, account_id, period, amount_minor, currency)
    values ('req_declined', 'payment', 'stripe', :id, '2026-10', 119000, 'EUR');
    insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, card_id, token, customer,
        payment_id, amount_minor, outcome, code, decline_code)
    select 'req_declined', 1, 'declined', 'scheduled', id, 'pm', 'cus', 'p', 119000, 'declined', 'card_declined',
        :code from duly.cards where account_id = :id;
    insert into duly.collections (account_id, period, provider_id, owner, policy_id, policy_version, currency,
        amount_minor, invoices) values (:id, '2026-10', 'stripe', 'test', 'standard', 1, 'EUR', 119000, '{}')
"""
SELLER = """
[[sellers]]
id = "acme"
name = "Acme GmbH"
street = "Hauptstraße 1"
postal_code = "10115"
city = "Berlin"
country = "DE"
vat_id = "DE123456789"
"""


async def test_a_customer_sees_what_is_open_and_each_document_with_its_lines(
    customer: Customer, merchant: Merchant, database: Database
) -> None:
    account = await reachable(merchant, await merchant.account(owes_minor=119_000))
    subscription = await merchant.subscription(account, price_minor=100)
    (row,) = await database.rows("select id, number from duly.transactions where account_id = :id", id=account)
    await customer.enter(account)

    overview, listed, shown = [await customer.open(path) for path in ("/", "/documents", f"/documents/{row.id}")]
    payments, bought = [await customer.open(path) for path in ("/payments", "/subscriptions")]

    assert all("€1,190.00" in page and row.number in page for page in (overview, listed, shown))
    assert "There is nothing here yet." in payments
    assert ("Plan" in bought, bool(subscription)) == (True, True)


async def test_pages_are_in_the_language_of_the_account_and_before_that_of_the_browser(
    customer: Customer, merchant: Merchant
) -> None:
    account = await reachable(merchant, await merchant.account(owes_minor=119_000), locale="de_AT")
    before = [
        (await customer.client.get("/sign-in", headers={"accept-language": accepted})).text
        for accepted in ("de-CH,de;q=0.9", "fr, en;q=0.5", "*")
    ]
    await customer.enter(account)

    overview = await customer.open("/")

    assert [re.findall(r'<html lang="(..)">', page) for page in before] == [["de"], ["en"], ["en"]]
    assert '<html lang="de">' in overview
    assert "Offene Rechnungen" in overview
    assert re.search(r"€\s1\.190,00|€\s1\s190,00|1\.190,00\s€", overview)


async def test_the_catalogues_have_the_same_texts_and_all_that_pages_say(customer: Customer) -> None:
    english = set(catalogue("en"))
    texts = {
        key
        for path in (FOLDER / "templates").rglob("*.html")
        for key in re.findall(r"(?<![a-z_.])(?:t|reader\.text)\('([a-z_]+)'[,)]", path.read_text(encoding="utf-8"))
    }

    assert all(set(json.loads((FOLDER / "texts" / f"{one}.json").read_text())) == english for one in LANGUAGES)
    assert texts - english == set()


async def test_a_draft_is_nobodys_to_see(customer: Customer, merchant: Merchant, cli: CommandLine) -> None:
    account = await merchant.account(owes_minor=1190)
    words = ("--amount", "11.90", "--method", "cash", "--draft")
    draft = (await cli.json("transactions", "create", "payment", account, *words))["transaction"]["id"]
    await customer.enter(account)

    page = await customer.open("/documents")

    assert (await customer.status(f"/documents/{draft}"), await customer.status("/documents?before=ft_x")) == (404, 404)
    assert draft not in page


async def test_documents_are_downloaded_once_somebody_sells(
    customer: Customer, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=119_000)
    (row,) = await database.rows("select id, number from duly.transactions where account_id = :id", id=account)
    await customer.enter(account)

    nobody_sells = await customer.status(f"/documents/{row.id}/file/pdf")
    await merchant.configure(SELLER)
    files = [await customer.client.get(f"/documents/{row.id}/file/{one}") for one in ("pdf", "xlsx")]

    assert (nobody_sells, [one.status_code for one in files]) == (409, [200, 200])
    assert files[0].content.startswith(b"%PDF-")
    assert files[0].headers["content-disposition"] == f"attachment; filename*=UTF-8''{row.number}.pdf"
    assert await customer.status(f"/documents/{row.id}/file/html") == 404


@pytest.mark.parametrize("path", ["/", "/documents", "/bills", "/payments", "/cards", "/subscriptions", "/details"])
async def test_a_page_takes_a_few_statements(
    customer: Customer, merchant: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    await customer.enter(await merchant.account(owes_minor=1190))
    asked: list[str] = []
    for name in ("call", "rows", "read", "read_first"):
        plain = getattr(Database, name)

        async def counted(self: Database, *given: object, _plain: object = plain, **named: object) -> object:
            asked.append(path)
            return await _plain(self, *given, **named)  # type: ignore[operator]

        monkeypatch.setattr(Database, name, counted)

    await customer.open(path)

    # `read_first` is a `read`.
    assert 1 <= len(asked) <= 7


@pytest.mark.parametrize(
    ("code", "locale", "says", "leads_to"),
    [
        ("insufficient_funds", "en", "the account was short of money", "#open"),
        ("expired_card", "de", "Diese Karte kann nicht mehr belastet werden", "/cards"),
        ("stolen_card", "en", "This card cannot be charged any more", "/cards"),
        ("authentication_required", "en", "The bank wants you to confirm it", "#open"),
    ],
)
async def test_what_was_declined_says_what_to_do(
    customer: Customer, merchant: Merchant, code: str, locale: str, says: str, leads_to: str
) -> None:
    # given an account whose card was declined, and whose receivable is collected further
    account = await reachable(merchant, await merchant.account(owes_minor=119_000), locale=locale)
    for statement in DECLINED.split(";"):
        await merchant.run(statement, id=account, **({"code": code} if ":code" in statement else {}))
    await customer.enter(account)

    overview = await customer.open("/")

    (section,) = re.findall(r'<section class="declined".*?</section>', overview, re.DOTALL)
    assert says in section
    assert f'href="{leads_to}"' in section
    assert code not in overview
    await merchant.run(
        "update duly.collections set closed_at = now(), stage = 'settled' where account_id = :id", id=account
    )
    assert "declined" not in await customer.open("/")
