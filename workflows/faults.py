"""What becomes of a workflow whose work fails: only a decision ends it, everything else suspends it for a while.

A rule that refuses what a workflow was started for is a decision, which whoever has started it is given. Whatever else
fails (a bug, a race, a schema of another release) says nothing about the business object. Its row is open, so the
workflow asks a person, waits, and goes on as new from the row.
"""

import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any, NoReturn, Protocol, TypeVar, runtime_checkable

from pydantic import TypeAdapter
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from workflows import visibility

Result = TypeVar("Result")
State = TypeVar("State")

# How long a workflow stands still after a fault; a person who has mended it sooner may reset it.
FAULT_PAUSE = timedelta(minutes=10)
# Updates that are under way when it goes on as new get so long to be answered.
LAST_ANSWERS = timedelta(minutes=1)
# Those that wait for this execution are told then that it goes on, which takes no time; a call may still be under way.
LAST_WORDS = timedelta(seconds=1)

# What a schedule or the next event starts again, and what then does all that was left: these fail, and are seen to.
REPEATED = frozenset(
    {
        *("EventSweep", "GatewayMovements", "LedgerAudit", "Mailing", "Reconciliation", "Reminders"),
        *("ReportDelivery", "Supervisor"),
    }
)

# A header of an execution that goes on from its rows: that somebody had cancelled it, and what it knew. Inputs stay as
# they are, for they are what clients give.
_CARRIED = "duly-carried"
_TO_CARRY = "_to_carry"
_GOES_ON = "_goes_on_after_fault"

# Of a failure so much is shown.
_SHOWN = 300


class Refusal(Exception):
    """A rule refused what a workflow was started for, and nothing was written: it fails with the activity's error."""

    def __init__(self, error: ActivityError) -> None:
        super().__init__(str(error))
        self.error = error


@runtime_checkable
class CarriesOver(Protocol):
    """A workflow that knows more than its rows, which must not be lost."""

    def carried_after_fault(self) -> object:
        """Return what the execution that goes on after a fault has to know."""
        ...


@runtime_checkable
class KeepsAnswerToCancel(Protocol):
    """A workflow whose answer to a Cancel is part of what it carries over: it must not be asked once more."""

    has_answered_cancel: bool


def broken_rule(error: ActivityError) -> ApplicationError | None:
    """Return the rule that was broken where a repeat would break it again; None for what a repeat may mend."""
    cause = error.cause
    return cause if isinstance(cause, ApplicationError) and cause.non_retryable else None


async def suspend_after_faults(
    run: Coroutine[Any, Any, Result], request: object, show: Callable[[str], None]
) -> Result:
    """Run a workflow. After a fault it stands still, listed as needing a person, and goes on as new from its rows."""
    try:
        return await run
    except Refusal as refusal:
        raise refusal.error from None
    except (FailureError, TimeoutError) as error:
        is_ended = is_cancelled_exception(error) or workflow.info().workflow_type in REPEATED
        if is_ended or not workflow.patched("suspends-after-faults"):
            raise
        fault = _describe(error)
    workflow.logger.error("suspended_after_fault", extra={"fault": fault})
    goes_on_at = workflow.now() + FAULT_PAUSE
    show(f"{fault}; it goes on from its rows at {goes_on_at:%Y-%m-%d %H:%M}Z")
    _ask_a_person(fault.partition(":")[0])
    await workflow.sleep(FAULT_PAUSE, summary=f"goes on from its rows after {fault}"[:_SHOWN])
    await _answer_updates()
    end_review()
    instance: object = workflow.instance()
    state = instance.carried_after_fault() if isinstance(instance, CarriesOver) else None
    go_on_from_rows(_request_after(request), cancelled=cancel_to_carry(), state=state)


def cancel_to_carry() -> str | None:
    """Return why it was cancelled, where the next execution has to answer that: Temporal delivers a Cancel once.

    So it goes from execution to execution, however often a fault comes in between.
    """
    instance: object = workflow.instance()
    if isinstance(instance, KeepsAnswerToCancel) and instance.has_answered_cancel:
        return None
    reason = workflow.cancellation_reason()
    return carried_cancel() if reason is None else reason


def go_on_from_rows(request: object, *, cancelled: str | None, state: object) -> NoReturn:
    """Continue as new with what neither the rows nor the input know: why it was cancelled, and what it has to know."""
    carried = {"cancelled": cancelled, "state": state}
    setattr(workflow.instance(), _TO_CARRY, {_CARRIED: workflow.payload_converter().to_payload(carried)})
    workflow.continue_as_new(request)


def end_review() -> None:
    """Take the workflow off the list of those that need a person."""
    workflow.upsert_search_attributes(
        [visibility.NEEDS_REVIEW.value_set(False), visibility.REVIEW_REASON.value_unset()]
    )


def headers_to_carry() -> Mapping[str, Payload]:
    """Return the headers of the execution that goes on from rows alone; none where its input carries all it needs."""
    headers: Mapping[str, Payload] = getattr(workflow.instance(), _TO_CARRY, {})
    return headers


def carried_cancel() -> str | None:
    """Return why the execution before this one was cancelled; None when it was not, or has answered that."""
    reason = _carried().get("cancelled")
    return None if reason is None else str(reason)


def carried_state(kind: type[State]) -> State | None:
    """Return what the execution before this one knew beyond its rows; None for a first one."""
    state = _carried().get("state")
    return None if state is None else TypeAdapter(kind).validate_python(state)


def _carried() -> Mapping[str, Any]:
    payload = workflow.info().headers.get(_CARRIED)
    return {} if payload is None else json.loads(payload.data)


async def _answer_updates() -> None:
    """Let updates that are under way end, and tell those that wait for this execution to ask the next one."""
    try:
        await workflow.wait_condition(workflow.all_handlers_finished, timeout=LAST_ANSWERS)
    except TimeoutError:
        if workflow.patched("waiting-updates-are-told"):
            setattr(workflow.instance(), _GOES_ON, True)
            with suppress(TimeoutError):
                await workflow.wait_condition(workflow.all_handlers_finished, timeout=LAST_WORDS)
        if not workflow.all_handlers_finished():
            workflow.logger.warning("updates_left")


def goes_on() -> bool:
    """Say whether this execution ends after a fault, and nothing that is waited for comes any more."""
    return bool(getattr(workflow.instance(), _GOES_ON, False))


def _request_after(request: object) -> object:
    if is_dataclass(request) and not isinstance(request, type) and "resumed" in {one.name for one in fields(request)}:
        # What was carried along may be what does not agree with the rows.
        return replace(request, resumed=None)
    return request


def _describe(error: FailureError | TimeoutError) -> str:
    cause = error.cause if isinstance(error, FailureError) and error.cause else error
    kind = cause.type if isinstance(cause, ApplicationError) and cause.type else type(cause).__name__
    return f"{kind}: {cause}"[:_SHOWN]


def _ask_a_person(reason: str) -> None:
    workflow.upsert_search_attributes(
        [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
    )
