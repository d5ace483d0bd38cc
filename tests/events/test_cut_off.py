"""A reading of what the gateway's balance has moved goes on where the try before was cut off."""

import dataclasses
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.events.movements import MovementActivities
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.movements import MovementsRequest
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from tests.gateway.test_movements import paid
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly


async def test_a_reading_of_the_balance_that_is_cut_off_goes_on_behind_the_last_page_that_was_booked(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("activities.events.movements.PAGE", 2)
    await paid(duly, merchant)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    book_movements = MovementActivities(database, gateway).book_movements
    beats: list[tuple[Any, ...]] = []
    first, second = ActivityEnvironment(), ActivityEnvironment()
    first.on_heartbeat = lambda *details: beats.append(details)

    once = await first.run(book_movements, MovementsRequest("stripe"))
    second.info = dataclasses.replace(second.info, heartbeat_details=beats[0])
    again = await second.run(book_movements, MovementsRequest("stripe"))

    assert (once.listed, once.booked) == (3, 3)
    assert (again.listed, again.booked) == (3, 2)
