"""Merchants in the console: switched on and off, and whose payments are taken for one, as the commands do it."""

from html import unescape

from models.console.roles import ConsoleRole
from sandbox.stripe.control.client import SandboxControl
from tests.console.conftest import Browser
from tests.console.test_actions import done, refused
from tests.console.test_four_eyes import becomes
from tests.merchants.onboarding import EMAIL, participating
from tests.support.builders import Merchant


async def test_an_operator_assigns_an_account_to_a_merchant_and_switches_it_off(
    acting: None, browser: Browser, merchant: Merchant
) -> None:
    await merchant.run(
        "insert into duly.merchants (id, name, currency, flow, takes_payments)"
        " values ('shop', 'Shop', 'EUR', 'destination', true)"
    )
    account = await merchant.account(cards=())
    await browser.sign_in()
    seen = unescape(await browser.open("/merchants/shop"))
    await becomes(browser, "olga", ConsoleRole.OPERATOR)

    assigned = await done(browser, "/do/merchants/assign/shop", account=account, reason="buys there")
    shown = unescape(await browser.open("/merchants/shop/more"))
    wrong = await refused(browser, "/do/merchants/release/shop", account="nobody", reason="moved away")
    off = await done(browser, "/do/merchants/disable/shop", reason="contract ended")
    rows = await merchant.run("select account_id, assigned_by from duly.merchant_payers where ended_at is null")

    assert "/do/merchants/disable/shop" not in seen
    assert ("pays for it" in assigned, f"/accounts/{account}" in shown) == (True, True)
    assert wrong == ["account: there is no customer's account nobody (account_exists)"]
    assert "off" in off
    assert [tuple(row) for row in rows] == [(account, "olga")]
    assert "duly merchants enable shop" in unescape(await browser.open("/merchants/shop"))


async def test_an_operator_connects_a_merchant_gives_its_owner_the_link_and_reconnects_it(
    acting: None, browser: Browser, workers: None, merchant: Merchant, period: str, stripe_sandbox: SandboxControl
) -> None:
    id = await participating(merchant, f"florist-{period}", is_on=False)
    page, why = f"/merchants/{id}", {"reason": "contract of May"}
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    # when it is connected, once it is switched on
    form = await browser.open(f"/do/merchants/connect/{id}")
    off = await refused(browser, f"/do/merchants/connect/{id}", email=EMAIL, country="de", provider="stripe", **why)
    await done(browser, f"/do/merchants/enable/{id}", **why)
    wrong = await refused(browser, f"/do/merchants/connect/{id}", email="owner", country="de", provider="stripe", **why)
    answer = await done(browser, f"/do/merchants/connect/{id}", email=EMAIL, country="de", provider="stripe", **why)
    connected = unescape(await browser.open(page))

    # then its owner has a link, for those who may connect alone
    (row,) = await merchant.run(
        "select gateway_account, link_token from duly.merchant_connections where merchant_id = :id", id=id
    )
    url = f"http://127.0.0.1:8000/connect/{row.link_token}"
    assert '<option value="stripe" selected>' in form
    assert [one.partition(": ")[2] for one in off + wrong] == [
        f"{id} is not switched on for payments: `merchants enable {id}` (merchant_takes_payments)",
        "is no e-mail address (connection_valid)",
    ]
    assert f"The owner's link: {url}" in answer
    assert (f'href="{url}"' in connected, f"mailto:{EMAIL}?subject=" in connected) == (True, True)
    assert f"/do/merchants/connect/{id}" not in connected

    # and what is disconnected goes on with its id and e-mail, which the gateway has to know
    await done(browser, f"/do/merchants/disconnect/{id}", **why)
    again = {"gateway_account": row.gateway_account, "provider": "stripe"} | why
    stranger = await refused(browser, f"/do/merchants/reconnect/{id}", email="a@b.example", **again)
    await done(browser, f"/do/merchants/reconnect/{id}", email=EMAIL, **again)
    await becomes(browser, "vera", ConsoleRole.VIEWER)
    seen = await browser.open(page)
    kept = await merchant.run(
        "select name, actor from duly.commands where subject = :id and outcome = 'done' order by id", id=id
    )

    assert ["email_of_account" in one for one in stranger] == [True]
    assert (row.gateway_account in seen, row.link_token in seen) == (True, False)
    assert [tuple(one) for one in kept] == [
        (f"merchants {verb}", "maria") for verb in ("enable", "connect", "disconnect", "reconnect")
    ]
