"""From an account in a run to the workflow that handled it."""

from typing import Any

from sqlalchemy import Row
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from activities.collections.queries import CollectionQueries
from activities.runs.queries import RunQueries
from commands.links import workflow_link
from commands.output import Output
from commands.runs.show import require_run
from commands.session import read_settings, reading_database_of, temporal_of
from models.problem import refusal
from models.runs.process_run import RunKind
from models.runs.run_period import RunPeriod
from models.workflow_ids import collect_activity_id, collection_id, shard_id
from settings import Settings

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED


async def link(output: Output, run_id: str, account_id: str) -> None:
    """Print where an account was handled. Raises RefusedError when it was not in the run."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        records = RunQueries(database)
        run = await require_run(records, run_id)
        item = await records.item_of_account(run_id, account_id)
        if item is None:
            raise refusal("account", "account_in_run", f"{account_id!r} was not in {run_id}")
        receivable = item.receivable or RunPeriod.parse(run.period).month
        collected = await CollectionQueries(database).find(account_id, receivable)
    links = {"run": workflow_link(settings, run_id)}
    if run.kind == RunKind.PAYMENT and item.outcome != "skipped":
        links["shard"] = await _shard_link(settings, run_id, item)
    if collected is not None:
        links["collection"] = workflow_link(settings, collection_id(account_id, receivable))
    document = {"run_id": run_id, "account_id": account_id, "outcome": item.outcome, "reason": item.reason}
    outcome = f"{account_id}: {item.outcome or 'to do'} {item.reason}".strip()
    output.answer({**document, "links": links}, outcome, *(f"{where}: {url}" for where, url in links.items()))


async def _shard_link(settings: Settings, run_id: str, item: Row[Any]) -> str:
    """Return the event that charged the account; the shard itself when its history is no longer there."""
    shard = shard_id(run_id, item.shard)
    client = await temporal_of(settings)
    try:
        async for execution in client.list_workflows(f"WorkflowId = '{shard}'"):
            event = await _event_of(client, execution, collect_activity_id(item.account_id, 1))
            if event:
                return workflow_link(settings, shard, execution.run_id, event)
    except RPCError:
        # Retention may have taken it, or visibility may not know it yet: the link without the event still leads there.
        return workflow_link(settings, shard)
    return workflow_link(settings, shard)


async def _event_of(client: Client, execution: WorkflowExecution, activity_id: str) -> int:
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    async for event in handle.fetch_history_events():
        scheduled = event.activity_task_scheduled_event_attributes
        if event.event_type == SCHEDULED and scheduled.activity_id == activity_id:
            return event.event_id
    return 0
