"""How old what an activity's workflow remembers is."""

from contextvars import ContextVar
from datetime import datetime
from typing import Any

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.recovery.old_workflows import end_workflow

BEGAN_HEADER = "duly-began"

# The rule by which a workflow of before a restore is refused. The supervisor starts another from the row.
SUPERSEDED_RULE = "superseded"
_BEGAN: ContextVar[datetime | None] = ContextVar("began", default=None)


class SupersededError(ApplicationError):
    """The workflow began before the database was restored: nothing of what it believes is written any more."""

    def __init__(self, began: datetime, epoch_began_at: datetime) -> None:
        super().__init__(
            f"the workflow began at {began}, and the database was restored at {epoch_began_at}",
            type=SUPERSEDED_RULE,
            non_retryable=True,
        )


def write_moment(moment: datetime) -> Payload:
    """Return a moment as a header has it."""
    return Payload(data=moment.isoformat().encode())


class GenerationOfActivities(Interceptor):
    """Reads with each activity when its line of workflows began, and ends the workflow whose line is superseded."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap a worker's activities."""
        return _Dated(next)


class _Dated(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        header = input.headers.get(BEGAN_HEADER)
        _BEGAN.set(datetime.fromisoformat(header.data.decode()) if header else None)
        try:
            return await super().execute_activity(input)
        except SupersededError as error:
            # One that nobody saw when the restore was declared: it would keep its id from the one that takes its place.
            info = activity.info()
            if info.workflow_id is not None:
                await end_workflow(activity.client(), info.workflow_id, info.workflow_run_id, str(error))
            raise


def began_at() -> datetime:
    """Return when the workflow of the running activity, or the one that started it, began.

    One of a release that does not say so is as old as the call.
    """
    return _BEGAN.get() or activity.info().scheduled_time
