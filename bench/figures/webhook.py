"""How soon the receiver of events answers at a steady rate, with real workflows to hint and a real database."""

import asyncio
import gc
import json
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median, quantiles

import aiohttp
import stripe

from activities.database import Database, create_engine
from bench.machine import Machine, this_machine
from sandbox.customers.merchant import configure
from sandbox.stack import StackOptions, running_stack
from sandbox.workers import EVENTS_PATH, running_webhook, running_worker

TARGET_PER_SECOND = 200
TARGET_MS = 50.0
WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Answers:
    """Events sent at a steady rate, and how long each answer took, in milliseconds."""

    machine: Machine
    per_second: int
    seconds: int
    accepted: int
    stored: int
    median_ms: float
    p99_ms: float
    max_ms: float
    within_target: float

    @property
    def sent(self) -> int:
        """How many events were sent."""
        return self.per_second * self.seconds


async def measure_webhook(*, seconds: int, per_second: int = TARGET_PER_SECOND) -> Answers:
    """Send so many events a second, each about a payment that nobody knows: the dearest kind to deliver."""
    async with running_stack(StackOptions(ui=False)) as stack, AsyncExitStack() as running:
        database = Database(create_engine(stack.settings.database_url, pool=2), timeout_seconds=10)
        running.push_async_callback(database.dispose)
        await configure(database)
        await running.enter_async_context(running_worker(stack, "workflow"))
        webhook = await running.enter_async_context(running_webhook(stack))
        url = f"{webhook.url}{EVENTS_PATH}"
        secret = stack.settings.stripe_webhook_secrets[0].get_secret_value()
        async with aiohttp.ClientSession() as session:
            # A receiver that has just started opens its connections with the first events.
            await _steadily(session, url, secret, "warm", WARM_UP_SECONDS * per_second, per_second)
            # The sender's own pauses must not be taken for the receiver's.
            gc.collect()
            gc.freeze()
            answers = await _steadily(session, url, secret, "evt", seconds * per_second, per_second)
        stored = (await database.rows("select count(*) from duly.gateway_events where id like 'evt\\_evt%'"))[0][0]
        took = sorted(milliseconds for status, milliseconds in answers if status == 200)
        return Answers(
            machine=await this_machine(database),
            per_second=per_second,
            seconds=seconds,
            accepted=len(took),
            stored=int(stored),
            median_ms=round(median(took), 2),
            p99_ms=round(quantiles(took, n=100)[98], 2),
            max_ms=round(took[-1], 2),
            within_target=round(sum(each <= TARGET_MS for each in took) / len(answers), 4),
        )


async def _steadily(
    session: aiohttp.ClientSession, url: str, secret: str, name: str, count: int, per_second: int
) -> list[tuple[int, float]]:
    """Send each event at its moment, whether or not the one before has been answered."""
    began, sending = time.perf_counter(), []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
        sending.append(asyncio.create_task(_send(session, url, secret, f"evt_{name}{number}")))
    return await asyncio.gather(*sending)


async def _send(session: aiohttp.ClientSession, url: str, secret: str, event_id: str) -> tuple[int, float]:
    about = {"id": f"pi_{event_id}", "object": "payment_intent", "metadata": {}, "status": "succeeded"}
    event = {"id": event_id, "type": "payment_intent.succeeded", "created": int(time.time()), "livemode": False}
    body = json.dumps(event | {"data": {"object": about}})
    header = {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, secret)}
    began = time.perf_counter()
    async with session.post(url, data=body, headers=header) as answer:
        await answer.read()
        return answer.status, (time.perf_counter() - began) * 1000
