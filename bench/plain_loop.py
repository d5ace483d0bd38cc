"""The same payments by a plain loop over the same activity, in this process: what Temporal adds is the difference."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from aiolimiter import AsyncLimiter

from activities.collections.collect import CollectActivities
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.runs.payment_runs import PLAN, RunActivities
from bench.merchant import Merchant
from models.gateway.gateway_request import CollectRequest
from models.period import Period
from models.runs.process_run import Certificate, PageRequest, RunPlan
from models.workflow_ids import payment_run_id
from sandbox.customers.merchant import PAYMENT_DEFINITION

# Each payment uses a connection twice, and nothing here repeats one that has waited for it in vain: so many loops a
# connection leave none of them idle, and none waits for longer than a few calls of the others.
LOOPS_A_CONNECTION = 4


async def collect_plainly(merchant: Merchant, period: str, *, rate: float) -> Certificate:
    """Freeze, collect and certify a period as a payment run does, with as many payments in flight as it can answer."""
    settings, runs = merchant.stack.settings, RunActivities(merchant.database, rate=rate)
    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.gateway_timeout_seconds,
    )
    activities = CollectActivities(
        merchant.database, gateway, Clocks(merchant.database, gateway), AsyncLimiter(rate, 1)
    )
    try:
        plan = await _freeze(merchant, period)
        requests = iter([request async for request in _requests(runs, plan, period)])
        async with asyncio.TaskGroup() as loops:
            for _ in range(min(settings.gateway_slots, settings.database_pool * LOOPS_A_CONNECTION)):
                loops.create_task(_collect(requests, activities))
    finally:
        await gateway.close()
    return await runs.certify_run(plan.run_id)


async def _collect(requests: Iterator[CollectRequest], activities: CollectActivities) -> None:
    # All loops draw from one iterator: each takes the next payment when it is done with one.
    for request in requests:
        await activities.collect(request)


async def _freeze(merchant: Merchant, period: str) -> RunPlan:
    plan = await merchant.database.call(
        "freeze_payment_run",
        run_id=payment_run_id(PAYMENT_DEFINITION, period),
        definition_id=PAYMENT_DEFINITION,
        period=period,
        ends_on=Period.parse(period).ends_on,
    )
    return PLAN.validate_python(plan)


async def _requests(runs: RunActivities, plan: RunPlan, period: str) -> AsyncIterator[CollectRequest]:
    for shard in range(plan.shards):
        after = ""
        while members := (await runs.due_page(PageRequest(plan.run_id, shard, after, plan.page))).members:
            for due in members:
                yield CollectRequest(due.account_id, period, plan.provider, plan.run_id)
            after = members[-1].account_id
