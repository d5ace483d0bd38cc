"""A namespace that loses its search attributes under workers that run: what happens waits, and goes on by itself."""

import asyncio

import pytest
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.client import Client

from models.collections.collection import Stage
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.namespace import register_attributes, unprepared

TASKS = 3


async def failed_tasks(client: Client, workflow_id: str) -> int:
    """Count how often a workflow's task has failed in a row."""
    described = await client.get_workflow_handle(workflow_id).describe()
    return described.raw_description.pending_workflow_task.attempt


@pytest.mark.nightly
async def test_a_receivable_is_collected_once_when_the_attributes_are_there_again(
    standing_duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, period: str
) -> None:
    client = standing_duly.client
    account = await merchant.account(owes_minor=2500)
    request = RemoveSearchAttributesRequest(namespace=client.namespace, search_attributes=["Stage", "NeedsReview"])
    await client.operator_service.remove_search_attributes(request)
    try:
        async with asyncio.timeout(60):
            while not await unprepared(client):  # noqa: ASYNC110  # the server's state
                await asyncio.sleep(0.1)
        handle = await standing_duly.start_collection(account, period)
        async with asyncio.timeout(60):
            while await failed_tasks(client, handle.id) < TASKS:  # noqa: ASYNC110  # the server's state
                await asyncio.sleep(0.1)
    finally:
        await register_attributes(client)

    result = await handle.result()

    (charged,) = stripe_sandbox.movements().totals
    assert (result.stage, result.attempts, charged.charges.count) == (Stage.SETTLED, 1, 1)
    assert await merchant.balance(account) == 0
