"""The page of an attempt is one page: what is configured between two sendings of it changes nothing of it."""

from typing import Any

import pytest

from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.payments.payment_requests import PaymentRequestActivities
from models.gateway.gateway_request import CollectRequest
from models.payments.payment_request import PaymentRequestInput
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.payments.paying_by_link import terms
from tests.recovery.steps import rule_of
from tests.support.builders import Merchant

PAGES = "POST /v1/checkout/sessions"
BACK = "https://duly.example/paid"
SELLER = """
    insert into duly.sellers (id, name, street, postal_code, city, country, vat_id, color)
    values ('house', 'Fibernetz GmbH', 'Marktplatz 1', '50667', 'Köln', 'DE', 'DE123456789', '#aa0033')
"""
REBRAND = "update duly.sellers set name = 'Fibernetz AG', color = '#336699', background_color = '#f4f7f5'"


async def asked_by_link(merchant: Merchant, database: Database) -> CollectRequest:
    account = await merchant.account(cards=[])
    made = await PaymentRequestActivities(database).open_payment_request(
        PaymentRequestInput("course-1", "stripe", terms(account))
    )
    return CollectRequest(account, made.period, "stripe", attempt=1)


def pages(database: Database, gateway: StripeGateway, *, return_url: str = BACK) -> PaymentPageActivities:
    return PaymentPageActivities(database, gateway, Clocks(database, gateway), return_url)


async def sessions_of(merchant: Merchant) -> list[Any]:
    return list((await merchant.stripe.v1.checkout.sessions.list_async({"limit": 100})).data)


@pytest.mark.parametrize("changed", [REBRAND, "delete from duly.sellers"])
@pytest.mark.parametrize("lost", [FaultKind.RESPONSE_LOST, None])
async def test_a_brand_that_changes_between_two_sendings_leaves_the_page_as_it_is(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl, changed: str,
    lost: FaultKind | None,
) -> None:  # fmt: skip
    await merchant.run(SELLER)
    asked = await asked_by_link(merchant, database)
    if lost is not None:
        stripe_sandbox.add_fault(Fault(operation=PAGES, kind=lost, times=1))
        await rule_of(pages(database, gateway).open_page(asked))
    else:
        await pages(database, gateway).open_page(asked)
    await merchant.run(changed)

    page = await pages(database, gateway).open_page(asked)

    [session] = await sessions_of(merchant)
    assert (session.url, session.status) == (page.url, "open")
    assert session.branding_settings.display_name == "Fibernetz GmbH"
    assert await merchant.value("select gateway_reference from duly.gateway_attempts") == session.id


async def test_a_method_that_is_offered_since_the_first_sending_is_offered_by_the_next_page(
    merchant: Merchant, database: Database, gateway: StripeGateway
) -> None:
    asked = await asked_by_link(merchant, database)
    before = await pages(database, gateway).open_page(asked)
    await merchant.run("insert into duly.provider_methods values ('direct_debit', 'stripe')")

    again = await pages(database, gateway).open_page(asked)

    assert again == before


async def test_our_own_address_may_change_while_a_page_is_open(
    merchant: Merchant, database: Database, gateway: StripeGateway
) -> None:
    asked = await asked_by_link(merchant, database)
    before = await pages(database, gateway).open_page(asked)
    moved = pages(database, gateway, return_url="https://elsewhere.example/paid")

    again = [await moved.open_page(asked) for _ in range(2)]

    assert again == [before, before]
    assert [one.status for one in await sessions_of(merchant)] == ["open"]


async def test_a_page_of_the_attempt_for_another_amount_is_closed_and_not_shown(
    merchant: Merchant, database: Database, gateway: StripeGateway
) -> None:
    asked = await asked_by_link(merchant, database)
    await pages(database, gateway).open_page(asked)
    await merchant.run("update duly.gateway_attempts set amount_minor = 1700")

    refused = await rule_of(pages(database, gateway).open_page(asked))

    assert refused == "attempt_was_made"
    assert [one.status for one in await sessions_of(merchant)] == ["expired"]
    assert await merchant.value("select outcome from duly.gateway_attempts") == "did_not_happen"
