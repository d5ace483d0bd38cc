"""Which of the gateway's errors Temporal retries, and as what; models/gateway/errors.py has the map of all errors."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.exceptions import ApplicationError

from activities.database import HELD_DELAY, RuleBrokenError
from models.gateway.errors import (
    GatewayAccessError,
    GatewayBusyError,
    GatewayError,
    GatewayHeldError,
    GatewayInvalidRequestError,
    GatewayUnansweredError,
)


def retryable(error: GatewayError) -> ApplicationError:
    """Return the failure that Temporal retries. A history keeps our code for it, not the words of the SDK."""
    match error:
        case GatewayBusyError():
            delay = timedelta(seconds=error.retry_after_seconds)
            return ApplicationError(error.code, type="GatewayBusy", next_retry_delay=delay)
        case GatewayHeldError():
            return ApplicationError(error.code, type="GatewayHeld", next_retry_delay=HELD_DELAY)
        case GatewayAccessError():
            return ApplicationError(error.code, type="GatewayAccess")
        case _:
            return ApplicationError(error.code, type="GatewayUnanswered")


@contextmanager
def retryable_gateway_errors() -> Iterator[None]:
    """Let Temporal retry whatever may pass, and nothing that is wrong for good."""
    try:
        yield
    except GatewayInvalidRequestError as error:
        raise RuleBrokenError("gateway_takes_it", error.code) from None
    except GatewayError as error:
        raise retryable(error) from None


async def why_unanswered(*questions: Callable[[], Awaitable[object]]) -> str:
    """Ask a gateway one thing after another; say why when it does not answer, and nothing when it does.

    Raises GatewayError when it answers that it does not take our key, or does not know what we ask for.
    """
    try:
        for ask in questions:
            await ask()
    except (GatewayUnansweredError, GatewayBusyError) as error:
        return error.code
    return ""
