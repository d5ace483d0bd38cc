"""The receiver is killed between storing an event and hinting its workflow: the next one delivers it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from settings import Settings
from tests.events.receiver.receiving import receiving
from tests.events.signed_events import an_event, send
from tests.support.builders import Merchant


async def state_of(merchant: Merchant) -> str | None:
    rows = await merchant.run("select state from duly.gateway_events")
    return str(rows[0].state) if rows else None


@pytest.mark.nightly
async def test_an_event_whose_receiver_was_killed_before_it_hinted_anybody_is_delivered_by_the_next(
    merchant: Merchant, owner_engine: AsyncEngine, settings: Settings, temporal_server: Client, tmp_path: Path
) -> None:
    account = await merchant.account(owes_minor=2500)
    await merchant.run(
        "select duly.open_attempt(:account, '2026-11', 'stripe', '', 1, 'scheduled', '')", account=account
    )
    async with receiving(settings, temporal_server, tmp_path / "webhook.log") as receiver:
        # Finding out whom an event is about takes this table; storing it does not.
        async with owner_engine.begin() as connection:
            await connection.execute(text("lock table duly.gateway_requests in access exclusive mode"))
            answered = await send(receiver.visitor, an_event(metadata={"duly_request": f"pay/{account}/2026-11"}))
            await receiver.kill()
        stored = await state_of(merchant)

    await merchant.run(f"select duly.record_outcome('pay/{account}/2026-11', 1, 'succeeded', 'pi_1', 'ch_1')")

    async with receiving(settings, temporal_server, tmp_path / "webhook.log"), asyncio.timeout(60):
        while await state_of(merchant) != "delivered":  # noqa: ASYNC110 - there is no event across processes
            await asyncio.sleep(0.05)

    assert (answered, stored) == (200, "waiting")
