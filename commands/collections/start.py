"""Collecting a single receivable now, first attempt included."""

from dataclasses import asdict
from typing import Any

from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.collections.queries import CollectionQueries
from commands.formatting import money
from commands.links import link_line, workflow_link
from commands.output import Output, table
from commands.session import database_of, read_settings, temporal_for_orders
from commands.updates import start_and_ask
from models.collections.collection import CollectionRequest
from models.collections.collection_start import Collectable, problems_of_start
from models.gateway.gateway_request import CollectResult
from models.money import Money, MoneyError
from models.problem import RefusedError, refusal
from models.workflow_ids import WORKFLOW_QUEUE, collection_id
from settings import Settings
from workflows.collections.collection import Collection
from workflows.visibility import collection_label


async def start(
    output: Output,
    account_id: str,
    period: str,
    *,
    provider: str,
    invoices: tuple[str, ...],
    amount: str,
    wait_seconds: float,
) -> None:
    """Start a collection and say what its first attempt came to: a decline is an answer too.

    Raises RefusedError when nothing can be collected.
    """
    settings = read_settings()
    async with database_of(settings) as database:
        found = await CollectionQueries(database).collectable(account_id, period, provider)
    asked = _asked(amount, found)
    if problems := list(problems_of_start(account_id, period, provider, found, asked)):
        raise RefusedError(problems)
    request = CollectionRequest(
        account_id,
        period,
        provider,
        invoices=invoices,
        amount_minor=asked.amount_minor if asked else 0,
        currency=asked.currency if asked else "",
    )
    result = await _first_outcome(settings, request, wait_seconds)
    link = workflow_link(settings, collection_id(account_id, period))
    taken = money(result.amount_minor, result.currency) if result.currency else ""
    facts = [("Outcome", result.outcome), ("Amount", taken), ("Why", result.decline_code or result.code)]
    shown = [(name, value) for name, value in facts if value]
    output.answer(
        {"workflow_id": collection_id(account_id, period), "first_outcome": asdict(result), "link": link},
        table("", "Collection", collection_id(account_id, period), rows=shown),
        *link_line(link),
    )


def _asked(amount: str, found: Collectable | None) -> Money | None:
    """Read the amount in the account's currency. Raises RefusedError."""
    if not amount or found is None:
        return None
    try:
        return Money.parse(amount, found.currency)
    except MoneyError as error:
        raise refusal("amount", "amount_is_decimal", str(error)) from error


async def _first_outcome(settings: Settings, request: CollectionRequest, wait_seconds: float) -> CollectResult:
    client = await temporal_for_orders(settings)
    id = collection_id(request.account_id, request.period)

    def operation() -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            Collection.run,
            request,
            id=id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            # Whether it may be collected, the database says: it knows what was collected longer than Temporal does.
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            **collection_label(request),
        )

    try:
        return await start_and_ask(
            client,
            operation,
            "first_outcome",
            CollectResult,
            workflow_id=id,
            noun="collection",
            wait_seconds=wait_seconds,
        )
    except WorkflowAlreadyStartedError as error:
        raise refusal("period", "one_owner", f"{id} has been started before") from error
