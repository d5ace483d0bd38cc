"""What nobody has foreseen is answered by a page of ours, and requests of refunds are shown with their attempts."""

import httpx
import pytest

from activities.database import Database
from activities.payments.queries import PaymentQueries
from tests.console.conftest import URL, Browser
from tests.support.builders import Merchant
from web.app import build_app
from web.assets import own_assets
from web.context import Web
from web.views import home

ATTEMPT = """
    insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, channel, token, customer,
        payment_id, amount_minor, outcome, gateway_reference, finished_at)
    values ('rf_1', 1, 'k1', 'scheduled', 'refund', 't', 'u', 'pi_1', 100, 'succeeded', 're_1', now())
"""
REFUND = """
    insert into duly.gateway_requests (id, kind, provider_id, account_id, amount_minor, currency, state, executed_at)
    values ('p_1', 'payment', 'stripe', :account, 100, 'EUR', 'posted', now());
    insert into duly.gateway_requests (id, kind, provider_id, account_id, amount_minor, currency, of_request_id)
    values ('rf_1', 'refund', 'stripe', :account, 100, 'EUR', 'p_1')
"""


@pytest.mark.parametrize("page", ["/requests/rf_1", "/refunds/rf_1"])
async def test_the_request_of_a_refund_is_shown_with_its_attempt(
    browser: Browser, merchant: Merchant, page: str
) -> None:
    account = await merchant.account()
    for statement in REFUND.split(";"):
        await merchant.run(statement, account=account)
    await merchant.run(ATTEMPT)
    await browser.sign_in()

    shown = await browser.open(page)

    assert "rf_1" in shown
    assert page.startswith("/refunds") or ">succeeded<" in shown


async def test_what_nobody_has_foreseen_is_answered_by_a_page_with_its_headers(
    browser: Browser, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    await browser.sign_in()

    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(home, "_now", broken)
    transport = httpx.ASGITransport(app=build_app(web, own_assets()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL, cookies=browser.client.cookies) as client:
        answer = await client.get("/")

    assert (answer.status_code, "This did not work" in answer.text) == (500, True)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "ZeroDivision" not in answer.text


async def test_a_gateways_object_leads_to_its_request_and_to_what_was_given_back(
    database: Database, merchant: Merchant
) -> None:
    account = await merchant.account()
    for statement in REFUND.split(";"):
        await merchant.run(statement, account=account)
    await merchant.run("update duly.gateway_requests set gateway_reference = 'pi_1' where id = 'p_1'")
    payments = PaymentQueries(database)

    found = await payments.request_of("stripe", "pi_1")
    nothing = [await payments.request_of(*of) for of in (("other", "pi_1"), ("stripe", "pi_2"), (None, None))]

    assert found is not None
    assert (found.id, found.kind, nothing) == ("p_1", "payment", [None] * 3)
    assert [row.id for row in await payments.returns("p_1")] == ["rf_1"]
