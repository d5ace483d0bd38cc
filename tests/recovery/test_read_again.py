"""After a restore everything since the database has forgotten is read again, and what was made shortly before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.adoption import Adoption
from models.reconciliation.reconciliation import lookback_of
from tests.fixtures.reconciling import ReconciliationClient
from tests.recovery.steps import WHO
from tests.support.attempts import request_for
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

# Longer ago than a Sunday's round reads anyway.
AGO = timedelta(days=40)


async def hold_and_declare(database: Database) -> None:
    """Notice a restore of yesterday's database, and let a person declare it."""
    held: Any = {"provider_id": "stripe", "reason": "a restore", "is_certain": True}
    await database.call("hold_sending", forgot_since=(datetime.now(UTC) - timedelta(days=1)).isoformat(), **held)
    await database.call("declare_restore", provider_id="stripe", moment=None, **WHO)


async def release(database: Database, owner_engine: AsyncEngine, forgot_since: datetime) -> None:
    """Go through a recovery of a provider at which nothing was found."""
    await hold_and_declare(database)
    async with owner_engine.begin() as connection:
        await connection.execute(
            text(
                "update duly.sending set forgot_since = :since, reads = jsonb_build_array("
                "jsonb_build_object('read_at', now() - interval '20 minutes', 'adopted', 0, 'left', '[]'::jsonb),"
                "jsonb_build_object('read_at', now(), 'adopted', 0, 'left', '[]'::jsonb, 'found', '{}'::jsonb))"
            ),
            {"since": forgot_since},
        )
    await database.call("release_sending", provider_id="stripe", is_acknowledged=False, **WHO)


async def test_the_first_reconciliation_after_a_release_reads_from_before_the_gap_and_the_next_as_ever(
    cli: CommandLine, reconciling: ReconciliationClient, owner_engine: AsyncEngine
) -> None:
    now = datetime.fromtimestamp(reconciling.sandbox.now(), UTC)
    forgot_since = now - AGO
    before = await reconciling.reconcile()
    await release(reconciling.database, owner_engine, forgot_since)

    shown = await cli("recover", "show")
    rounds = [await reconciling.reconcile() for _ in range(2)]
    again = await cli("recover", "show")

    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    usual = midnight - lookback_of(now.date())
    read_from = midnight - AGO - timedelta(days=2)
    assert before.read_from == usual
    assert [one.read_from for one in rounds] == [read_from, usual]
    assert f"Next reconciliation reads from {read_from.date()} on" in " ".join(shown.stdout.split())
    assert "Next reconciliation" not in again.stdout


@pytest.mark.parametrize(("hours", "found"), [(47, {"payment": 1}), (49, {})])
async def test_what_the_gateway_made_up_to_two_days_before_the_gap_is_read_too_for_no_clock_has_to_be_right(
    merchant: Merchant, collecting: CollectActivities, database: Database, gateway: StripeGateway,
    owner_engine: AsyncEngine, hours: int, found: dict[str, int],
) -> None:  # fmt: skip
    await collecting.collect(request_for(await merchant.account(owes_minor=2500)))
    await hold_and_declare(database)
    paid_at = datetime.fromtimestamp(merchant.sandbox.now(), UTC)
    async with owner_engine.begin() as connection:
        await connection.execute(
            text("update duly.sending set declared_at = declared_at - interval '1 day', forgot_since = :since"),
            {"since": paid_at + timedelta(hours=hours)},
        )

    view = await Adoption(database, "stripe", gateway).read()

    assert view["reads"][-1]["found"] == found
