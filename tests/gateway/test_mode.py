"""A live key never works for a provider in test mode, nor the other way round; a stopped one is asked nothing new."""

import pytest
from pydantic import SecretStr
from temporalio.client import WorkflowUpdateFailedError

from activities.gateway.mode import WrongModeError
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from settings import Settings
from tests.fixtures.refunds import RefundClient
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from worker import Role, run_worker
from workflows.collections.collection import Collection


@pytest.mark.parametrize(("key", "mode"), [("sk_live_duly", "test"), ("rk_test_duly", "live")])
@pytest.mark.parametrize("role", [Role.ALL, Role.GATEWAY])
async def test_a_worker_does_not_start_with_a_key_of_the_other_mode(
    settings: Settings, merchant: Merchant, key: str, mode: str, role: Role
) -> None:
    await merchant.run("update duly.providers set mode = :mode", mode=mode)
    wrong = settings.model_copy(update={"stripe_api_key": SecretStr(key)})

    with pytest.raises(WrongModeError, match=f"provider stripe is in {mode} mode"):
        await run_worker(wrong, role)


async def test_a_collection_waits_visibly_while_its_provider_is_not_effective(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await merchant.account("acc_1", owes_minor=2500)
    await stop_provider(merchant)

    handle = await duly.start_collection("acc_1")
    first = await handle.execute_update(Collection.first_outcome)
    status = await handle.query(Collection.status)

    assert first.outcome is CollectOutcome.PROVIDER_NOT_EFFECTIVE
    assert (status.stage, status.next_action) == (Stage.DUNNING, "is stripe effective again?")
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 0
    await merchant.run("update duly.providers set state = 'effective'")
    assert (await handle.result()).stage is Stage.SETTLED


async def test_a_provider_that_is_not_effective_refunds_nothing_new(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await stop_provider(refunds.merchant)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await refunds.start(payment, 1000)

    assert getattr(refused.value.cause, "type", "") == "provider_effective"


async def stop_provider(merchant: Merchant) -> None:
    await merchant.run("update duly.providers set state = 'not_effective'")
