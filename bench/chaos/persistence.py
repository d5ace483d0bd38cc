"""Calls of a client that does not give up: whatever is away for a moment is asked again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import httpx
import stripe
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.database import DatabaseUnavailableError

Answer = TypeVar("Answer")

PAUSE_SECONDS = 0.3
CALL_SECONDS = 20.0
# What an outage looks like to a client. A refusal by a rule is none of these.
AWAY = (
    DatabaseUnavailableError,
    RPCError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    stripe.APIConnectionError,
    stripe.APIError,
    stripe.RateLimitError,
    # Of an answer that ends in its middle Stripe's SDK says what its transport says.
    aiohttp.ClientError,
    httpx.TransportError,
    TimeoutError,
    # What is waited for fails with its workflow: an operator has ended it.
    WorkflowUpdateFailedError,
    WorkflowFailureError,
)


async def until_answered(
    call: Callable[[], Awaitable[Answer]], *, seconds: float, call_seconds: float = CALL_SECONDS
) -> Answer | None:
    """Call until there is an answer; None when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            async with asyncio.timeout(call_seconds):
                return await call()
        except AWAY:
            await asyncio.sleep(PAUSE_SECONDS)
    return None
