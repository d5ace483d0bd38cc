"""Records the histories of workflows that a fault has suspended, or sent nonsense, as `record.py` does."""

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.gateway_request import CollectResult
from settings import Settings
from tests.replay.histories import keep
from tests.supervision.failing_activities import FailingActivities, Failure
from tests.support.builders import Merchant
from tests.support.run_control import duly_at
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection


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


async def test_collection_with_a_misspelt_signal(duly: RunningDuly, merchant: Merchant) -> None:
    # Recorded while the SDK still kept such a signal for a handler that might come.
    account = await merchant.account(cards=[], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await merchant.card(account, "pm_card_visa")
    await handle.signal("card_chagned", {"card": "card_1"})
    await handle.signal(Collection.card_changed)

    await duly.collected(account)

    await keep("collection-a_misspelt_signal", handle)
