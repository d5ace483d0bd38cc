"""Somebody pays a payment request for its payer, by a card on file: once, whatever page is open meanwhile."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.gateway_request import CollectOutcome
from models.payments.card_payment import CardPayment
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.payments.paying_by_link import Payer, make, payer_at, submit, terms
from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest

FOR_THEM = CardPayment("maria", "our treat")
WHO = ("--actor", "maria", "--reason", "our treat")


@pytest.fixture
async def payer(database: Database, standing_duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Somebody with a browser."""
    async with payer_at(database, standing_duly, gateway) as somebody:
        yield somebody


def charges(sandbox: SandboxControl) -> list[int]:
    """How often money was taken, by currency."""
    return [total.charges.count for total in sandbox.movements().totals]


async def test_a_card_is_charged_once_and_the_open_page_is_closed_first(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer, period: str, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500, is_recurring=False)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(standing_duly, f"treat-{period}", terms(account, 0, invoices=(invoice,)))
    page = await payer.press(link.path)

    paid = await handle.execute_update(PaymentRequest.pay, FOR_THEM)
    result = await handle.result()

    assert (paid.outcome, paid.amount_minor, result.state) == (CollectOutcome.SETTLED, 2500, "paid")
    assert await submit(page) == 410
    assert (charges(stripe_sandbox), await merchant.balance(account)) == ([1], 0)
    assert "says maria: our treat" in str(await merchant.value("select decisions from duly.payment_requests"))


async def test_who_pays_on_the_page_at_the_last_moment_has_paid_and_no_card_is_charged(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer, period: str, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, link = await make(standing_duly, f"both-{period}", terms(account))
    assert await submit(await payer.press(link.path)) == 303

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(PaymentRequest.pay, FOR_THEM)

    # The event of the payment may have come already, or the closing of the page finds it.
    assert "payment_request_open" in str(refused.value.cause)
    assert (await handle.result()).state == "paid"
    assert (charges(stripe_sandbox), await merchant.balance(account)) == ([1], -2500)


@pytest.mark.nightly
async def test_a_decline_leaves_the_request_open_and_its_link_good(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer, period: str, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")])
    handle, link = await make(standing_duly, f"poor-{period}", terms(account))

    first = await handle.execute_update(PaymentRequest.pay, FOR_THEM)
    status = await handle.query(PaymentRequest.status)
    await payer.pay(link.path)
    await handle.signal(PaymentRequest.gateway_event)

    assert (first.outcome, first.decline_code, status.stage) == (CollectOutcome.DECLINED, "insufficient_funds", "open")
    assert (await handle.result()).state == "paid"
    assert charges(stripe_sandbox) == [1]


async def test_an_answer_that_is_lost_takes_the_money_once(
    standing_duly: RunningDuly, merchant: Merchant, period: str, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, _ = await make(standing_duly, f"lost-{period}", terms(account))
    stripe_sandbox.add_fault(Fault(operation="POST /v1/payment_intents", kind=FaultKind.RESPONSE_LOST))

    await handle.execute_update(PaymentRequest.pay, FOR_THEM)
    await handle.signal(PaymentRequest.gateway_event)

    assert (await handle.result()).state == "paid"
    assert charges(stripe_sandbox) == [1]


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_an_agent_pays_what_the_payer_may_choose_by_a_card_on_file(
    cli: CommandLine, merchant: Merchant, period: str
) -> None:
    account, bare = await merchant.account(), await merchant.account(cards=[])
    card = await merchant.value("select id from duly.cards")
    for id, whose in ((f"gift-{period}", account), (f"bare-{period}", bare)):
        limits = ("--least", "5.00", "--most", "50.00", "--no-mail", "--id", id)
        await cli.json("payment-requests", "create", whose, "--title", "A gift", *limits, *WHO)
    pay = ("payment-requests", "pay", f"gift-{period}", "--card", card)

    too_much = await cli(*pay, "--amount", "50.01", *WHO, "--json")
    no_card = await cli("payment-requests", "pay", f"bare-{period}", *WHO, "--json")
    nobody = await cli("payment-requests", "pay", "nobody", *WHO, "--json")
    paid = await cli.json(*pay, "--amount", "12.50", *WHO)

    async def is_paid() -> bool:
        return bool((await cli.json("payment-requests", "show", f"gift-{period}"))["state"] == "paid")

    await until(is_paid)
    shown = await cli.json("payment-requests", "show", f"gift-{period}")
    [payment] = (await cli.json("payments", "list", "--account", account))["payments"]
    rules = [one.rules[0][1] for one in (too_much, no_card, nobody)]
    assert rules == ["amount_within_limits", "card_required", "payment_request_exists"]
    assert (paid["answer"]["outcome"], shown["amount_minor"]) == ("settled", 1250)
    assert f"charged to {card}, says maria: our treat" in shown["decisions"][0]
    assert (payment["kind"], payment["state"], payment["method"]) == ("by_link", "succeeded", "card")
