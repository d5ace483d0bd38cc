"""Money that comes for a payment request that is over is booked, and kept or given back as the rule says."""

from collections.abc import AsyncIterator

import pytest

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.operator_command import OperatorCommand
from models.reconciliation.reconciliation import ObjectCheckRequest
from models.workflow_ids import WORKFLOW_QUEUE
from sandbox.stripe.control.client import AT_ONCE, STRIPES_DELAYS, SandboxControl
from tests.payments.paying_by_link import Payer, make, payer_at, submit, terms
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest
from workflows.reconciliation.object_check import ObjectCheck

WHO = OperatorCommand("maria", "agreed otherwise")


@pytest.fixture
async def payer(
    database: Database, standing_duly: RunningDuly, gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> AsyncIterator[Payer]:
    """Somebody with a browser, at a gateway that books at once."""
    stripe_sandbox.set_delays(AT_ONCE)
    async with payer_at(database, standing_duly, gateway) as somebody:
        yield somebody
    stripe_sandbox.set_delays(STRIPES_DELAYS)


async def paid_after_the_end(duly: RunningDuly, merchant: Merchant, payer: Payer, id: str) -> str:
    """Withdraw a request with its page, of which the gateway says later that it was paid; return the account."""
    account = await merchant.account(cards=[])
    handle, link = await make(duly, id, terms(account))
    await payer.press(link.path)
    await handle.execute_update(PaymentRequest.withdraw, WHO)
    await handle.result()
    await paid_late(duly, merchant)
    return account


async def paid_late(duly: RunningDuly, merchant: Merchant) -> None:
    """Let the gateway say of the first page, which it has called closed, that it was paid all the same."""
    attempt, *_ = await merchant.run(
        "select customer, idempotency_key, request_id, amount_minor from duly.gateway_attempts order by attempt"
    )
    card = await merchant.stripe.v1.payment_methods.attach_async("pm_card_visa", {"customer": attempt.customer})
    late = await merchant.stripe.v1.payment_intents.create_async(
        {
            "amount": attempt.amount_minor,
            "currency": "eur",
            "customer": attempt.customer,
            "payment_method": card.id,
            "confirm": True,
            "off_session": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"duly_request": attempt.request_id, "duly_attempt": attempt.idempotency_key},
        }
    )
    await duly.client.execute_workflow(
        ObjectCheck.run, ObjectCheckRequest(late.id, "stripe"), id=f"check/stripe/{late.id}", task_queue=WORKFLOW_QUEUE
    )


async def requests(merchant: Merchant) -> list[tuple[str, str, int]]:
    """What was asked of the gateway and is booked: kind, state and amount."""
    rows = await merchant.run(
        "select kind, state, amount_minor from duly.gateway_requests where state <> 'rejected' order by kind, id"
    )
    return [(row.kind, row.state, row.amount_minor) for row in rows]


@pytest.mark.parametrize(
    ("rule", "balance", "booked"),
    [
        ("keep", -2500, [("payment", "posted", 2500)]),
        ("refund", 0, [("payment", "posted", 2500), ("refund", "posted", 2500)]),
    ],
)
async def test_what_comes_late_is_kept_or_refunded_by_rule(
    standing_duly: RunningDuly,
    merchant: Merchant,
    payer: Payer,
    period: str,
    rule: str,
    balance: int,
    booked: list[tuple[str, str, int]],
) -> None:
    await merchant.configure(f'[refund_rules]\nlate_payments = "{rule}"')

    account = await paid_after_the_end(standing_duly, merchant, payer, f"late-{period}")

    # A refund is ordered in the commit that books the money.
    async def is_over() -> bool:
        return all(state == "posted" for _, state, _ in await requests(merchant))

    await until(is_over)
    assert await requests(merchant) == booked
    assert await merchant.balance(account) == balance
    assert (await merchant.run("select state from duly.payment_requests")) == [("withdrawn",)]


@pytest.mark.parametrize(
    ("rule", "balance", "booked"),
    [
        ("keep", -5000, [("payment", "posted", 2000), ("payment", "posted", 3000)]),
        pytest.param(
            "refund",
            -3000,
            [("payment", "posted", 2000), ("payment", "posted", 3000), ("refund", "posted", 2000)],
            marks=pytest.mark.nightly,
        ),
    ],
)
async def test_of_two_pages_that_were_paid_the_first_is_the_payment_and_the_other_goes_by_the_rule(
    standing_duly: RunningDuly,
    merchant: Merchant,
    payer: Payer,
    period: str,
    rule: str,
    balance: int,
    booked: list[tuple[str, str, int]],
) -> None:
    await merchant.configure(f'[refund_rules]\nlate_payments = "{rule}"')
    account = await merchant.account(cards=[])
    handle, link = await make(standing_duly, f"two-{period}", terms(account, 0, least_minor=1000, most_minor=5000))
    first = await payer.press(link.path, "20.00")
    second = await payer.press(link.path, "30.00")
    tabs = [await submit(first), await submit(second)]
    await handle.signal("gateway_event")
    paid = await handle.result()

    await paid_late(standing_duly, merchant)

    async def is_so() -> bool:
        return sorted(await requests(merchant)) == booked

    await until(is_so)
    assert tabs == [410, 303]
    assert (paid.state, paid.amount_minor) == ("paid", 3000)
    assert await merchant.balance(account) == balance
