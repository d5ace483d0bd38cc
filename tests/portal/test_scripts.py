"""Names in any script, and what a page says of them, in the portal and on telephones."""

import re
from datetime import date
from html import unescape

import pytest

from activities.messages.template_values import one_line
from tests.portal.conftest import Customer, reachable
from tests.portal.test_pages import SELLER
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.portal.words import reader_of


async def test_names_and_addresses_in_any_script_are_kept_as_they_are_written(
    acting: None, customer: Customer, cli: CommandLine, merchant: Merchant
) -> None:
    # given joiners of Persian, a mark of direction, an emoji of several, and markup
    names = (
        "\u0645\u06cc\u200c\u0631\u0648\u062f",
        "\u200f\u05e9\u05dc\u05d5\u05dd",
        "\U0001f469\u200d\U0001f467 <b>&amp;",
    )
    account = await reachable(merchant, await merchant.account(cards=()))
    await customer.enter(account)

    # when each is saved as a name and in an address, and one that would turn the page about, or has two lines
    kept = []
    for name in names:
        await customer.open("/details")
        saved = await customer.send("/details", owner_name=name, locale="en", time_zone="UTC")
        addressed = await customer.send("/details/address", street=name, city=name, country="IR")
        shown = unescape(await customer.open("/details"))
        kept.append((saved.status_code, addressed.status_code, shown.count(f'value="{name}"')))
    refused = [
        (await customer.send("/details", owner_name=name, locale="en", time_zone="UTC")).status_code
        for name in ("a\u202eb", "a\nb")
    ]

    # then they are what was typed
    assert kept == [(303, 303, 3)] * 3
    assert (await cli.json("accounts", "show", account))["owner_name"] == names[-1]
    assert refused == [422, 422]


def test_a_name_in_a_message_is_one_line_and_keeps_its_joiners() -> None:
    assert one_line("a\u200cb\u202ec\nd\t\x00 e") == "a\u200cb c d e"


@pytest.mark.parametrize(
    ("locale", "term", "price", "country"),
    [("de", "3 Monate", "Preis ohne USt", "Österreich"), ("en", "every 3 months", "Price without tax", "Austria")],
)
async def test_each_value_of_a_row_has_its_head_beside_it_where_the_heads_are_out_of_sight(
    customer: Customer, merchant: Merchant, locale: str, term: str, price: str, country: str
) -> None:
    # given something bought each quarter, in the language of its customer
    account = await reachable(merchant, await merchant.account(cards=(), owes_minor=1190), locale=locale)
    await merchant.subscription(account, price_minor=100)
    await merchant.run("update duly.subscriptions set term_months = 3 where account_id = :id", id=account)
    await customer.enter(account)

    # when its pages are opened
    pages = {path: unescape(await customer.open(path)) for path in ("/", "/documents", "/subscriptions", "/details")}

    # then every cell says what it is, but the one with a button
    for page in (pages["/"], pages["/documents"], pages["/subscriptions"]):
        cells = re.findall(r"<td([^>]*)>\s*(\S{0,5})", page.partition("<tbody>")[2].partition("</tbody>")[0])
        assert cells
        assert [
            attributes for attributes, content in cells if "data-label" not in attributes and content != "<form"
        ] == []
    assert (term in pages["/subscriptions"], f'data-label="{price}"' in pages["/subscriptions"]) == (True, True)
    assert f'<option value="AT">{country}</option>' in pages["/details"]


def test_countries_are_by_name_in_the_language_of_the_reader_and_none_is_a_union() -> None:
    german = reader_of("de").countries()

    names = [name for _, name in german]
    assert names.index("Oman") < names.index("Österreich") < names.index("Pakistan")
    assert {"EU", "UN", "ZZ"} & {code for code, _ in german} == set()
    assert reader_of("de").month(date(2026, 3, 1)) == "März 2026"


async def test_an_electronic_invoice_without_an_address_leads_to_where_it_is_entered(
    customer: Customer, merchant: Merchant
) -> None:
    await merchant.configure(SELLER)
    account = await reachable(merchant, await merchant.account(cards=(), owes_minor=1190), locale="de")
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
    await customer.enter(account)

    answer = await customer.client.get(f"/documents/{invoice}/file/factur-x")

    assert (answer.status_code, "Ihre Postanschrift fehlt" in answer.text) == (409, True)
    assert 'href="/details">Ihre Daten</a>' in answer.text.partition("<main")[2]
