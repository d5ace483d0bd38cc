"""Records the histories of workflows that a fault has suspended, as `record.py` does."""

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from settings import Settings
from tests.replay.histories import keep
from tests.supervision.failing_activities import FailingActivities, Failure
from tests.support.builders import Merchant
from tests.support.run_control import duly_at


async def test_collection_suspended(
    time_skipping: WorkflowEnvironment,
    database: Database,
    gateway: StripeGateway,
    settings: Settings,
    merchant: Merchant,
) -> None:
    failing = FailingActivities(Failure.REFUSED, only="close_collection")
    failing.is_on = True
    config = time_skipping.client.config()
    config["interceptors"] = [*config["interceptors"], failing]
    time_skipping._client = Client(**config)
    async with duly_at(time_skipping, database, gateway, settings) as duly:
        account = await merchant.account(owes_minor=2500)
        started = await duly.start_collection(account)
        first = (await started.describe()).run_id

        await duly.collected(account)

        await keep("collection-suspended_after_a_fault", duly.client.get_workflow_handle(started.id, run_id=first))
