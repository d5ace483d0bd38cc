"""The verdict after faults: what the gateway's own books, the ledger and the ledger's laws say against us."""

from datetime import UTC, datetime
from typing import Protocol

from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.events.movements import MovementActivities, MovementSource
from models.gateway.charges import Gateway
from models.gateway.movements import MovementsBooked, MovementsRequest
from sandbox.reconciliation import booked_movements, clearing_balances, compare_balances, compare_objects
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl

THE_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


class MovingGateway(Gateway, MovementSource, Protocol):
    """A gateway that passes on what is a merchant's."""


async def complaints(
    sandbox: SandboxControl, database: Database, gateway: MovingGateway, provider: str = "stripe"
) -> list[str]:
    """Every receivable charged twice, object or balance that differs, and broken law; nothing when all is well.

    The gateway's clock is set days ahead for it, where keys are forgotten: no call may be under way that is sent again.
    """
    await day_ends(sandbox, database, gateway, provider)
    return [
        *_double_charges(sandbox),
        *[str(difference) for difference in await _differences(sandbox, database, gateway, provider)],
        *[str(tuple(row)) for row in await database.rows("select * from duly.invariant_violations")],
    ]


def _double_charges(sandbox: SandboxControl) -> list[str]:
    books = sandbox.movements(group_by=("duly_request",)).groups
    return [f"{book.metadata}: charged {book.charges.count} times" for book in books if book.charges.count > 1]


async def _differences(sandbox: SandboxControl, database: Database, gateway: Gateway, provider: str) -> list[object]:
    movements = [movement async for movement in gateway.movements(THE_BEGINNING)]
    balances = {total.currency.upper(): total.balance_minor for total in sandbox.movements().totals}
    return [
        *compare_objects(movements, await booked_movements(database, provider)),
        *compare_balances(balances, await clearing_balances(database, provider)),
    ]


async def day_ends(
    sandbox: SandboxControl, database: Database, gateway: MovementSource, provider: str = "stripe"
) -> MovementsBooked:
    """Let the gateway book what it owes, and read its movements as the sweep does."""
    sandbox.advance(max(STRIPES_DELAYS.balance_transaction, STRIPES_DELAYS.withdrawal, STRIPES_DELAYS.refund))
    activities = MovementActivities(database, gateway)
    return await ActivityEnvironment().run(activities.book_movements, MovementsRequest(provider, retrieves_due=True))
