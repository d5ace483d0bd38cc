"""A month: subscriptions become invoices, invoices become payments, and what has to wait is collected in time."""

from models.collections.collection import Stage
from models.runs.process_run import Certificate, ItemOutcome
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly


def members(certificate: Certificate, outcome: ItemOutcome) -> int:
    return sum(total.members for total in certificate.totals if total.outcome == outcome)


async def test_every_subscription_that_is_due_is_billed_and_every_invoice_collected(
    duly: RunningDuly, merchant: Merchant
) -> None:
    for _ in range(3):
        await merchant.subscription(await merchant.account(), price_minor=1000)

    billed, collected = await duly.bill(), await duly.run()

    assert members(billed, ItemOutcome.BILLED) == 3
    assert members(collected, ItemOutcome.CHARGED) == 3
    assert collected.totals[0].amount_minor == 3 * 1190
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 0


async def test_a_declined_payment_is_collected_by_the_policy(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")] * 2, owes_minor=2500)

    certificate = await duly.run()
    result = await duly.collected(account)

    assert members(certificate, ItemOutcome.IN_DUNNING) == 1
    assert (result.stage, result.attempts) == (Stage.SETTLED, 3)
    assert await merchant.balance(account) == 0


async def test_collection_gives_up_when_the_policy_is_used_up(duly: RunningDuly, merchant: Merchant) -> None:
    answers = [declined("insufficient_funds")]
    account = await merchant.account(answers=answers, answers_for_ever=True, owes_minor=2500)

    await duly.run()
    result = await duly.collected(account)

    assert (result.stage, result.reason, result.attempts) == (Stage.GIVEN_UP, "attempts_used_up", 5)
    assert await merchant.balance(account) == 2500
