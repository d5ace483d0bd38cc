"""Fees that come late: an event, the sweep and the reconciliation of the day may all find them at the same time."""

import asyncio

import pytest
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.movements import MovementActivities
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.movements import MovementsRequest
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from tests.fixtures.reconciling import ReconciliationClient
from tests.gateway.test_movements import FEE_MINOR, deliver, fees
from tests.support.invariants import day_ends


@pytest.mark.nightly
async def test_whoever_finds_a_late_fee_first_books_it_and_the_others_find_it_booked(
    reconciling: ReconciliationClient,
    period: str,
    inbox: EventInbox,
    database: Database,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
) -> None:
    stripe_sandbox.set_delays(STRIPES_DELAYS)
    for _ in range(3):
        await reconciling.paid(await reconciling.merchant.account(), period)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    reading = MovementActivities(database, gateway)

    await asyncio.gather(
        deliver(reconciling.duly, gateway, inbox, stripe_sandbox),
        ActivityEnvironment().run(reading.book_movements, MovementsRequest("stripe")),
        ActivityEnvironment().run(reading.book_movements, MovementsRequest("stripe", retrieves_due=True)),
        reconciling.reconcile(),
    )
    await day_ends(stripe_sandbox, database, gateway)
    certificate = await reconciling.reconcile()

    assert await fees(reconciling.merchant) == [(True, FEE_MINOR, "EUR")] * 3
    assert certificate.open_discrepancies == 0
    assert await reconciling.discrepancies() == []
    assert await reconciling.wrong() == []
