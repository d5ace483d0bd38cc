"""One attempt to collect: written down before the call, charged once, posted in one commit."""

from dataclasses import replace

from activities.collections.collect import CollectActivities
from models.gateway.gateway_request import CollectOutcome, CollectRequest
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import PERIOD, Merchant, declined


def request_for(account: str, attempt: int = 1) -> CollectRequest:
    return CollectRequest(account, PERIOD, "stripe", attempt=attempt)


async def test_a_payment_that_succeeds_settles_the_invoice(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)

    result = await collecting.collect(request_for(account))

    assert result.outcome == CollectOutcome.SETTLED
    assert result.amount_minor == 2500
    balance = "select balance_minor from duly.account_balances where account_id = :id"
    assert await merchant.value(balance, id=account) == 0
    assert stripe_sandbox.movements().totals[0].charges.amount_minor == 2500


async def test_the_same_attempt_asked_again_charges_nothing_more(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    first = await collecting.collect(request_for(account))

    second = await collecting.collect(request_for(account))

    assert second == replace(first, took_ms=0)
    assert stripe_sandbox.request_counts()["POST /v1/payment_intents"] == 1


async def test_a_decline_is_an_answer(merchant: Merchant, collecting: CollectActivities) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)

    result = await collecting.collect(request_for(account))

    assert result.outcome == CollectOutcome.DECLINED
    assert result.decline_code == "insufficient_funds"
