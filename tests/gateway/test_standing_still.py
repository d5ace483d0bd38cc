"""A process that stood still between reading its attempt and sending it sends nothing: its key may be forgotten."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway import attempts
from activities.gateway.attempts import StoredAttempt
from activities.gateway.clocks import Clocks, elapsed
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.stripe.control.client import FaultKind, SandboxControl
from tests.gateway.test_attempts import STILL_GOOD, Attempt, attempt
from tests.support.attempts import age_attempts, charged, never_answer, request_for
from tests.support.builders import Merchant

__all__ = ["attempt"]


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


class StandsStill:
    """A pace at which a process stands still once, for so long that the gateway forgets the key."""

    def __init__(self, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sandbox, self._monkeypatch = sandbox, monkeypatch
        self.is_on = False

    async def __aenter__(self) -> None:
        if self.is_on:
            self.is_on = False
            self._sandbox.advance(timedelta(hours=25).total_seconds())
            self._monkeypatch.setattr(
                StoredAttempt, "age", property(lambda one: elapsed() - one.read_elapsed + timedelta(hours=25))
            )

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
