"""What an activity makes of a gateway that gives no answer: Temporal asks again whatever may pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.exceptions import ApplicationError

from activities.database import RuleBrokenError
from models.gateway.charges import GatewayBusyError, GatewayError, GatewayRefusedError


@contextmanager
def retryable_gateway_errors() -> Iterator[None]:
    """Let Temporal ask again whatever may pass, and nothing that the gateway refuses for good."""
    try:
        yield
    except GatewayRefusedError as error:
        raise RuleBrokenError("gateway_takes_it", error.code) from None
    except GatewayError as error:
        delay = timedelta(seconds=error.retry_after_seconds) if isinstance(error, GatewayBusyError) else None
        raise ApplicationError(error.code, type="GatewayUnanswered", next_retry_delay=delay) from None
