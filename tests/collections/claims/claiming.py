"""Claims as services and collections make them."""

from typing import Any

from temporalio.client import WorkflowHandle

from activities.database import Database
from models.collections.collection import CollectionRequest, CollectionResult
from models.workflow_ids import WORKFLOW_QUEUE, collection_id
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection


async def start(
    duly: RunningDuly, account: str, name: str, amount_minor: int, *invoices: str
) -> WorkflowHandle[Collection, CollectionResult]:
    """Ask for an amount as a service does; 0 is all."""
    return await duly.client.start_workflow(
        Collection.run,
        CollectionRequest(
            account, name, invoices=invoices, amount_minor=amount_minor, currency="EUR" if amount_minor else ""
        ),
        id=collection_id(account, name),
        task_queue=WORKFLOW_QUEUE,
    )


async def ask(database: Database, account: str, name: str, amount_minor: int | None, *invoices: str) -> None:
    """Take an amount over as a collection does; None is all."""
    amount: dict[str, Any] = {"asked": amount_minor, "asked_currency": "EUR"} if amount_minor is not None else {}
    await database.call(
        "open_collection",
        account_id=account,
        period=name,
        provider_id="stripe",
        run_id="",
        invoices=list(invoices),
        owner=name,
        **amount,
    )
