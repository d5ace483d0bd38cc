"""What an execution that was reset still commits: the execution that goes on after it looks at its row again.

A Reset ends an execution, and the activity that it was waiting for runs on: it may write down the end of a business
object just after the next execution has read the row as open. Nobody takes its answer, so it passes it on itself.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

# Activities that end a business object, with the signal at which its workflow reads the row again.
ENDS: Mapping[str, str] = {
    "close_collection": "receivable_changed",
    "end_payment_request": "receivable_changed",
    "change_card": "card_touched",
    "refresh_card": "card_touched",
    "remove_card": "card_touched",
    "disconnect_merchant": "gateway_event",
    "read_merchant_account": "gateway_event",
    "claw_back_reduction": "payment_changed",
    "close_reduction": "payment_changed",
    "accept_dispute": "gateway_event",
    "read_dispute": "gateway_event",
    "resolve_refund": "gateway_event",
    "decide_bank_refunds": "month_changed",
}
_RPC_TIMEOUT = timedelta(seconds=5)


class Successors(Interceptor):
    """Signals the execution that goes on after the one that an activity was started by, where there is another."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Stand around a worker's activities."""
        return _Ending(next)


class _Ending(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        answer = await super().execute_activity(input)
        info = activity.info()
        if (signal := ENDS.get(info.activity_type)) and info.workflow_id and info.workflow_run_id:
            await wake_successor(activity.client(), info.workflow_id, info.workflow_run_id, signal)
        return answer


async def wake_successor(client: Client, workflow_id: str, execution: str, signal: str) -> None:
    """Signal the running execution of an id, unless it is the one given. What cannot be asked is left as it is.

    Its waits end at their moments all the same, and no attempt is made for what is closed.
    """
    handle = client.get_workflow_handle(workflow_id)
    try:
        described = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
        if described.run_id != execution and described.status is WorkflowExecutionStatus.RUNNING:
            await handle.signal(signal, rpc_timeout=_RPC_TIMEOUT)
    except RPCError as error:
        logging.getLogger(__name__).warning("successor_not_asked", extra={"reason": error.message})
