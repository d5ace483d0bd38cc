"""A call waits for no connection: the rate and the slots limit how many there are."""

import asyncio

from activities.gateway.stripe_gateway import StripeGateway
from sandbox.stripe.control.client import Latency, SandboxControl
from tests.support.builders import API_KEY
from tests.support.run_control import until

CALLS = 130


async def test_more_than_a_hundred_calls_are_at_the_gateway_at_once(stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_latency(Latency(median_seconds=60, percentile_99_seconds=60))
    gateway = StripeGateway(API_KEY, api_base=stripe_sandbox.base_url, timeout_seconds=80)
    calls = [asyncio.create_task(gateway.verify()) for _ in range(CALLS)]

    async def all_are_there() -> bool:
        return sum(stripe_sandbox.request_counts().values()) == CALLS

    await until(all_are_there)
    answered = sum(call.done() for call in calls)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await gateway.close()

    assert answered == 0
