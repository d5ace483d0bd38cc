"""When nobody knows, charges, validations and refunds are treated alike: sent again, looked for, proved by absence."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiolimiter import AsyncLimiter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.cards.cards import CardActivities
from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway.attempts import QUIET_PERIOD
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.refunds.refunds import RefundActivities
from models.cards.card import CardRegistration, ValidationRequest
from models.gateway.gateway_request import FINAL_OUTCOMES, AttemptOutcome
from models.refunds.refund import RefundAttempt, RefundOrder
from sandbox.stripe.control.client import STRIPES_DELAYS, Fault, FaultKind, SandboxControl
from tests.support.attempts import CHARGES, age_attempts, request_for
from tests.support.builders import Merchant

A_DAY_AND_AN_HOUR = timedelta(hours=25)
STILL_GOOD = timedelta(hours=22)


@dataclass(frozen=True)
class Attempt:
    """One attempt at the gateway that can be made again and again, and the call that sends it."""

    operation: str
    make: Callable[[], Awaitable[str]]

    async def fails_as(self) -> str:
        """Make it, see it fail, and return the type of the failure."""
        with pytest.raises(ApplicationError) as failed:
            await self.make()
        return str(failed.value.type)


async def charge(merchant: Merchant, database: Database, gateway: StripeGateway) -> Attempt:
    """The charge of an invoice."""
    collecting = CollectActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1))
    account = await merchant.account(owes_minor=2500)

    async def make() -> str:
        return (await collecting.collect(request_for(account))).outcome

    return Attempt(CHARGES, make)


async def validation(merchant: Merchant, database: Database, gateway: StripeGateway) -> Attempt:
    """The validation of a new card."""
    cards = CardActivities(
        database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1), "https://duly.example/saved"
    )
    token = await merchant.fresh_token("pm_card_visa")
    await cards.register_card(CardRegistration("card_new", await merchant.account(cards=[]), "stripe", token=token))

    async def make() -> str:
        return (await cards.validate_card(ValidationRequest("card_new", "stripe", 1))).outcome

    return Attempt("POST /v1/setup_intents", make)


async def refund(merchant: Merchant, database: Database, gateway: StripeGateway) -> Attempt:
    """The refund of a payment."""
    refunds = RefundActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1), "stripe")
    await (await charge(merchant, database, gateway)).make()
    merchant.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    payment = await merchant.value("select transaction_id from duly.gateway_requests")

    async def make() -> str:
        return (await refunds.refund(RefundAttempt(RefundOrder("rf_1", payment, 1000, is_acknowledged=True)))).outcome

    return Attempt("POST /v1/refunds", make)


@pytest.fixture(params=[charge, validation, refund])
async def attempt(
    request: pytest.FixtureRequest, merchant: Merchant, database: Database, gateway: StripeGateway
) -> Attempt:
    """An attempt of each kind."""
    made: Attempt = await request.param(merchant, database, gateway)
    return made


async def started_a_day_ago(owner: AsyncEngine) -> None:
    """Let the attempts be too old for their keys to be sent; when they were last sent stays."""
    async with owner.begin() as connection:
        await connection.execute(
            text("update duly.gateway_attempts set started_at = clock_timestamp() - interval '25 hours'")
        )


async def test_absence_proves_nothing_within_the_quiet_period_and_that_it_did_not_happen_after_it(
    attempt: Attempt, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    stripe_sandbox.add_fault(Fault(operation=attempt.operation, kind=FaultKind.REQUEST_LOST, calls=(1,)))
    lost = await attempt.fails_as()
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=QUIET_PERIOD - timedelta(minutes=1))

    too_early = await attempt.fails_as()
    # The gateway says in whole seconds what time it is.
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=QUIET_PERIOD + timedelta(seconds=5))

    assert (lost, too_early) == ("GatewayUnanswered", "GatewayUnanswered")
    assert await attempt.make() == "did_not_happen"


async def test_the_quiet_period_counts_from_the_last_sending_not_from_the_first(
    attempt: Attempt, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    stripe_sandbox.add_fault(Fault(operation=attempt.operation, kind=FaultKind.REQUEST_LOST, calls=(1, 2)))
    await attempt.fails_as()
    await age_attempts(owner_engine, started=STILL_GOOD, sent=STILL_GOOD)

    await attempt.fails_as()
    await started_a_day_ago(owner_engine)

    assert await attempt.fails_as() == "GatewayUnanswered"


async def test_what_is_found_counts_within_the_quiet_period_too(
    attempt: Attempt, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    stripe_sandbox.add_fault(Fault(operation=attempt.operation, kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    await attempt.fails_as()
    sent = stripe_sandbox.request_counts()[attempt.operation]
    await started_a_day_ago(owner_engine)

    found = await attempt.make()

    assert found in {"settled", "accepted", "refunded"}
    assert stripe_sandbox.request_counts()[attempt.operation] == sent


async def test_a_list_that_is_empty_because_the_account_is_another_proves_nothing(
    attempt: Attempt, merchant: Merchant, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    stripe_sandbox.add_fault(Fault(operation=attempt.operation, kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    await attempt.fails_as()
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=A_DAY_AND_AN_HOUR)
    stripe_sandbox.reset()  # as if the key had become another account's, which knows none of it

    refused = await attempt.fails_as()

    last = "select state from duly.gateway_requests order by created_at desc limit 1"
    assert (refused, await merchant.value(last)) == ("GatewayUnanswered", "unknown")


async def test_too_many_calls_are_not_unknown(attempt: Attempt, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.add_fault(Fault(operation=attempt.operation, kind=FaultKind.RATE_LIMIT, calls=(1,)))

    assert await attempt.fails_as() == "GatewayBusy"
    assert await attempt.make() in {"settled", "accepted", "refunded"}


@pytest.mark.parametrize("outcome", [*AttemptOutcome, None])
async def test_the_database_knows_the_same_outcomes_as_final(
    owner_engine: AsyncEngine, outcome: AttemptOutcome | None
) -> None:
    async with owner_engine.connect() as connection:
        is_final = await connection.scalar(text("select duly.is_final(:outcome)"), {"outcome": outcome})

    assert is_final is (outcome in FINAL_OUTCOMES)
