"""What a customer does while a charge is under way: nothing is charged twice or lost, and pages are true."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from models.workflow_ids import collection_id, payment_request_id
from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl
from tests.portal.conftest import Customer
from tests.portal.test_actions import page_of
from tests.support.attempts import CHARGES, broken_invariants, charged, never_answer
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.gateways import HeldGateway
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly

WHO = ("--actor", "maria", "--reason", "as agreed")
POOR = declined("insufficient_funds")
UNDER_WAY, PAGE_OPEN = "A payment of it is under way.", "Its payment page is open."


@pytest.fixture
async def gateway(stripe_sandbox: SandboxControl) -> AsyncIterator[HeldGateway]:
    """Stripe on the sandbox, whose charges are held as long as a test wants."""
    held = HeldGateway(stripe_sandbox)
    yield held
    held.let_go()
    await held.close()


async def owing(customer: Customer, merchant: Merchant, *answers: CardOutcome, cards: Sequence[str]) -> tuple[str, str]:
    """An account that owes 11.90, in front of the portal, and its invoice."""
    account = await merchant.account(cards=cards, owes_minor=1190, answers=answers)
    await customer.enter(account)
    return account, await merchant.value(
        "select id from duly.financial_transactions where account_id = :id and classification = 'invoice'", id=account
    )


async def pay(customer: Customer, invoice: str, tab: str = "a") -> httpx.Response:
    """Press the button of a page that was opened a while ago, in a tab of its own."""
    await customer.open(f"/documents/{invoice}")
    return await customer.send(f"/documents/{invoice}/pay", key=tab * 32)


async def pay_on(page: str) -> int:
    async with httpx.AsyncClient() as browser:
        return (await browser.post(page, data={"card": "pm_card_visa"})).status_code


async def over(handle: WorkflowHandle[Any, Any]) -> None:
    """Say that the gateway has an event, and wait until a process has ended, which waits for no moment."""
    with suppress(RPCError):
        await handle.signal("gateway_event")

    async def is_over() -> bool:
        return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING

    await until(is_over)


@pytest.mark.gate_cases("remove-answer")
@pytest.mark.parametrize("held", ["request", "answer"])
@pytest.mark.parametrize("verb", ["remove", "replace", "default"])
async def test_a_card_is_changed_while_it_is_charged(
    acting: None,
    standing_duly: RunningDuly,
    gateway: HeldGateway,
    customer: Customer,
    merchant: Merchant,
    stripe_sandbox: SandboxControl,
    verb: str,
    held: str,
) -> None:
    account, invoice = await owing(customer, merchant, cards=("pm_card_visa", "pm_card_mastercard"))
    cards = "select id from duly.cards where account_id = :id order by fallback_order"
    first, second = [row.id for row in await merchant.run(cards, id=account)]
    await customer.open("/cards")
    gateway.hold(CHARGES, holds_answers=held == "answer")
    handle = await standing_duly.start_collection(account)
    await gateway.arrived(1)

    sent = await customer.send(f"/cards/{second if verb == 'default' else first}/{verb}")
    replaced = await pay_on(page_of(sent.text)) if verb == "replace" else 303
    overview = await customer.open("/")
    paid = await pay(customer, invoice)
    gateway.let_go()
    await over(handle)

    assert (sent.status_code, replaced) == (200 if verb == "replace" else 303, 303)
    assert (UNDER_WAY in overview, f"{invoice}/pay" in overview, UNDER_WAY in customer.last) == (True, False, True)
    assert (paid.status_code, "may be under way" in paid.text) == (409, True)
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((1, 1190), 0)
    assert await broken_invariants(merchant) == []
    assert "Nothing is open." in await customer.open("/")


@pytest.mark.nightly
@pytest.mark.parametrize("answer", ["unknown", "declined", "confirm"])
async def test_an_invoice_is_paid_in_two_tabs_while_it_is_collected(
    acting: None,
    standing_duly: RunningDuly,
    customer: Customer,
    merchant: Merchant,
    stripe_sandbox: SandboxControl,
    answer: str,
) -> None:
    answers = {"declined": [POOR], "confirm": [CardOutcome(answer=Answer.AUTHENTICATE)]}.get(answer, [])
    account, invoice = await owing(customer, merchant, *answers, cards=("pm_card_visa",))
    if answer == "unknown":
        never_answer(stripe_sandbox)
    handle = await standing_duly.start_collection(account)
    await handle.execute_update("first_outcome")
    tabs = [await pay(customer, invoice, tab) for tab in "ab"]
    between = await customer.open("/")

    if answer == "unknown":
        # Its answer was lost, and the money has moved.
        assert [(one.status_code, "may be under way" in one.text) for one in tabs] == [(409, True)] * 2
        stripe_sandbox.clear_faults()
    else:
        sent = sorted(await asyncio.gather(*(pay_on(page_of(one.text)) for one in tabs)))
        assert (sent[0], sent[1] >= 400) == (303, True)
    await over(handle)

    assert (UNDER_WAY if answer == "unknown" else PAGE_OPEN) in between
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((1, 1190), 0)
    assert await broken_invariants(merchant) == []
    assert "Nothing is open." in await customer.open("/")


# What an operator does, on a collection and on a request of the customer's own; {0} is the invoice, {1} the account,
# {2} the receivable or the request.
ENDS = {
    "write-off": ["transactions write-off {0} --type write_off --yes"] * 2,
    "cancel": ["transactions cancel {0} --yes"] * 2,
    "give-up": [f"collections give-up {{1}} {PERIOD}", "payment-requests withdraw {2}"],
    "terminate": ["accounts terminate {1}"] * 2,
}


@pytest.mark.gate_cases("cancel-collection-paid")
@pytest.mark.parametrize("order", ["paid", "after"])
@pytest.mark.parametrize("by", ["collection", "request"])
@pytest.mark.parametrize("command", ENDS)
async def test_the_operator_ends_what_its_customer_is_paying(
    *,
    acting: None,
    standing_duly: RunningDuly,
    customer: Customer,
    merchant: Merchant,
    stripe_sandbox: SandboxControl,
    cli: CommandLine,
    command: str,
    by: str,
    order: str,
) -> None:
    account, invoice = await owing(customer, merchant, POOR, cards=("pm_card_visa",))
    if by == "collection":
        collection = await standing_duly.start_collection(account)
        await collection.execute_update("first_outcome")
    page = page_of((await pay(customer, invoice)).text)
    request = "" if by == "collection" else await merchant.value("select id from duly.payment_requests")

    # when it is paid a moment before, or after: then its page is closed, or was paid all the same
    paid = await pay_on(page) if order == "paid" else 0
    words = ENDS[command][by == "request"].format(invoice, account, request).split()
    ended = await cli(*words, *WHO, "--json")
    paid = paid or await pay_on(page)
    if not (command == "terminate" and paid != 303):
        id = payment_request_id(request) if request else collection_id(account, PERIOD)
        await over(standing_duly.client.get_workflow_handle(id))

    # then all that has moved is booked once, for this customer, and no page is open
    moved = 1190 if paid == 303 else 0
    booked = await merchant.value(
        "select coalesce(sum(total_minor), 0) from duly.financial_transactions where classification = 'payment'"
        " and state <> 'draft' and method = 'card' and gateway_reference is not null"
        " and coalesce(intended_account_id, account_id) = :id",
        id=account,
    )
    late = await merchant.value(
        "select count(*) from duly.financial_transactions where intended_account_id is not null"
    )
    assert (ended.exit_code, paid in {303, 410}) == (0, True), ended.stderr
    assert (charged(stripe_sandbox)[1], booked) == (moved, moved)
    assert await broken_invariants(merchant) == []
    overview = await customer.open("/")
    assert ("came in after this account had ended" in overview) == bool(late)
    assert (f"{invoice}/pay" in overview) == (command == "give-up" and not moved)
    assert PAGE_OPEN not in overview
