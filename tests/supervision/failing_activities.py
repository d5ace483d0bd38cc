"""Activities that fail as nobody expects: each once, or time and again, before or after they have done their work."""

from collections import Counter
from enum import StrEnum
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

# More often than any policy repeats a call that it gives up.
REPEATED = 8


class Failure(StrEnum):
    """How an activity fails."""

    BUG = "with a bug, eight times"
    REFUSED = "refused by a rule that nobody knows"
    REFUSED_AFTERWARDS = "refused after its commit"


# Local activities that are followed by an ordinary one when they fail.
READ_IN_THE_WORKER = frozenset({"load_card"})


class FailingActivities(ClientInterceptor, Interceptor):
    """Lets each activity of each workflow fail, or one `only`. What is `spared` fails a workflow by right."""

    def __init__(self, failure: Failure, spared: frozenset[str] = frozenset(), *, only: str = "") -> None:
        super().__init__()
        self.failure = failure
        self.failed: Counter[tuple[str, str]] = Counter()
        self.is_on = False
        self._spared = spared
        self._only = only
        self._times = 1

    def only(self, name: str, *, times: int = 1) -> None:
        """Let this one activity be refused from now on, so many times."""
        self._only, self._times, self.is_on = name, times, True

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Stand before a worker's activities."""
        return _Failing(next, self)

    def is_due(self) -> bool:
        """Say whether the activity that runs has to fail now."""
        info = activity.info()
        if self._only not in {"", info.activity_type}:
            return False
        called = (info.workflow_id or "", info.activity_type)
        most = REPEATED if self.failure is Failure.BUG else self._times
        if not self.is_on or info.activity_type in self._spared or self.failed[called] >= most:
            return False
        # What cannot be read in the worker is read by an activity, which has to fail as well.
        self.failed[called] += not (info.is_local and info.activity_type in READ_IN_THE_WORKER)
        return True


class _Failing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, failing: FailingActivities) -> None:  # noqa: A002
        super().__init__(next)
        self._failing = failing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        if not self._failing.is_due():
            return await super().execute_activity(input)
        if self._failing.failure is Failure.BUG:
            raise KeyError("nobody expected that")
        if self._failing.failure is Failure.REFUSED_AFTERWARDS:
            await super().execute_activity(input)
        raise ApplicationError("nobody expected that", type="unheard_of", non_retryable=True)
