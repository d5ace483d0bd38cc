"""What is held against the servers of a deployed release at the end: its workflows, and the money."""

from temporalio.client import WorkflowExecutionStatus

from activities.database import Database, create_engine
from activities.gateway.stripe_gateway import StripeGateway
from tests.support.invariants import complaints
from tests.upgrades.deployed_release import DeployedRelease

NOT_LOST = {
    WorkflowExecutionStatus.RUNNING,
    WorkflowExecutionStatus.COMPLETED,
    WorkflowExecutionStatus.CONTINUED_AS_NEW,
}


async def wrong_with_money(duly: DeployedRelease) -> list[str]:
    """Compare gateway and ledger."""
    settings = duly.stack.settings
    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value(), api_base=settings.stripe_api_base, timeout_seconds=20
    )
    database = Database(create_engine(settings.database_url, pool=2), timeout_seconds=30)
    try:
        return await complaints(duly.control, database, gateway)
    finally:
        await gateway.close()
        await database.dispose()
