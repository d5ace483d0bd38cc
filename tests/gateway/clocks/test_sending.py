"""While a clock is wrong nothing new is sent, what was sent is found, and nobody is charged twice."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from aiolimiter import AsyncLimiter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.cards.cards import CardActivities
from activities.collections.collect import CollectActivities
from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.refunds.refunds import RefundActivities
from models.cards.card import CardRegistration, ValidationRequest
from models.gateway.gateway_request import CollectOutcome
from models.refunds.refund import RefundAttempt, RefundOrder
from sandbox.servers.shown_clock import ShownClock
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.support.attempts import CHARGES, age_attempts, charged, refused_type, request_for, until_answered
from tests.support.builders import Merchant
from tests.support.wrong_clocks import HOUR, SIX_MINUTES

ACCOUNTS = 6
# The gate has every clock both ways, once by an hour and once by minutes.
IN_THE_GATE = {
    ("database", SIX_MINUTES), ("database", -HOUR), ("gateway", HOUR), ("gateway", -SIX_MINUTES),
    ("worker", SIX_MINUTES), ("worker", -HOUR),
}  # fmt: skip
OFF = [
    pytest.param(
        whose,
        seconds,
        id=f"{whose} {seconds:+d} s",
        marks=() if (whose, seconds) in IN_THE_GATE else pytest.mark.nightly,
    )
    for whose in ("database", "gateway", "worker")
    for seconds in (HOUR, SIX_MINUTES, -SIX_MINUTES, -HOUR)
]
PACE = AsyncLimiter(1000, 1)
SetClock = Callable[[str, float], None]


@pytest.fixture
def set_clock(database_clock: ShownClock, gateway_clock: ShownClock) -> SetClock:
    """Lets somebody's clock be wrong by so many seconds. For a worker both others are, the other way round."""

    def set_it(whose: str, seconds: float) -> None:
        database_clock.set({"database": seconds, "worker": -seconds}.get(whose, 0))
        gateway_clock.set({"gateway": seconds, "worker": -seconds}.get(whose, 0))

    return set_it


@pytest.fixture
async def collecting(database: Database, gateway: StripeGateway) -> CollectActivities:
    """The activity that collects. Its worker has compared the clocks when it started, and found them good."""
    clocks = Clocks(database, gateway)
    await clocks.measure()
    return CollectActivities(database, gateway, clocks, PACE)


async def written(merchant: Merchant) -> int:
    """How many attempts were written down."""
    return int(await merchant.value("select count(*) from duly.gateway_attempts"))


async def change_attempts(owner: AsyncEngine, changes: str) -> None:
    """Change every attempt as it is stored."""
    async with owner.begin() as connection:
        await connection.execute(text(f"update duly.gateway_attempts set {changes}"))


@pytest.mark.parametrize(("whose", "seconds"), OFF)
async def test_nothing_new_is_written_or_sent_until_the_clocks_agree(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl,
    set_clock: SetClock, whose: str, seconds: int,
) -> None:  # fmt: skip
    collecting = CollectActivities(database, gateway, Clocks(database, gateway), PACE)
    account = await merchant.account(owes_minor=2500)
    set_clock(whose, seconds)

    refused = await refused_type(collecting, request_for(account))
    sent, rows = stripe_sandbox.request_counts().get(CHARGES, 0), await written(merchant)
    set_clock(whose, 0)
    collecting = CollectActivities(database, gateway, Clocks(database, gateway), PACE)
    settled = await collecting.collect(request_for(account))

    assert (refused, sent, rows) == ("GatewayClocksDiffer", 0, 0)
    assert settled.outcome is CollectOutcome.SETTLED
    assert charged(stripe_sandbox) == (1, 2500)


@pytest.mark.parametrize(("whose", "seconds"), OFF)
async def test_of_charges_whose_answers_were_lost_none_is_made_twice_whichever_clock_is_wrong(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl,
    set_clock: SetClock, whose: str, seconds: int,
) -> None:  # fmt: skip
    accounts = [await merchant.account(owes_minor=2500) for _ in range(ACCOUNTS)]
    half = tuple(range(1, ACCOUNTS + 1, 2))
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.STORED_500_AFTER_EFFECT, calls=half))
    for account in accounts:
        with suppress(ApplicationError):
            await collecting.collect(request_for(account))

    set_clock(whose, seconds)
    found = [(await until_answered(collecting, request_for(account))).outcome for account in accounts]
    set_clock(whose, 0)
    again = [(await collecting.collect(request_for(account))).outcome for account in accounts]

    assert found == again == [CollectOutcome.SETTLED] * ACCOUNTS
    assert charged(stripe_sandbox) == (ACCOUNTS, 2500 * ACCOUNTS)


@pytest.mark.gate_cases(6)
@pytest.mark.parametrize("kind", [FaultKind.REQUEST_LOST, FaultKind.SERVER_ERROR_500])
@pytest.mark.parametrize(("whose", "seconds"), OFF)
async def test_a_charge_that_never_arrived_is_not_declared_absent_by_a_wrong_clock(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl,
    set_clock: SetClock, whose: str, seconds: int, kind: FaultKind,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=kind))
    await refused_type(collecting, request_for(account))
    set_clock(whose, seconds)
    checks = {await refused_type(collecting, request_for(account)) for _ in range(3)}

    assert checks == {"GatewayUnanswered"}
    assert await merchant.value("select outcome from duly.gateway_attempts") in {None, "unknown"}


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
async def test_the_quiet_period_does_not_begin_by_a_wrong_clock(
    merchant: Merchant, collecting: CollectActivities, set_clock: SetClock, owner_engine: AsyncEngine,
    stripe_sandbox: SandboxControl, seconds: int,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.REQUEST_LOST))
    await refused_type(collecting, request_for(account))
    # Its worker was killed before it wrote down that there was no answer, and the key is too old by now.
    await change_attempts(owner_engine, "started_at = now() - interval '25 hours', quiet_since = null")

    set_clock("gateway", seconds)
    wrong = await refused_type(collecting, request_for(account))
    begun = await merchant.value("select quiet_since from duly.gateway_attempts")
    set_clock("gateway", 0)
    right = await refused_type(collecting, request_for(account))

    assert (wrong, begun, right) == ("GatewayUnanswered", None, "GatewayUnanswered")
    assert await merchant.value("select quiet_since from duly.gateway_attempts") is not None


async def test_absence_is_proved_when_the_quiet_period_is_over_by_the_gateways_clock(
    merchant: Merchant, gateway: StripeGateway, collecting: CollectActivities, stripe_sandbox: SandboxControl,
    set_clock: SetClock, owner_engine: AsyncEngine,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.REQUEST_LOST))
    await refused_type(collecting, request_for(account))
    await change_attempts(
        owner_engine, "started_at = now() - interval '25 hours', quiet_since = now() - interval '200 seconds'"
    )

    set_clock("gateway", -50)  # there 150 s have passed
    await gateway.verify()
    first = await refused_type(collecting, request_for(account))
    set_clock("gateway", 0)
    await gateway.verify()
    second = await collecting.collect(request_for(account))

    assert first == "GatewayUnanswered"
    assert second.outcome is CollectOutcome.DID_NOT_HAPPEN


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
async def test_pages_cards_and_refunds_wait_as_well_and_leave_no_row(
    merchant: Merchant, database: Database, gateway: StripeGateway, collecting: CollectActivities,
    stripe_sandbox: SandboxControl, set_clock: SetClock, seconds: int,
) -> None:  # fmt: skip
    clocks = Clocks(database, gateway)
    payer, holder, debtor = [await merchant.account(owes_minor=2500) for _ in range(3)]
    await collecting.collect(request_for(payer))
    payment = await merchant.value("select transaction_id from duly.gateway_requests")
    cards = CardActivities(database, gateway, clocks, PACE, "https://duly.example/saved")
    token = await merchant.fresh_token("pm_card_visa")
    await cards.register_card(CardRegistration("card_new", holder, "stripe", token=token))
    pages = PaymentPageActivities(database, gateway, clocks, "https://duly.example/paid")
    refunds = RefundActivities(database, gateway, clocks, PACE, "stripe")
    before, rows = stripe_sandbox.request_counts(), await written(merchant)

    set_clock("database", seconds)
    refused = []
    for call in (
        pages.open_page(request_for(debtor)),
        cards.validate_card(ValidationRequest("card_new", "stripe", 1)),
        refunds.refund(RefundAttempt(RefundOrder("rf_1", payment, 1000, is_acknowledged=True))),
    ):
        with pytest.raises(ApplicationError) as failed:
            await call
        refused.append((failed.value.type, failed.value.non_retryable, failed.value.message.partition(" is ")[0]))

    assert set(refused) == {("GatewayClocksDiffer", False, "the clock of the database")}
    assert await written(merchant) == rows
    posts = {name: count for name, count in stripe_sandbox.request_counts().items() if name.startswith("POST")}
    assert posts == {name: count for name, count in before.items() if name.startswith("POST")}


async def test_a_refund_is_still_checked_while_clocks_are_wrong(
    merchant: Merchant, database: Database, gateway: StripeGateway, collecting: CollectActivities, set_clock: SetClock,
    owner_engine: AsyncEngine,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    await collecting.collect(request_for(account))
    payment = await merchant.value("select transaction_id from duly.gateway_requests")
    refunds = RefundActivities(database, gateway, Clocks(database, gateway), PACE, "stripe")
    made = await refunds.refund(RefundAttempt(RefundOrder("rf_1", payment, 1000, is_acknowledged=True)))
    await age_attempts(owner_engine, started=timedelta(hours=25), sent=timedelta(hours=25))

    set_clock("worker", HOUR)
    checked = await refunds.check_refund("rf_1")

    assert checked == made


async def test_clocks_a_little_apart_stop_nothing(
    merchant: Merchant, collecting: CollectActivities, set_clock: SetClock
) -> None:
    account = await merchant.account(owes_minor=2500)
    set_clock("gateway", 45)

    assert (await collecting.collect(request_for(account))).outcome is CollectOutcome.SETTLED
