"""Activities whose worker dies once: before an activity has any effect, or after it, with its answer lost."""

from collections import Counter
from enum import StrEnum
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Death(StrEnum):
    """When the worker dies: the activity's effect is missing, or it is there and its answer is lost."""

    BEFORE = "before the effect"
    AFTER = "after the effect, before the answer"


class CrashingActivities(ClientInterceptor, Interceptor):
    """Counts which activities which workflows call, and lets the worker of one of them die once.

    To the server a dead worker is a try that came to nothing, which it repeats; it only learns of it sooner here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.called: Counter[tuple[str, str]] = Counter()
        self.has_died = False
        self._dies: tuple[str, str] | None = None
        self._death = Death.BEFORE

    def die_once(self, workflow: str, name: str, death: Death) -> None:
        """Let the worker die at this workflow's next call of an activity."""
        self._dies, self._death = (workflow, name), death

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Stand before a worker's activities."""
        return _Crashing(next, self)

    def death_at(self, called: tuple[str, str]) -> Death | None:
        """Count a call, and return how its worker dies, if it does."""
        self.called[called] += 1
        if called != self._dies or self.has_died:
            return None
        self.has_died = True
        return self._death


class _Crashing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, crashing: CrashingActivities) -> None:  # noqa: A002
        super().__init__(next)
        self._crashing = crashing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        info = activity.info()
        death = self._crashing.death_at((info.workflow_type or "", info.activity_type))
        if death is None:
            return await super().execute_activity(input)
        if death is Death.AFTER:
            await super().execute_activity(input)
        raise ApplicationError("its worker is gone", type="worker_lost")
