"""A process that stood still between reading its attempt and sending it sends nothing: its key may be forgotten."""

import asyncio
import dataclasses
import os
import signal
import sys
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway import attempts
from activities.gateway.clocks import Clocks, SendingLimit, SendingLimits, elapsed
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.errors import GatewayBusyError
from models.recovery.beat import Beat
from sandbox.stripe.control.client import FaultKind, SandboxControl
from sandbox.workers import ROOT
from tests.gateway.test_attempts import STILL_GOOD, Attempt, attempt
from tests.support.attempts import age_attempts, charged, never_answer, request_for
from tests.support.builders import Merchant

__all__ = ["attempt"]

LONG = timedelta(hours=25)
# Longer than the limit and the time-out of the process that is frozen.
FROZEN_SECONDS = 0.7


async def test_what_was_read_too_long_ago_is_not_sent_and_is_read_again(
    attempt: Attempt, stripe_sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stripe_sandbox.request_counts().get(attempt.operation, 0)
    with monkeypatch.context() as late:
        late.setattr(attempts, "SEND_WITHIN", timedelta(seconds=-1))
        failure = await attempt.fails_as()
    sent = stripe_sandbox.request_counts().get(attempt.operation, 0)

    again = await attempt.make()

    assert (failure, sent - before) == ("GatewayBusy", 0)
    assert again in {"settled", "refunded", "pending", "accepted"}


def stood_still(limit: SendingLimit) -> bool:
    """Say whether a limit is over after a process has stood still for long."""
    return elapsed() - limit.since_elapsed + LONG > limit.within


class StandsStill:
    """A pace at which a process stands still once, for so long that the gateway forgets the key."""

    def __init__(self, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sandbox, self._monkeypatch = sandbox, monkeypatch
        self.is_on = False

    async def __aenter__(self) -> None:
        if self.is_on:
            self.is_on = False
            self._sandbox.advance(LONG.total_seconds())
            self._monkeypatch.setattr(SendingLimit, "is_over", property(stood_still))

    async def __aexit__(self, *_: object) -> None:
        return None


async def test_a_charge_whose_answer_was_lost_is_not_made_again_by_a_worker_that_thaws_after_its_key_is_forgotten(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pace = StandsStill(stripe_sandbox, monkeypatch)
    collecting = CollectActivities(database, gateway, Clocks(database, gateway), pace)
    account = await merchant.account(owes_minor=2500)
    never_answer(stripe_sandbox, FaultKind.RESPONSE_LOST)
    with pytest.raises(ApplicationError):
        await collecting.collect(request_for(account))
    await age_attempts(owner_engine, started=STILL_GOOD, sent=STILL_GOOD)
    pace.is_on = True

    with pytest.raises(ApplicationError, match="not_sent_in_time"):
        await collecting.collect(request_for(account))

    assert charged(stripe_sandbox) == (1, 2500)


async def test_a_worker_that_stands_still_after_its_last_look_at_the_database_sends_nothing(
    attempt: Attempt, gateway: StripeGateway, stripe_sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stripe_sandbox.request_counts().get(attempt.operation, 0)

    async def stand_still() -> None:
        monkeypatch.setattr(
            SendingLimit, "is_over", property(lambda one: elapsed() - one.since_elapsed + LONG > one.within)
        )

    gateway.send_only_if(stand_still)
    failure = await attempt.fails_as()

    assert (failure, stripe_sandbox.request_counts().get(attempt.operation, 0) - before) == ("GatewayBusy", 0)


async def test_nothing_is_sent_for_an_activity_after_its_time_out_whatever_it_is(
    gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> None:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, start_to_close_timeout=timedelta(0))
    activity = SendingLimits().intercept_activity(MakesACustomer(gateway))

    with pytest.raises(GatewayBusyError, match="not_sent_in_time"):
        await environment.run(activity.execute_activity, ExecuteActivityInput(lambda: None, (), None, {}))

    assert [asked for asked in stripe_sandbox.request_counts() if not asked.startswith("GET")] == []


class MakesACustomer(ActivityInboundInterceptor):
    """What is sent without an attempt."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._gateway = gateway

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        return await self._gateway.remember_beat(Beat("still", 1, 1))


# A process that stops itself (SIGSTOP) at its last look at the database, or while it connects.
STOPS = """
import asyncio, os, signal, sys
from datetime import timedelta

import aiohttp

from activities.gateway.clocks import SendingLimit, sent_within
from activities.gateway.stripe_gateway import StripeGateway
from activities.gateway.translation import translating_errors
from models.gateway.errors import GatewayError

place, address = sys.argv[1:]
connect = aiohttp.TCPConnector._create_direct_connection


async def stop():
    os.kill(os.getpid(), signal.SIGSTOP)


async def stop_and_connect(*arguments, **options):
    await stop()
    return await connect(*arguments, **options)


async def main():
    gateway = StripeGateway("sk_test_duly", api_base=address, timeout_seconds=0.5)
    if place == "look":
        gateway.send_only_if(stop)
    else:
        aiohttp.TCPConnector._create_direct_connection = stop_and_connect
    try:
        with sent_within(SendingLimit(timedelta(seconds=0.5))), translating_errors():
            await gateway._client.v1.customers.create_async({"email": "late@duly.invalid"})
    except GatewayError as error:
        print(error.code)
    await gateway.close()


asyncio.run(main())
"""


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("place", "code"),
    [("look", "not_sent_in_time"), ("connect", "APIConnectionError")],
)
async def test_a_process_that_is_frozen_before_it_writes_has_written_nothing_when_it_thaws(
    stripe_sandbox: SandboxControl, place: str, code: str
) -> None:
    arguments = (sys.executable, "-c", STOPS, place, stripe_sandbox.base_url)
    child = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    # Without waiting for its end: it has stopped.
    await asyncio.to_thread(os.waitid, os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    await asyncio.sleep(FROZEN_SECONDS)

    child.send_signal(signal.SIGCONT)
    printed, _ = await child.communicate()

    assert (printed.decode().strip(), child.returncode) == (code, 0)
    assert stripe_sandbox.request_counts() == {}
