"""Examining what Temporal stores: whether this process reads what others write there, and they what it writes."""

from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from activities.payload_codec import ENCODING, KEY_ID
from commands.operations.checks.finding import Finding, ok, warning, wrong
from settings import Settings

CHECK = "payload encryption"
KEYS = "DULY_PAYLOAD_KEYS"
# A workflow without any input says nothing of it, and the input of a schedule is as old as the schedule.
WORKFLOWS_READ = 10
NOT_SCHEDULED = "TemporalScheduledById is null"


async def examine_payloads(client: Client, settings: Settings) -> Finding:
    """Return whether payloads are encrypted, as the newest workflow that takes an input shows. Raises RPCError."""
    keys = list(settings.temporal_connection["payload_keys"] or ())
    newest = await _newest_input(client)
    written_by = newest.metadata.get(KEY_ID, b"").decode(errors="replace") if newest is not None else ""
    is_encrypted = newest is not None and newest.metadata.get("encoding") == ENCODING
    if is_encrypted and written_by not in keys:
        found = f"the newest workflow is encrypted by the key {written_by}, which this process does not have"
        return wrong(CHECK, found, f"give every process and command the same {KEYS}")
    if not keys:
        return ok(CHECK, "off: Temporal stores inputs and results as they are")
    if newest is not None and not is_encrypted:
        found = f"the key {keys[0]} is set here, and the newest workflow is not encrypted"
        return warning(CHECK, found, f"give every process the same {KEYS}, unless they were set a moment ago")
    return ok(CHECK, f"on, by the key {keys[0]}" + (f"; {', '.join(keys[1:])} still opens" if keys[1:] else ""))


async def _newest_input(client: Client) -> Payload | None:
    """Return the first payload of the newest workflow that was started with one."""
    async for execution in client.list_workflows(NOT_SCHEDULED, limit=WORKFLOWS_READ):
        if (first := await _first_payload(client, execution)) is not None:
            return first
    return None


async def _first_payload(client: Client, execution: WorkflowExecution) -> Payload | None:
    """Return it as it is stored: the client's own converter would decrypt it. None: there is none, or no history."""
    request = GetWorkflowExecutionHistoryRequest(namespace=client.namespace, maximum_page_size=1)
    request.execution.workflow_id, request.execution.run_id = execution.id, execution.run_id
    try:
        answer = await client.workflow_service.get_workflow_execution_history(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    started = answer.history.events[0].workflow_execution_started_event_attributes
    return next(iter(started.input.payloads), None)
