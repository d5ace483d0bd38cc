"""A month with two providers: whatever goes wrong at the first, the second's money moves, and each keeps its own."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError

from activities.reductions.reductions import open_reduction
from models.collections.collection import RetryCommand, Stage
from models.gateway.events import SweepRequest
from models.operator_command import OperatorCommand
from models.reconciliation.reconciliation import ReconciliationCertificate, ReconciliationRequest
from models.reductions.reduction import Award, ReductionRequest
from models.refunds.refund import RefundOutcome
from models.runs.process_run import Certificate, ItemOutcome
from models.runs.refund_run import RefundCertificate, RefundRunRequest
from models.workflow_ids import (
    WORKFLOW_QUEUE,
    reconciliation_id,
    reduction_id,
    refund_run_id,
    sweep_id,
)
from sandbox.stripe.control.client import Fault, FaultKind
from tests.fixtures.refunds import RefundClient
from tests.runs.providers.conftest import TwoProviders
from tests.support.builders import declined
from tests.support.invariants import complaints
from tests.support.run_control import send_update, until
from workflows.collections.collection import Collection
from workflows.events.event_sweep import EventSweep
from workflows.reconciliation.reconciliation import Reconciliation
from workflows.runs.payment_run import PaymentRun
from workflows.runs.refund_run import RefundRun

PRICE = 1190
REWARD = 200
CREDIT = 300
WHO = ("maria", "as agreed")


class Customers:
    """One provider's: one who pays, one whose card declines twice, one who gets a reward and one who is in credit."""

    def __init__(self, client: RefundClient, period: str) -> None:
        self.client = client
        self.period = period
        self.pays, self.declines, self.earns, self.credited = (
            f"{client.provider}-{who}-{period}" for who in ("pays", "declines", "earns", "credited")
        )

    @property
    def name(self) -> str:
        """What ids of theirs end in."""
        return f"{self.client.provider}_{self.period}"

    async def open(self) -> None:
        """Open the accounts; each buys the plan."""
        merchant = self.client.merchant
        for account in (self.pays, self.earns, self.credited):
            await merchant.account(account)
        await merchant.account(self.declines, answers=[declined("insufficient_funds")] * 2)
        for account in (self.pays, self.declines, self.earns, self.credited):
            await merchant.subscription(account, price_minor=1000, starts_on=date.fromisoformat(f"{self.period}-01"))

    async def payment_of(self, account: str) -> str:
        """The payment of an account."""
        return str(
            await self.client.merchant.value(
                "select transaction_id from duly.gateway_requests where account_id = :id and kind = 'payment'",
                id=account,
            )
        )


def charged(certificate: Certificate) -> tuple[int, int]:
    """Members that were charged, and how much."""
    found = [total for total in certificate.totals if total.outcome == ItemOutcome.CHARGED]
    return sum(total.members for total in found), sum(total.amount_minor for total in found)


async def refund_run(two: TwoProviders, client: RefundClient) -> RefundCertificate:
    day = date.fromisoformat(f"{two.period}-15")
    return await two.duly.client.execute_workflow(
        RefundRun.run,
        RefundRunRequest(client.provider, day, not_due_yet=True),
        id=refund_run_id(client.provider, f"{day}"),
        task_queue=WORKFLOW_QUEUE,
    )


async def reconciled(two: TwoProviders, client: RefundClient) -> ReconciliationCertificate:
    day = datetime.fromtimestamp(client.sandbox.now(), UTC).date()
    return await two.duly.client.execute_workflow(
        Reconciliation.run,
        ReconciliationRequest(client.provider, day, 0),
        id=reconciliation_id(client.provider, f"{day}"),
        task_queue=WORKFLOW_QUEUE,
    )


async def swept(two: TwoProviders, client: RefundClient) -> None:
    """Let the provider's events be listed and delivered."""
    await two.duly.client.execute_workflow(
        EventSweep.run, SweepRequest(client.provider), id=sweep_id(client.provider), task_queue=WORKFLOW_QUEUE
    )


async def dunned(two: TwoProviders, account: str) -> str:
    """Try again twice: the card has money by then."""
    handle = two.duly.collection(account, two.period)
    for _ in range(2):
        await until(lambda: is_between_attempts(handle))
        await handle.execute_update(Collection.retry_now, RetryCommand(*WHO))
    return str((await handle.result()).stage)


async def is_between_attempts(handle: WorkflowHandle[Any, Any]) -> bool:
    return bool((await handle.query(Collection.status)).stage == Stage.DUNNING)


async def rest_of_month(two: TwoProviders, customers: Customers) -> dict[str, Any]:
    """Dunning, a refund that its bank sends back, a reward, a credit, events: all that follows a run."""
    client, name = customers.client, f"rf_{customers.name}"
    stage = await dunned(two, customers.declines)
    refunded = await client.start(await customers.payment_of(customers.pays), 500, name=name)
    client.sandbox.fail_refund(refunded.gateway_reference)
    await swept(two, client)
    returned = await client.ended(name)
    await open_reduction(two.database, Award(f"award_{customers.name}", "cafe", customers.earns, REWARD, "EUR"))
    await client.merchant.transfer(customers.credited, CREDIT)
    certificate = await refund_run(two, client)
    return {
        "dunned": stage,
        "refunded": (refunded.outcome, returned.outcome),
        "sent back": [(total.kind, total.outcome, total.refunded_minor) for total in certificate.totals],
    }


ALL_WELL = {
    "dunned": Stage.SETTLED,
    "refunded": (RefundOutcome.REFUNDED, RefundOutcome.REVERSED),
    "sent back": [("credit", "refunded", CREDIT), ("reward", "refunded", REWARD)],
}


# A month takes ten seconds: the gate has the one whose answer is lost after its effect.
IN_THE_GATE = frozenset({FaultKind.RESPONSE_LOST})


def gated(fault: FaultKind | None) -> Any:
    """Leave a fault to the nightly run unless the gate has it."""
    return fault if fault in IN_THE_GATE else pytest.param(fault, marks=pytest.mark.nightly)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*map(gated, [None, *FaultKind])])
async def test_a_month_of_two_providers_whatever_happens_at_the_first(
    two: TwoProviders, fault: FaultKind | None
) -> None:
    ours, theirs = Customers(two.first, two.period), Customers(two.second, two.period)
    await ours.open()
    await theirs.open()
    await two.first.merchant.configure("[refund_rules]\nrefunds_credit = true")
    await two.duly.bill(period=two.period)
    if fault is not None:
        two.first.sandbox.add_fault(Fault(operation="POST *", kind=fault))

    first = await two.duly.start_run("monthly", two.period)
    second = await two.duly.run("others", two.period)
    their_month = await rest_of_month(two, theirs)
    theirs_differ = await complaints(two.second.sandbox, two.database, two.second.gateway, "other")
    two.first.sandbox.clear_faults()
    with suppress(WorkflowUpdateFailedError, RPCError):
        # Those that the gateway has answered nobody look again after a while, or when they are told to.
        await send_update(first, PaymentRun.resume, OperatorCommand(*WHO))
    await first.result()
    for account in (ours.pays, ours.earns, ours.credited):
        if await two.first.merchant.balance(account):
            await two.settled(account)
    our_month = await rest_of_month(two, ours)
    await swept(two, two.first)
    await swept(two, two.second)

    assert (charged(second), their_month, theirs_differ) == ((3, 3 * PRICE), ALL_WELL, [])
    assert our_month == ALL_WELL
    for client in (two.first, two.second):
        assert await complaints(client.sandbox, two.database, client.gateway, client.provider) == []
        certificate = await reconciled(two, client)
        assert (certificate.open_discrepancies, [one.difference_minor for one in certificate.balances]) == (0, [0])
    assert await two.first.merchant.value("select count(*) from duly.discrepancies") == 0


@pytest.mark.nightly
async def test_a_reward_is_in_the_run_of_the_provider_through_which_it_goes_back(two: TwoProviders) -> None:
    [ours], [theirs] = await two.first.paid(2500), await two.second.paid(2500)
    for number, payment in enumerate((ours, theirs)):
        account = await two.first.account_of(payment)
        await open_reduction(two.database, Award(f"award_{number}_of", "cafe", account, 500, "EUR", payment))
        await open_reduction(two.database, Award(f"award_{number}_any", "cafe", account, 300, "EUR"))

    certificates = [await refund_run(two, two.first), await refund_run(two, two.second)]

    assert [one.members for one in certificates] == [2, 2]
    assert await two.provider_of("award_0_of.1", "award_0_any.1") == {"stripe"}
    assert await two.provider_of("award_1_of.1", "award_1_any.1") == {"other"}
    assert await two.first.wrong() == []
    assert await two.second.wrong() == []


async def test_a_customer_of_both_is_paid_back_once_and_by_each_what_was_paid_there(two: TwoProviders) -> None:
    await two.first.merchant.configure("[refund_rules]\nrefunds_credit = true")
    [ours] = await two.first.paid(700)
    account = await two.first.account_of(ours)
    customer = await two.second.merchant.stripe.v1.customers.create_async({"metadata": {"duly_account": account}})
    await two.first.merchant.run(
        "insert into duly.gateway_customers values ('other', :account, :customer)",
        account=account,
        customer=customer.id,
    )
    await two.second.merchant.card(account, "pm_card_visa")
    await two.second.paid(500, account=account)
    await two.first.merchant.transfer(account, 1000)

    certificates = [await refund_run(two, two.first), await refund_run(two, two.second)]

    back = [[(total.kind, total.refunded_minor) for total in one.totals] for one in certificates]
    assert back == [[("credit", 700)], [("credit", 300)]]
    assert await two.first.merchant.balance(account) == 0
    assert await two.first.wrong() == []
    assert await two.second.wrong() == []


@pytest.mark.nightly
async def test_a_reduction_that_names_no_provider_refunds_through_that_of_the_payment(two: TwoProviders) -> None:
    [payment] = await two.second.paid(2500)
    account = await two.first.account_of(payment)

    await two.rewards.award(account, 500, name="award_there", payment_id=payment)
    await two.duly.client.get_workflow_handle(reduction_id("award_there")).execute_update("first_outcome")
    [refund] = (await two.second.merchant.stripe.v1.refunds.list_async({})).data
    two.second.sandbox.fail_refund(refund.id)
    await swept(two, two.second)
    reduction = await two.rewards.ended("award_there")

    assert (reduction.granted_minor, [part.state for part in reduction.parts]) == (500, ["undone", "credited"])
    assert await two.second.wrong() == []


@pytest.mark.nightly
async def test_a_reduction_that_is_restarted_by_a_return_goes_on_with_the_provider_of_its_refund(
    two: TwoProviders,
) -> None:
    [payment] = await two.second.paid(2500)
    await two.rewards.award(await two.first.account_of(payment), 500, name="award_again", payment_id=payment)
    handle: WorkflowHandle[Any, Any] = two.duly.client.get_workflow_handle(reduction_id("award_again"))
    await handle.execute_update("first_outcome")
    await handle.terminate("pressed by an operator")
    [refund] = (await two.second.merchant.stripe.v1.refunds.list_async({})).data
    two.second.sandbox.fail_refund(refund.id)

    await swept(two, two.second)
    await two.second.ended("award_again.1")

    started = await anext(aiter(handle.fetch_history_events()))
    [request] = await two.duly.client.data_converter.decode(
        started.workflow_execution_started_event_attributes.input.payloads, [ReductionRequest]
    )
    assert request.provider == "other"
