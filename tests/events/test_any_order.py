"""Events are hints: whatever their order, however often they come and whichever are lost, the end is the same."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.events import GatewayEvent, SweepRequest
from models.gateway.gateway_request import RequestKind
from models.refunds.refund import RefundOrder, RefundRequest
from models.workflow_ids import WORKFLOW_QUEUE, refund_id, sweep_id
from sandbox.stripe.control.client import STRIPES_DELAYS, Answer, CardOutcome, SandboxControl
from tests.cards.test_registration import fill_in
from tests.fixtures.cards import CardClient
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.events.event_sweep import EventSweep
from workflows.events.targets import target_of
from workflows.refunds.refund import Refund

EXAMPLES = itertools.count(1)
# So many looks in a row find the same before nothing moves any more.
STILL = 4
A_DAY = 86_400
ONE_FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@dataclass(frozen=True)
class Delivery:
    """What becomes of events on their way: which are lost, which come twice, and in which order."""

    lost: frozenset[int]
    doubled: frozenset[int]
    order: int

    def deliver(self, events: Sequence[GatewayEvent]) -> list[GatewayEvent]:
        """The events as they arrive."""
        there = [event for number, event in enumerate(events) if number % 16 not in self.lost]
        there += [event for number, event in enumerate(events) if number % 16 in self.doubled]
        random.Random(self.order).shuffle(there)
        return there


POSTS = st.builds(
    Delivery,
    st.frozensets(st.integers(0, 15), max_size=8),
    st.frozensets(st.integers(0, 15), max_size=8),
    st.integers(0, 1000),
)


@pytest.fixture
def duly(standing_duly: RunningDuly) -> RunningDuly:
    """Duly at work on a server whose clock is the real one: only events end a wait."""
    return standing_duly


class Scenario:
    """Six customers to whom something happens at the gateway that only events tell."""

    def __init__(self, card_client: CardClient, sandbox: SandboxControl) -> None:
        self.name = f"any{next(EXAMPLES)}"
        self.card_client, self.sandbox, self.merchant = card_client, sandbox, card_client.merchant
        # A test card expires in the year after the gateway's: the years of two scenarios are compared as distances.
        self.year = datetime.fromtimestamp(sandbox.now(), UTC).year

    async def happen(self) -> None:
        """Let all of it happen; nothing is told yet."""
        await self._page()
        await self._confirmation()
        for change in (self._detached, self._renewed):
            account = await self._account(change.__name__)
            card, _ = await self.card_client.save(account)
            await change(str(await self.merchant.value("select token from duly.cards where id = :id", id=card)))
        await self._slow_payment()
        await self._refund_that_fails()

    async def stands(self) -> list[tuple[Any, ...]]:
        """How all of it stands, without ids that differ from one telling to the next."""
        rows = await self.merchant.run(
            "select split_part(a.id, '_', 2) as what, c.state, c.exp_year - :year, b.balance_minor, (select count(*)"
            " from duly.financial_transactions t where t.account_id = a.id and t.state = 'posted') as posted,"
            " (select string_agg(m.kind, ',' order by m.kind) from duly.messages m where m.account_id = a.id) as sent,"
            " (select string_agg(r.kind || ' ' || r.state, ',' order by r.kind, r.state)"
            " from duly.gateway_requests r where r.account_id = a.id) as asked"
            " from duly.accounts a join duly.account_balances b on b.account_id = a.id"
            " left join duly.cards c on c.account_id = a.id where a.id like :name || '_%' order by 1, 2",
            name=self.name,
            year=self.year,
        )
        return [tuple(row) for row in rows]

    async def _account(self, what: str, **options: Any) -> str:
        return await self.merchant.account(f"{self.name}_{what.strip('_')}", **{"cards": [], **options})

    async def _page(self) -> None:
        _, first = await self.card_client.page(await self._account("page"))
        await fill_in(first.url, card="pm_card_visa")

    async def _confirmation(self) -> None:
        account = await self._account("confirmation")
        _, first = await self.card_client.save(account, "pm_card_authenticationRequiredOnSetup")
        await fill_in(first.url, result="pass")

    async def _detached(self, token: str) -> None:
        await self.merchant.stripe.v1.payment_methods.detach_async(token)

    async def _renewed(self, token: str) -> None:
        self.sandbox.automatically_update_card(token)

    async def _slow_payment(self) -> None:
        slowly = CardOutcome(answer=Answer.PROCESS, then=Answer.SUCCEED, after_seconds=A_DAY)
        account = await self._account("slow", cards=["pm_card_visa"], answers=[slowly], owes_minor=2500)
        handle = await self.card_client.duly.start_collection(account)
        await handle.execute_update("first_outcome")
        self.sandbox.advance(A_DAY)

    async def _refund_that_fails(self) -> None:
        account = await self._account("refund", cards=["pm_card_visa"], owes_minor=2500)
        await (await self.card_client.duly.start_collection(account)).execute_update("first_outcome")
        self.sandbox.advance(STRIPES_DELAYS.balance_transaction)
        payment = await self.merchant.value(
            "select id from duly.financial_transactions where account_id = :id and classification = 'payment'",
            id=account,
        )
        order = RefundOrder(f"rf_{self.name}", payment, 1000, RequestKind.REFUND, "maria", is_acknowledged=True)
        handle = await self.card_client.duly.client.start_workflow(
            Refund.run,
            RefundRequest(order.refund_id, order=order),
            id=refund_id(order.refund_id),
            task_queue=WORKFLOW_QUEUE,
        )
        first: Any = await handle.execute_update("first_outcome")
        self.sandbox.fail_refund(first["gateway_reference"])


async def deliver_all(
    scenario: Scenario, inbox: EventInbox, gateway: StripeGateway, delivery: Delivery
) -> list[tuple[Any, ...]]:
    """Let everything happen, webhooks bring what they bring, and a sweep find the rest; return how it stands then."""
    since = datetime.fromtimestamp(scenario.sandbox.now(), UTC) - timedelta(seconds=1)
    await scenario.happen()
    events = sorted([event async for event in gateway.events(since)], key=lambda event: event.id)
    client = scenario.card_client.duly.client
    for event in delivery.deliver(events):
        await inbox.receive(event)
        await EventDelivery(inbox, client, target_of).deliver_waiting()
    await client.execute_workflow(
        EventSweep.run, SweepRequest("stripe"), id=sweep_id("stripe"), task_queue=WORKFLOW_QUEUE
    )
    return await settled(scenario)


async def settled(scenario: Scenario) -> list[tuple[Any, ...]]:
    """How it stands when nothing has moved for some looks: a busy machine may stop in the middle of a step."""
    stands, same = await scenario.stands(), 1
    while same < STILL:
        await asyncio.sleep(0.4)
        before, stands = stands, await scenario.stands()
        same = same + 1 if stands == before else 1
    return stands


# What each customer has in the end: state and years of the card, the balance, what was posted, and which mails.
VALIDATED, PAID = "card_validation posted", "payment posted"
END = [
    ("confirmation", "active", 1, 0, 0, "card_confirmation", VALIDATED),
    ("detached", "removed", 1, 0, 0, None, VALIDATED),
    ("page", "active", 1, 0, 0, "card_confirmation", VALIDATED),
    ("refund", "active", 1, 0, 4, "receipt,refund_failed,refunded", f"{PAID},refund reversed"),
    ("renewed", "active", 4, 0, 0, None, VALIDATED),
    ("slow", "active", 1, 0, 2, "receipt", PAID),
]


# A third is lost, a third comes twice, and none in its order.
@example_settings(phases=[Phase.explicit], suppress_health_check=ONE_FIXTURE)
@example(delivery=Delivery(frozenset({1, 4, 7, 10, 13}), frozenset({0, 3, 6, 9, 12}), 7))
@given(delivery=POSTS)
async def test_out_of_order_doubled_and_lost_events_come_to_the_same_end(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    inbox: EventInbox,
    stripe_sandbox: SandboxControl,
    delivery: Delivery,
) -> None:
    card_client = CardClient(duly, merchant, itertools.count(1000 * next(EXAMPLES)))

    assert await deliver_all(Scenario(card_client, stripe_sandbox), inbox, gateway, delivery) == END
    assert await merchant.run("select * from duly.invariant_violations") == []


@pytest.mark.nightly
@pytest.mark.slow
@example_settings(max_examples=6, phases=[Phase.generate], suppress_health_check=ONE_FIXTURE)
@given(delivery=POSTS)
async def test_in_any_order_doubled_or_lost_events_come_to_the_same_end(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    inbox: EventInbox,
    stripe_sandbox: SandboxControl,
    delivery: Delivery,
) -> None:
    card_client = CardClient(duly, merchant, itertools.count(1000 * next(EXAMPLES)))

    in_order = Delivery(frozenset(), frozenset(), 0)
    orderly = await deliver_all(Scenario(card_client, stripe_sandbox), inbox, gateway, in_order)
    other = await deliver_all(Scenario(card_client, stripe_sandbox), inbox, gateway, delivery)

    assert (orderly, other) == (END, END)
    assert await merchant.run("select * from duly.invariant_violations") == []
