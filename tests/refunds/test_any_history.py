"""Laws of money that goes back, over random histories of payments, refunds, rewards, disputes and faults."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from activities.database import Database
from activities.reductions.reductions import ReductionActivities
from models.reductions.reduction import ReductionState
from models.workflow_ids import dispute_id, reduction_id, refund_id
from sandbox.stripe.control.client import ControlError, DisputeScript, Fault, FaultKind
from tests.disputes.test_disputes import charge_of
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly

REFUNDS = "POST /v1/refunds"
NAMES = itertools.count(1)

STANDS = """
    select id, state from duly.gateway_requests union all select award_id, state from duly.reductions
    union all select id, state from duly.disputes union all select id, state from duly.gateway_events order by 1, 2
"""

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(300, 5000)),
        st.tuples(st.just("refund"), st.integers(1, 3000)),
        st.tuples(st.just("award"), st.integers(1, 900)),
        st.tuples(st.just("award_anywhere"), st.integers(1, 900)),
        st.tuples(st.just("cancel"), st.just(0)),
        st.tuples(st.just("dispute"), st.integers(1, 3000)),
        st.tuples(st.just("decide"), st.integers(0, 1)),
        st.tuples(st.just("fail_refund"), st.integers(0, 9)),
        st.tuples(st.just("lose_answer"), st.integers(1, 2)),
        st.tuples(st.just("event"), st.just(0)),
    ),
    min_size=4,
    max_size=12,
)


@dataclass
class History:
    """One customer's history. What may not be is refused, and that is part of it."""

    refunds: RefundClient
    rewards: ReductionClient
    account: str
    payments: list[str] = field(default_factory=list)
    awards: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)

    async def step(self, kind: str, value: int) -> None:
        """Let something happen."""
        try:
            await getattr(self, f"_{kind}")(value)
        except (WorkflowUpdateFailedError, ControlError):
            return

    async def finish(self) -> None:
        """Let every answer, event and decision arrive, and every workflow come to its end."""
        self.refunds.sandbox.clear_faults()
        for dispute in self.disputes:
            await self._settle(dispute)
        before, quiet = "", 0
        async with asyncio.timeout(180):
            while quiet < 2:
                await self.refunds.deliver_events()
                await self._end(dispute_id, "select id from duly.disputes")
                await self._end(reduction_id, "select award_id from duly.reductions")
                asked = "select id from duly.gateway_requests where of_request_id is not null and state <> 'rejected'"
                await self._end(refund_id, asked)
                now = str(await self.refunds.merchant.run(STANDS))
                before, quiet = now, quiet + 1 if now == before else 0

    async def _end(self, name: Callable[[str], str], those: str) -> None:
        """Wait for the ends of workflows; one that is about to be started is met again on the next round."""
        for row in await self.refunds.merchant.run(those):
            with contextlib.suppress(RPCError):
                await self.refunds.duly.client.get_workflow_handle(name(row[0])).result()

    async def _pay(self, amount: int) -> None:
        self.payments += await self.refunds.paid(amount, account=self.account)

    async def _refund(self, amount: int) -> None:
        if self.payments:
            await self.refunds.start(self.payments[amount % len(self.payments)], amount, name=f"rf_any_{next(NAMES)}")

    async def _award(self, amount: int, *, sale: bool = True) -> None:
        name = f"award_any_{next(NAMES)}"
        payment = self.payments[amount % len(self.payments)] if self.payments and sale else ""
        await self.rewards.award(self.account, amount, name=name, payment_id=payment)
        self.awards.append(name)

    async def _award_anywhere(self, amount: int) -> None:
        await self._award(amount, sale=False)

    async def _cancel(self, _: int) -> None:
        if self.payments:
            await self.refunds.cancel(self.payments[-1], name=f"rf_any_{next(NAMES)}")

    async def _dispute(self, amount: int) -> None:
        if not self.payments:
            return
        payment = self.payments[amount % len(self.payments)]
        # A bank that takes back more than is left is its own test: there the loss is ours.
        await until(self._is_every_award_planned)
        left = await self.refunds.merchant.value(
            "select (duly.payment_left(duly.payment_request_of(:id))).left_minor", id=payment
        )
        if left and await self.refunds.state_of(payment) == "posted":
            script = DisputeScript(amount=min(amount, left))
            dispute = self.refunds.sandbox.create_dispute(await charge_of(self.refunds, payment), script)
            self.disputes.append(str(dispute["id"]))
            await self.refunds.deliver_events()

    async def _is_every_award_planned(self) -> bool:
        """Whether what awards take of payments is written down; one that a dispute holds up has not begun."""
        activities = ReductionActivities(self.refunds.database)
        awards = [await activities.load_reduction(name) for name in self.awards]
        return all(award.state is not ReductionState.AWARDED or award.is_disputed for award in awards)

    async def _decide(self, won: int) -> None:
        if self.disputes:
            self.refunds.sandbox.close_dispute(self.disputes[-1], won=bool(won))

    async def _fail_refund(self, number: int) -> None:
        refunds = (await self.refunds.merchant.stripe.v1.refunds.list_async({"limit": 10})).data
        if refunds:
            self.refunds.sandbox.fail_refund(refunds[number % len(refunds)].id)

    async def _lose_answer(self, calls: int) -> None:
        self.refunds.sandbox.add_fault(
            Fault(operation=REFUNDS, kind=FaultKind.RESPONSE_LOST, calls=tuple(range(1, calls + 1)))
        )

    async def _event(self, _: int) -> None:
        await self.refunds.deliver_events()

    async def _settle(self, dispute: str) -> None:
        at_the_gateway = await self.refunds.merchant.stripe.v1.disputes.retrieve_async(dispute)
        if at_the_gateway.status not in {"won", "lost"}:
            self.refunds.sandbox.close_dispute(dispute, won=at_the_gateway.amount % 2 == 0)


@pytest.fixture
def duly(standing_duly: RunningDuly) -> RunningDuly:
    """Duly at work on a server whose clock is the real one: nothing here waits for a moment."""
    return standing_duly


@pytest.fixture
async def rewards(refunds: RefundClient, database: Database) -> ReductionClient:
    """A café that bears its rewards whole. Refunds are not watched: events of them start their workflows again."""
    await refunds.merchant.configure("[refund_rules]\nwatch_days = 0")
    rewards = ReductionClient(refunds, database)
    await rewards.open()
    return rewards


ONE_FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


# What once went wrong is told in the gate; every night draws histories that nobody has thought of.
@example_settings(phases=[Phase.explicit], suppress_health_check=ONE_FIXTURE)
# A refund whose answer was lost, and which an event about its payment found before its own workflow.
@example(
    steps=[
        ("refund", 1615),
        ("award", 332),
        ("lose_answer", 1),
        ("dispute", 130),
        ("decide", 0),
        ("award_anywhere", 87),
        ("refund", 2100),
        ("award_anywhere", 167),
    ]
)
# A refund that its bank sends back while the refund's workflow is ending.
@pytest.mark.slow
@example(
    steps=[
        ("award_anywhere", 124),
        ("cancel", 0),
        ("fail_refund", 7),
        ("award_anywhere", 673),
        ("lose_answer", 1),
        ("pay", 615),
        ("event", 0),
        ("award", 544),
        ("fail_refund", 6),
    ]
)
@given(steps=STEPS)
async def test_whatever_happens_the_books_agree_and_nobody_is_paid_twice(
    refunds: RefundClient, rewards: ReductionClient, steps: list[tuple[str, int]]
) -> None:
    await keeps_the_laws(refunds, rewards, steps)


# Shrinking would tell each story anew for minutes; a failure names its seed.
@pytest.mark.nightly
@pytest.mark.slow
@example_settings(max_examples=12, phases=[Phase.generate], suppress_health_check=ONE_FIXTURE)
@given(steps=STEPS)
async def test_whatever_is_drawn_the_books_agree_and_nobody_is_paid_twice(
    refunds: RefundClient, rewards: ReductionClient, steps: list[tuple[str, int]]
) -> None:
    await keeps_the_laws(refunds, rewards, steps)


async def keeps_the_laws(refunds: RefundClient, rewards: ReductionClient, steps: list[tuple[str, int]]) -> None:
    """Let a history happen and end; books, gateway and rewards agree."""
    history = History(
        refunds, rewards, await refunds.merchant.account(f"acc_any_{next(NAMES)}", cards=["pm_card_visa"])
    )
    await history.step("pay", 2000)

    for kind, value in steps:
        await history.step(kind, value)
    await history.finish()

    assert await refunds.wrong() == []
    for moved in refunds.sandbox.movements(group_by=("duly_payment",)).groups:
        assert moved.held_minor >= 0
    for award in history.awards:
        reduction = await ReductionActivities(refunds.database).load_reduction(award)
        assert reduction.granted_minor <= reduction.amount_minor
        assert not (reduction.is_sale_returned and reduction.granted_minor)
        if reduction.state is ReductionState.GRANTED:
            assert reduction.granted_minor == reduction.amount_minor
        if reduction.state is ReductionState.CLAWED_BACK:
            assert reduction.granted_minor == 0
    granted = await refunds.merchant.value(
        "select coalesce(sum(amount_minor), 0) from duly.reduction_parts where credit_id is not null"
        " and undone_by is null"
    )
    assert (await rewards.expense(), await refunds.merchant.balance("acc_cafe")) == (0, granted)


async def test_the_laws_would_notice_a_reward_that_was_paid_twice(
    refunds: RefundClient, rewards: ReductionClient
) -> None:
    [payment] = await refunds.paid(2500)
    intent = await refunds.merchant.value(
        "select gateway_reference from duly.financial_transactions where id = :id", id=payment
    )

    await refunds.merchant.stripe.v1.refunds.create_async({"payment_intent": intent, "amount": 100})

    assert await refunds.wrong() != []
