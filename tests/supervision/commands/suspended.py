"""Workflows that stand still after a fault, and a collection that has come some way before it."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from models.collections.collection import CollectionStatus, Stage
from tests.supervision.scenario import Company
from tests.support.builders import declined
from tests.support.run_control import until

# Longer than a workflow stands still after a fault, its last minute for updates included.
A_WHILE = timedelta(minutes=12)


async def until_suspended(company: Company, workflow_id: str) -> None:
    """Wait until a workflow shows that it stands still after a fault."""
    handle = company.duly.client.get_workflow_handle(workflow_id)

    async def is_suspended() -> bool:
        with suppress(RPCError):
            shown = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
            return "Suspended" in shown.current_details
        return False

    await until(is_suspended)


async def declined_cards(company: Company, account: str, *, attempts: int, **policy: Any) -> WorkflowHandle[Any, Any]:
    """A receivable for which none of one or two cards has money, each tried at once: the next attempt is planned."""
    merchant, no_money = company.merchant, declined("insufficient_funds")
    await merchant.run(
        "insert into duly.dunning_policies"
        " select id, version + 1, segment, document || :more from duly.dunning_policies",
        more=Jsonb({"tries_other_cards": True, **policy}),
    )
    await merchant.account(account, answers=[no_money], answers_for_ever=True, owes_minor=2500)
    if attempts > 1:
        other = await merchant.card(account, "pm_card_mastercard", order=2)
        company.sandbox.script_card(other, no_money, repeat_last=True)
    handle = await company.duly.start_collection(account)

    async def is_planned() -> bool:
        status = await handle.query("status", result_type=CollectionStatus)
        return status.stage is Stage.DUNNING and status.attempt == attempts

    await until(is_planned)
    return handle
