"""What people press in Temporal's UI, and a workflow that fails: each as the server itself does it."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from models.workflow_ids import WORKFLOW_QUEUE
from tests.supervision.scenario import Company, Opened
from tests.support.run_control import happened, until

# The longest time in which everything has to be right again, and the pause between two looks.
SECONDS = 150
PAUSE = 0.2

_ORDERS = (
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST,
)


class Button(StrEnum):
    """A button of the UI, or what breaks."""

    TERMINATE = "terminate"
    CANCEL = "cancel"
    RESET = "reset"
    RESET_MIDDLE = "reset_middle"
    DELETE = "delete"
    FAIL = "fail"


async def press(client: Client, button: Button, workflow_id: str) -> None:
    """Press a button on a workflow. What the server refuses, for the workflow is over, is as good as done."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        match button:
            case Button.TERMINATE:
                await handle.terminate(reason="pressed by maria")
            case Button.CANCEL:
                await handle.cancel(reason="pressed by maria")
            case Button.RESET:
                await reset(client, workflow_id)
            case Button.RESET_MIDDLE:
                await reset(client, workflow_id, is_middle=True)
            case Button.DELETE:
                await _delete(client, workflow_id)
            case Button.FAIL:
                await _fail(client, workflow_id)
    except RPCError as error:
        # A server that does not know a button would let every test of it pass.
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            raise


async def until_right(company: Company, opened: Mapping[Button, Opened]) -> dict[Button, str]:
    """Help on what was pressed until all of it is right, and return what is wrong with each in the end."""
    wrong = dict.fromkeys(opened, "not looked at")
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            while any(wrong.values()):
                await asyncio.sleep(PAUSE)
                await company.supervise()
                for button, each in opened.items():
                    await each.go_on()
                    wrong[button] = await each.wrong()
    return wrong


async def reset(client: Client, workflow_id: str, *, without_orders: bool = False, is_middle: bool = False) -> None:
    """Reset a workflow to its first task, or to one in the middle of its history.

    Where the dialog says so, what it was told since is left out.
    """
    handle = client.get_workflow_handle(workflow_id)
    described = await handle.describe()
    execution = client.get_workflow_handle(workflow_id, run_id=described.run_id)
    await happened(execution, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    tasks = [event.event_id async for event in execution.fetch_history_events() if event.event_type == completed]
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=described.run_id),
            reason="pressed by maria",
            workflow_task_finish_event_id=tasks[len(tasks) // 2 if is_middle else 0],
            request_id=str(uuid.uuid4()),
            reset_reapply_exclude_types=_ORDERS if without_orders else (),
        )
    )


async def _delete(client: Client, workflow_id: str) -> None:
    execution = WorkflowExecution(workflow_id=workflow_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    await client.workflow_service.delete_workflow_execution(request)

    async def is_gone() -> bool:
        try:
            await client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await until(is_gone)


async def _fail(client: Client, workflow_id: str) -> None:
    """Let the last execution under an id be one that failed: a start that Duly refuses."""
    with suppress(RPCError):
        await client.get_workflow_handle(workflow_id).terminate(reason="makes room for one that fails")
    with suppress(WorkflowFailureError):
        await client.execute_workflow("ScheduledRun", {}, id=workflow_id, task_queue=WORKFLOW_QUEUE)
