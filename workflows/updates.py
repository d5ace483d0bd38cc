"""Updates: a typed way to declare an asynchronous one with a description, and how it answers a refusal."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import UpdateMethodMultiParam

from workflows.faults import goes_on

Params = ParamSpec("Params")
Result = TypeVar("Result")

# The rule by which an update ends with its execution, and not with an answer.
GOES_ON = "goes_on_after_fault"


def async_update(
    description: str,
) -> Callable[[Callable[Params, Awaitable[Result]]], UpdateMethodMultiParam[Params, Result]]:
    """Declare an update; the SDK's decorator, when described, takes an async handler's result for a coroutine."""
    decorate: Any = workflow.update(description=description)
    return cast("Callable[[Callable[Params, Awaitable[Result]]], UpdateMethodMultiParam[Params, Result]]", decorate)


def async_question(
    description: str,
) -> Callable[[Callable[[Any], Awaitable[Result]]], UpdateMethodMultiParam[[Any], Result]]:
    """Declare an asynchronous update that takes no arguments.

    It gets a validator: without one the SDK accepts an update before InputChecks can refuse what it is given.
    """

    def decorate(handler: Callable[[Any], Awaitable[Result]]) -> UpdateMethodMultiParam[[Any], Result]:
        update = async_update(description)(handler)
        # The SDK compares its parameters, so it is bare as the handler's `self` is.
        update.validator(lambda _workflow: None)
        return update

    return decorate


async def until_answer(is_known: Callable[[], bool]) -> None:
    """Wait in an update until it can be answered. Raises ApplicationError when a fault ends the execution before that.

    What it has accepted is done by the next one (`workflows.faults.CarriesOver`), which answers whoever asks again.
    """
    await workflow.wait_condition(lambda: is_known() or goes_on())
    if not is_known():
        raise _goes_on_as_new()


def require_stays() -> None:
    """Fail an update whose turn comes when the execution is about to end after a fault: what it began would be cut off.

    Raises ApplicationError as `until_answer` does.
    """
    if goes_on():
        raise _goes_on_as_new()


def _goes_on_as_new() -> ApplicationError:
    message = "workflow: it goes on as new after a fault, with what it has accepted: ask again"
    return ApplicationError(message, type=GOES_ON, non_retryable=True)


@contextmanager
def surfacing_refusal() -> Iterator[None]:
    """Answer an update with the rule that refused it, not with the failure of an activity."""
    try:
        yield
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError):
            raise ApplicationError(error.cause.message, type=error.cause.type, non_retryable=True) from error
        raise
