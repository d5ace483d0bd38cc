"""The pace of a provider's queue, which the Temporal server keeps: it holds for every worker at once."""

from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit
from temporalio.api.workflowservice.v1 import UpdateTaskQueueConfigRequest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.runs.run_control import QueueRate

_CANNOT = {
    RPCStatusCode.UNIMPLEMENTED: "this Temporal server cannot change a queue's rate; set DULY_GATEWAY_RATE and restart",
    RPCStatusCode.PERMISSION_DENIED: "this worker's identity may not change a queue's rate on the Temporal server",
}


class QueueRateActivities:
    """Changes the rate of a task queue on the server that this worker is connected to."""

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.set_queue_rate]

    @activity.defn
    async def set_queue_rate(self, rate: QueueRate) -> None:
        """Limit the activities of a queue. Raises ApplicationError `rate_not_changed` where the server cannot."""
        client = activity.client()
        update = UpdateTaskQueueConfigRequest.RateLimitUpdate(reason=rate.reason)
        if rate.calls_per_second is not None:
            update.rate_limit.CopyFrom(RateLimit(requests_per_second=rate.calls_per_second))
        request = UpdateTaskQueueConfigRequest(
            namespace=client.namespace,
            identity=client.identity,
            task_queue=rate.queue,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            update_queue_rate_limit=update,
        )
        try:
            await client.workflow_service.update_task_queue_config(request)
        except RPCError as error:
            if why := _CANNOT.get(error.status):
                raise ApplicationError(why, type="rate_not_changed", non_retryable=True) from error
            raise
