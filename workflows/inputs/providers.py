"""A start that names a provider: one that nobody has configured would be waited for, and for ever."""

from typing import Any

from temporalio import workflow

from activities.configuration.providers import ProviderActivities
from models.problem import Problem
from models.workflow_inputs import quoted
from workflows.inputs.runner import is_from_duly
from workflows.options import DATABASE

PROVIDER_EXISTS = "provider_exists"

# Workflows that were started by a release before 0.2.0 went on without asking.
_PATCH = "provider-is-configured"


class ProviderCheck:
    """Asks once, at the start of a workflow that a client has started, whether the provider is configured."""

    def __init__(self) -> None:
        self._is_wanted: bool | None = None
        self._is_done = False

    async def problems_of(self, request: Any) -> list[Problem]:
        """Return what is wrong with the provider that a start names."""
        provider = getattr(request, "provider", None)
        if not self._wanted():
            return []
        known = [] if provider is None else await self._configured()
        self._is_done = True
        if provider is None or provider in known:
            return []
        there_are = f"there are {', '.join(known)}" if known else "there is none yet: apply definitions"
        return [Problem("provider", PROVIDER_EXISTS, f"{quoted(provider)} is not configured; {there_are}")]

    async def done(self) -> None:
        """Wait until the start has been checked: whoever asks something in the same call gets the same refusal."""
        if self._wanted() and not self._is_done:
            await workflow.wait_condition(lambda: self._is_done)

    def _wanted(self) -> bool:
        if self._is_wanted is None:
            is_client = not is_from_duly(workflow.info().headers)
            self._is_wanted = is_client and workflow.patched(_PATCH)
        return self._is_wanted

    async def _configured(self) -> list[str]:
        # In the worker itself: the answer costs one read, and no task of the queue.
        return await workflow.execute_local_activity_method(
            ProviderActivities.configured_providers,
            args=[],
            start_to_close_timeout=DATABASE["start_to_close_timeout"],
            retry_policy=DATABASE["retry_policy"],
        )
