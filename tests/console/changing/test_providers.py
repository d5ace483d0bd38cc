"""Gateway providers in the console (G6, P13): seen with what stops them, and changed as a document changes them."""

import re
from dataclasses import replace
from html import unescape

import httpx

from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, URL, Browser
from tests.console.reading.test_merchants import SETUP
from tests.console.test_actions import done, refused
from tests.console.test_four_eyes import becomes
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.app import build_app
from web.assets import own_assets
from web.context import Web

FORM = "/do/providers/change/{}"


def of(browser: Browser) -> dict[str, str]:
    """The fields of the form that was opened last, as a browser sends them back."""
    page = browser.last
    fields = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page)
        if name not in {"form_token", "key", "reason", "words"}
    }
    fields["state"] = re.findall(r'<option value="(\w+)" selected>', page)[0]
    if 'name="refunded" value="yes" checked' not in page:
        fields.pop("refunded", None)
    return fields


async def prepared(merchant: Merchant) -> None:
    for statement in SETUP.split(";\n"):
        await merchant.run(statement)
    await merchant.configure(
        '[[payment_methods]]\nid = "link"\nname = "Link"\n[[providers]]\nid = "cafe"\nmode = "test"\n'
        'merchant = "cafe"\ncurrencies = ["EUR"]\nminimums = { EUR = "1.00" }\npayment_methods = ["link"]\n'
        'application_fee = { percent = 2.5, fixed = { EUR = "0.25" }, refunded = true }'
    )


async def test_a_provider_is_seen_with_its_settings_and_what_stops_it(browser: Browser, merchant: Merchant) -> None:
    await prepared(merchant)
    await merchant.run("update duly.providers set state = 'not_effective' where id = 'stripe'")
    await browser.sign_in()

    listed = unescape(await browser.open("/providers?state=effective"))
    cafe, stripe = [unescape(await browser.open(f"/providers/{id}")) for id in ("cafe", "stripe")]
    merchants = await browser.open("/merchants/cafe")

    assert ('/providers/cafe"' in listed, '/providers/stripe"' in listed) == (True, False)
    for printed in (
        "the account of merchant cafe is incomplete",
        "2.5 % + 0.25 EUR, refunded",
        "1.00 EUR",
        "acct_cafe",
    ):
        assert printed in cafe
    assert "stripe is not effective; apply definitions that make it effective" in stripe
    assert ("/do/providers/change" in cafe, 'href="/providers/cafe"' in merchants) == (False, True)
    assert await browser.status("/providers/nobody") == 404


async def test_a_merchants_user_sees_its_own_provider_alone(browser: Browser, merchant: Merchant) -> None:
    await prepared(merchant)
    await browser.users.add("carla", ConsoleRole.VIEWER, PASSWORD, ["cafe"])
    await browser.send("/sign-in", OURS, user="carla", password=PASSWORD, to="/")

    own = await browser.open("/providers/cafe")
    others = [await browser.status(path) for path in ("/providers", "/providers/shop", "/providers/stripe")]

    assert ("2.5 %" in own, "What was changed" in own, 'href="/payments' in own) == (True, False, False)
    assert others == [404] * 3


async def test_what_the_rules_of_a_document_refuse_is_refused_at_its_field_in_their_words(
    acting: None, browser: Browser, merchant: Merchant
) -> None:
    await prepared(merchant)
    path = FORM.format("cafe")
    await browser.sign_in(role=ConsoleRole.ADMINISTRATOR)
    await browser.open(path)
    shown = of(browser)

    wrong = [
        (await refused(browser, path, **{**shown, **one}, reason="contract of May"))[0]
        for one in (
            {"payment_methods": "link, card"},
            {"currencies": "EUR 0.10"},
            {"currencies": "EUR 1.00, XYZ"},
            {"percent": "much"},
            {"fixed": "0.25"},
            {"fixed": "EUR 2.00"},
            {"maximum": "USD 2.00"},
        )
    ]

    assert wrong[2].startswith("currencies: ")
    assert wrong[:2] + wrong[3:] == [
        "payment_methods: 'card' is handled by provider 'stripe'; it may have one only (one_provider_a_method)",
        "currencies: minimums.EUR: the gateway takes 0.50 EUR or more (value_error)",
        "percent: must be a number such as 12.5 (decimal_parsing)",
        "fixed: '0.25' is none: write EUR 0.25, USD 0.30 (amount_of_currency)",
        "fixed: fixed: of the least charge of 1.00 EUR it would take 2.03 EUR (fee_fits_provider)",
        "maximum: maximum: USD is not among the currencies of the provider (fee_fits_provider)",
    ]


async def test_an_administrator_changes_a_provider_as_the_next_version_of_the_configuration(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    await prepared(merchant)
    path, why = FORM.format("cafe"), {"reason": "contract of May"}
    await browser.sign_in(role=ConsoleRole.ADMINISTRATOR)
    await browser.open(path)
    shown = of(browser)

    changes = {"currencies": "EUR 0.75, USD", "fixed": "EUR 0.20, USD 0.20", "payment_methods": "", "refunded": ""}
    answer = await done(browser, path, **{**shown, **changes}, **why)
    # Who saw the fields as they were overwrites nothing of it, and changes the others.
    stale = await refused(browser, path, **{**shown, "currencies": "EUR 2.00"}, **why)
    await done(browser, path, **{**shown, "state": "not_effective"}, **why)

    listed = (await cli.json("definitions", "list", "--kind", "providers"))["providers"]
    (row,) = [one for one in listed if one["id"] == "cafe"]
    history = (await cli.json("definitions", "history", "cafe", "--kind", "providers"))["changes"]
    page = unescape(await browser.open("/providers/cafe"))
    assert (shown["currencies"], shown["percent"], shown["fixed"], shown["was_refunded"]) == (
        *("EUR 1.00", "2.5", "EUR 0.25"),
        "yes",
    )
    assert "This is version" in answer
    assert [one.partition(" since ")[0] for one in stale] == ["currencies: is EUR 0.75, USD 0.50"]
    assert (row["currencies"], row["state"], row["merchant"]) == ({"EUR": 75, "USD": 50}, "not_effective", "cafe")
    assert row["application_fee"]["is_refunded"] is False
    assert {(one["actor"], one["reason"]) for one in history[:2]} == {("maria", "contract of May")}
    for printed in ("cafe is not effective", "contract of May", "2.5 % + 0.20 EUR + 0.20 USD, not refunded"):
        assert printed in page


async def test_a_provider_leads_to_stripes_dashboard_where_it_is_stripes_own(web: Web, merchant: Merchant) -> None:
    settings = web.settings.model_copy(update={"stripe_api_base": "https://api.stripe.com"})
    transport = httpx.ASGITransport(app=build_app(replace(web, settings=settings), own_assets()))
    await prepared(merchant)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        browser = Browser(client, web.users)
        await browser.sign_in()

        stripe, cafe = [await browser.open(f"/providers/{id}") for id in ("stripe", "cafe")]

    assert 'href="https://dashboard.stripe.com/test/settings/payment_methods"' in stripe
    assert 'href="https://dashboard.stripe.com/test/search?query=acct_cafe"' in cafe


async def test_of_a_provider_nobody_else_changes_anything(browser: Browser, merchant: Merchant) -> None:
    await browser.sign_in()
    await becomes(browser, "olga", ConsoleRole.OPERATOR)

    assert (await browser.status("/providers/stripe"), await browser.status(FORM.format("stripe"))) == (200, 403)
