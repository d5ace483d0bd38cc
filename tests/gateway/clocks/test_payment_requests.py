"""Payments by a link: while a clock is wrong no page is opened, and one that was paid is booked once."""

import pytest

from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.payments.payment_requests import PaymentRequestActivities
from activities.payments.request_pages import RequestPageActivities
from models.gateway.gateway_request import CollectOutcome, CollectRequest
from models.payments.payment_request import PaymentRequestEnd, PaymentRequestInput, PaymentRequestState
from sandbox.stripe.control.client import SandboxControl
from tests.gateway.clocks.test_sending import PACE, SetClock, set_clock
from tests.payments.paying_by_link import submit, terms
from tests.recovery.steps import rule_of
from tests.support.attempts import charged
from tests.support.builders import Merchant
from tests.support.wrong_clocks import HOUR, SIX_MINUTES

PAGES = "POST /v1/checkout/sessions"
__all__ = ["set_clock"]  # a fixture


@pytest.mark.parametrize("whose", ["database", "gateway", "worker"])
@pytest.mark.parametrize("seconds", [HOUR, -SIX_MINUTES])
async def test_a_page_waits_for_the_clocks_and_one_that_was_paid_meanwhile_is_booked_once(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl,
    set_clock: SetClock, whose: str, seconds: int,
) -> None:  # fmt: skip
    account = await merchant.account()
    requests = PaymentRequestActivities(database)
    stored = await requests.open_payment_request(PaymentRequestInput("course-1", "stripe", terms(account)))
    asked = CollectRequest(account, stored.period, "stripe", attempt=1)

    def pages() -> PaymentPageActivities:
        return PaymentPageActivities(database, gateway, Clocks(database, gateway), "https://duly.example/paid")

    def reading() -> RequestPageActivities:
        return RequestPageActivities(database, gateway, Clocks(database, gateway), PACE)

    set_clock(whose, seconds)
    refused = await rule_of(pages().open_page(asked))
    opened = stripe_sandbox.request_counts().get(PAGES, 0)
    set_clock(whose, 0)
    page = await pages().open_page(asked)
    set_clock(whose, seconds)
    await submit(page.url)
    results = [(await reading().read_page(asked)).result for _ in range(2)]
    ended = await requests.end_payment_request(PaymentRequestEnd("course-1", PaymentRequestState.EXPIRED, "expired"))

    assert (refused, opened) == ("GatewayClocksDiffer", 0)
    assert [one.outcome if one else None for one in results] == [CollectOutcome.SETTLED] * 2
    assert (ended.state, charged(stripe_sandbox)) == (PaymentRequestState.PAID, (1, 2500))
    assert await merchant.balance(account) == -2500
