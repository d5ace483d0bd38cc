"""The end of a day at the gateway: all that it books later is booked, and the ledger has read it."""

from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.gateway.movements import MovementActivities, MovementSource
from models.gateway.movements import MovementsBooked, MovementsRequest
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl


async def day_ends(sandbox: SandboxControl, database: Database, gateway: MovementSource) -> MovementsBooked:
    """Let the gateway book what it owes, and read its movements as the sweep does."""
    sandbox.advance(max(STRIPES_DELAYS.balance_transaction, STRIPES_DELAYS.withdrawal, STRIPES_DELAYS.refund))
    activities = MovementActivities(database, gateway)
    return await ActivityEnvironment().run(activities.book_movements, MovementsRequest("stripe", looks_up_due=True))
