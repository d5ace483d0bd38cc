"""What people do at the gateway itself is found by its event, at once, and never delivered to who ignores it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowHandle

from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from models.collections.collection import CollectionResult, Stage
from models.payments.payment_request import PaymentRequestState
from sandbox.stripe.control.client import AccountSettings, Fault, FaultKind
from tests.fixtures.reconciling import ReconciliationClient
from tests.payments.paying_by_link import make, submit, terms
from tests.reconciliation.dashboard import pay_in_the_dashboard
from tests.support.attempts import never_answer
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from workflows.collections.collection import Collection
from workflows.events.targets import target_of
from workflows.payments.payment_request import PaymentRequest

WHO = ("--actor", "maria", "--reason", "as agreed")


async def deliver(reconciling: ReconciliationClient, *, times: int = 1) -> None:
    """Receive every event of the gateway and deliver it, through so many pauses."""
    inbox = EventInbox(reconciling.database, "stripe")
    since = datetime.fromtimestamp(reconciling.sandbox.now(), UTC) - timedelta(days=1)
    for _ in range(times):
        await inbox.receive(*[event async for event in reconciling.gateway.events(since)])
        await EventDelivery(inbox, reconciling.duly.client, target_of).deliver_waiting()
        async with reconciling.owner_engine.begin() as connection:
            await connection.execute(text("update duly.gateway_events set next_try_at = now() where state = 'waiting'"))


async def states(reconciling: ReconciliationClient) -> set[str]:
    rows = await reconciling.merchant.run("select distinct state from duly.gateway_events where subject <> ''")
    return {row.state for row in rows}


async def until_found(reconciling: ReconciliationClient, kind: str) -> None:
    async def is_found() -> bool:
        return kind in [one.kind for one in await reconciling.discrepancies()]

    await until(is_found)


async def test_a_refund_in_the_dashboard_is_booked_though_we_refunded_before_and_is_not_paid_again(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    reference = await reconciling.paid(account, period, 5000)
    payment = await reconciling.merchant.value(
        "select transaction_id from duly.gateway_requests where kind = 'payment'"
    )
    await cli.json("refunds", "create", payment, "--amount", "10.00", *WHO)
    await deliver(reconciling)
    await reconciling.stripe.v1.refunds.create_async({"payment_intent": reference, "amount": 2000})

    await deliver(reconciling)
    await until_found(reconciling, "unbooked_refund")

    await reconciling.until_owed(account, 3000)
    refused = await cli("refunds", "create", payment, "--amount", "30.00", *WHO)
    assert await reconciling.wrong() == []
    assert (refused.exit_code, "refund_within_captured" in refused.stderr) == (1, True)


async def refunded_twice(cli: CommandLine, reconciling: ReconciliationClient, period: str, *, by_word: bool) -> str:
    """Let a refund leave twice, by a person's word or by a gateway that ignores keys; return the account."""
    account, sandbox = await reconciling.merchant.account(), reconciling.sandbox
    await reconciling.paid(account, period, 5000)
    payment = await reconciling.merchant.value("select transaction_id from duly.gateway_requests")
    sandbox.set_account_settings(AccountSettings(honours_idempotency_keys=by_word))
    calls = () if by_word else (1,)
    sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=FaultKind.RESPONSE_LOST, calls=calls))
    sandbox.add_fault(Fault(operation="GET /v1/refunds", kind=FaultKind.UNAVAILABLE_503))
    await cli("refunds", "create", payment, "--amount", "10.00", "--id", f"rf_{period}", *WHO)
    if by_word:
        await cli.json("refunds", "resolve", f"rf_{period}", "--was-not-refunded", *WHO)
    sandbox.clear_faults()
    await reconciling.until_owed(account, 1000)
    return account


@pytest.mark.gate_cases("False")
@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("by_word", [True, False])
async def test_a_refund_that_left_twice_is_listed_by_its_event(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, by_word: bool
) -> None:
    account = await refunded_twice(cli, reconciling, period, by_word=by_word)

    await deliver(reconciling)
    await until_found(reconciling, "double_refund")
    await reconciling.until_owed(account, 2000)

    assert [(one.kind, one.state) for one in await reconciling.discrepancies()] == [("double_refund", "open")]
    assert (await reconciling.wrong(), await states(reconciling)) == ([], {"delivered"})


async def test_a_second_charge_under_another_key_is_listed_by_its_event(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    reference = await reconciling.paid(account, period)
    await deliver(reconciling)
    intent = await reconciling.stripe.v1.payment_intents.retrieve_async(reference)
    await pay_in_the_dashboard(reconciling, account, 2500, metadata=intent.metadata.to_dict())

    await deliver(reconciling)
    await until_found(reconciling, "double_charge")

    async def is_alerted() -> bool:
        alerts = await reconciling.merchant.run("select id from duly.messages where kind = 'discrepancies_found'")
        return len(alerts) == 1

    await until(is_alerted)
    assert await reconciling.merchant.balance(account) == -2500


async def test_a_payment_of_a_customer_of_ours_in_the_dashboard_is_booked_by_its_event(
    reconciling: ReconciliationClient,
) -> None:
    account = await reconciling.merchant.account(owes_minor=2500)
    await pay_in_the_dashboard(reconciling, account, 2500)

    await deliver(reconciling)
    await until_found(reconciling, "unbooked_charge")

    assert (await reconciling.merchant.balance(account), await states(reconciling)) == (0, {"delivered"})


async def taken_and_unanswered(
    reconciling: ReconciliationClient, account: str, period: str
) -> WorkflowHandle[Collection, CollectionResult]:
    """Start a collection whose charge succeeds while nobody answers, and which asks in vain what became of it."""
    sandbox = reconciling.sandbox
    never_answer(sandbox)
    handle = await reconciling.duly.start_collection(account, period)
    while not sandbox.movements().totals:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return handle


async def test_the_success_of_a_collection_that_was_terminated_is_not_delivered_to_nobody(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account(owes_minor=2500)
    handle = await taken_and_unanswered(reconciling, account, period)
    await handle.terminate("it hangs")
    reconciling.sandbox.clear_faults()

    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(text("update duly.gateway_attempts set sent_at = sent_at - interval '20 minutes'"))
    await deliver(reconciling, times=2)
    await until_found(reconciling, "unbooked_charge")

    assert await reconciling.wrong() == []
    assert await reconciling.merchant.balance(account) == 0


async def test_a_collection_that_was_cancelled_books_what_it_had_taken_by_itself(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account(owes_minor=2500)
    handle = await taken_and_unanswered(reconciling, account, period)
    await handle.cancel()
    reconciling.sandbox.clear_faults()
    await deliver(reconciling)

    result = await handle.result()

    assert result.stage is Stage.SETTLED
    assert (await reconciling.discrepancies(), await reconciling.wrong()) == ([], [])
    assert await reconciling.merchant.balance(account) == 0


@pytest.mark.nightly
async def test_a_payment_by_a_link_whose_event_was_lost_ends_its_request_as_soon_as_it_is_found(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    handle, _ = await make(reconciling.duly, f"lost-{period}", terms(account))
    page = await handle.execute_update(PaymentRequest.open_page)

    async def is_page_read() -> bool:
        return "is open" in (await handle.query(PaymentRequest.status)).next_action

    await until(is_page_read)
    await submit(page)
    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(text("update duly.gateway_attempts set sent_at = sent_at - interval '20 minutes'"))

    await reconciling.reconcile()

    assert (await handle.result()).state is PaymentRequestState.PAID
    assert (await reconciling.merchant.balance(account), await reconciling.wrong()) == (-2500, [])
