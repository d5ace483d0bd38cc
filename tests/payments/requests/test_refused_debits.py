"""A bank refuses a debit days later: whoever gave it hears so, and of what can still be done at that moment."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.messages.rendering import MessageRenderer, Sender
from activities.messages.template_values import ClaimedMessage
from models.operator_command import OperatorCommand
from models.payments.payment_request import PaymentRequestInput, PaymentRequestState
from sandbox.stripe.control.client import SandboxControl
from tests.payments.paying_by_link import Payer, Requested, ended, make, payer_at, reachable, submit, terms
from tests.payments.test_bank_debits import DEBITS, RETURNS, debited
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest

DAYS = timedelta(days=7).total_seconds()
ADA, BOB = "ada@example.com", "bob@example.com"
RENDERER = MessageRenderer(Sender("Lumen <pay@lumen.example>", public_url="https://pay.lumen.example"))

TRANSFERS = """
    [[transaction_types]]
    id = "payment"
    payment_methods = ["card", "direct_debit", "bank_transfer"]
"""


@pytest.fixture
async def payer(
    database: Database, duly: RunningDuly, gateway: StripeGateway, merchant: Merchant
) -> AsyncIterator[Payer]:
    """Somebody with a browser, whose pages offer bank debits beside cards."""
    await merchant.configure(DEBITS)
    async with payer_at(database, duly, gateway) as somebody:
        yield somebody


async def failures(merchant: Merchant) -> list[str]:
    """The messages that say so, by what distinguishes them."""
    rows = await merchant.run("select id from duly.messages where parameters ->> 'reason' = 'failed' order by id")
    return [row.id.rpartition("/")[2] for row in rows]


async def claimed(database: Database, merchant: Merchant) -> ClaimedMessage | None:
    """The first of them as it is when it is sent; None where it is not sent."""
    id = await merchant.value("select min(id) from duly.messages where parameters ->> 'reason' = 'failed'")
    # Workers of tests have no mail server.
    await until(lambda: _is_withheld(merchant, id))
    await merchant.run("update duly.messages set state = 'pending' where id = :id", id=id)
    found = await database.call("claim_message", id=id)
    return TypeAdapter(ClaimedMessage).validate_python(found) if found else None


async def _is_withheld(merchant: Merchant, id: str) -> bool:
    return bool(await merchant.value("select state = 'withheld' from duly.messages where id = :id", id=id))


def written(message: ClaimedMessage | None) -> str:
    """What its reader reads."""
    assert message is not None
    return RENDERER.text_of(message, RENDERER.locale_of(message))


async def refuse(handle: Requested, stripe_sandbox: SandboxControl) -> None:
    """Let the bank answer."""
    stripe_sandbox.advance(DAYS)
    await handle.signal(PaymentRequest.gateway_event)


async def test_who_gave_a_debit_in_time_is_not_sent_to_a_link_that_is_over(
    duly: RunningDuly, merchant: Merchant, payer: Payer, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await reachable(merchant, await merchant.account())
    handle, link = await make(duly, "late-no", terms(account, is_mailed=True, valid_days=1))
    await debited(handle, payer, link.path, RETURNS)
    await duly.environment.sleep(timedelta(days=2))

    stripe_sandbox.advance(DAYS)
    result = await ended(duly, handle)
    message = await claimed(database, merchant)

    assert result.state is PaymentRequestState.EXPIRED
    assert await failures(merchant) == ["failed-1"]
    assert message is not None
    assert (message.standing, message.request_id) == ("expired", "")
    assert written(message).startswith("Your payment was not made: Consulting in May\n")
    assert "The time for this payment is over" in written(message)


async def test_a_refusal_that_no_workflow_has_seen_is_written_with_its_record(
    duly: RunningDuly, merchant: Merchant, payer: Payer, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await reachable(merchant, await merchant.account())
    wanted = terms(account, is_mailed=True)
    handle, link = await make(duly, "unseen", wanted)
    await debited(handle, payer, link.path, RETURNS)
    await handle.terminate("pressed by maria")
    stripe_sandbox.advance(DAYS)

    await make(duly, "unseen", wanted)
    await until(lambda: _is_open(merchant))

    assert await failures(merchant) == ["failed-1"]
    assert "Please pay in another way" in written(await claimed(database, merchant))


async def _is_open(merchant: Merchant) -> bool:
    return await merchant.value("select state from duly.payment_requests") == "open" and bool(await failures(merchant))


@pytest.mark.nightly
async def test_a_debit_that_was_refused_before_anybody_looked_is_written_of_too(
    duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await reachable(merchant, await merchant.account())
    handle, link = await make(duly, "never", terms(account, is_mailed=True))
    assert await submit(await payer.press(link.path), RETURNS) == 303

    await refuse(handle, stripe_sandbox)
    await until(lambda: _is_open(merchant))

    assert await failures(merchant) == ["failed-1"]


@pytest.mark.nightly
async def test_who_cancels_meanwhile_withdraws_and_the_payer_reads_that_nothing_is_to_be_done(
    duly: RunningDuly, merchant: Merchant, payer: Payer, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await reachable(merchant, await merchant.account())
    handle, link = await make(duly, "cancelled", terms(account, is_mailed=True))
    await debited(handle, payer, link.path, RETURNS)
    await handle.cancel()

    await refuse(handle, stripe_sandbox)
    result = await ended(duly, handle)

    assert result.state is PaymentRequestState.WITHDRAWN
    assert "asked for no more" in written(await claimed(database, merchant))


@pytest.mark.nightly
async def test_what_was_paid_by_transfer_meanwhile_is_asked_for_no_more(
    duly: RunningDuly, merchant: Merchant, payer: Payer, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await reachable(merchant, await merchant.account())
    invoice = await merchant.invoice(account, 2500)
    handle, link = await make(duly, "elsewhere", terms(account, 0, invoices=(invoice,), is_mailed=True))
    await debited(handle, payer, link.path, RETURNS)
    await merchant.configure(TRANSFERS)
    await merchant.transfer(account, 2500)
    await handle.signal(PaymentRequest.receivable_changed)

    await refuse(handle, stripe_sandbox)
    result = await ended(duly, handle)

    assert (result.state, result.reason) == (PaymentRequestState.PAID, "paid_elsewhere")
    assert "paid in another way meanwhile" in written(await claimed(database, merchant))


@pytest.mark.nightly
async def test_of_several_payers_nobody_is_said_to_have_given_it(
    duly: RunningDuly, merchant: Merchant, payer: Payer, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "dinner", terms(account, is_mailed=True, payers=(ADA, BOB)))
    await debited(handle, payer, link.path, RETURNS)

    await refuse(handle, stripe_sandbox)
    await until(lambda: _is_open(merchant))
    message = await claimed(database, merchant)

    assert await failures(merchant) == ["failed-1-1", "failed-1-2"]
    assert "a payment of this by bank debit was refused" in written(message)
    assert "your bank" not in written(message)


STANDING = {
    "open": "",
    "expired": "update duly.payment_requests set expires_at = now()",
    "withdrawn": "select duly.end_payment_request('asked', 'withdrawn', 'withdrawn')",
    "stopped": "update duly.providers set state = 'not_effective'",
}


@pytest.mark.gate_cases(12)
@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("new", {"open", "stopped"}),
        ("reminder", {"open"}),
        ("failed", {"open", "expired", "withdrawn", "stopped"}),
    ],
)
@pytest.mark.parametrize("standing", STANDING)
@pytest.mark.parametrize("locale", ["en", "de"])
async def test_a_link_is_mailed_only_while_it_leads_to_a_payment(
    database: Database, merchant: Merchant, standing: str, reason: str, sent: set[str], locale: str
) -> None:
    account = await reachable(merchant, await merchant.account())
    await merchant.run("update duly.accounts set locale = :locale", locale=locale)
    asked = PaymentRequestInput("asked", "stripe", terms(account))
    await database.call("create_payment_request", **_given(asked))
    await database.call("send_payment_request", id="asked", reason=reason, transition="once")
    if STANDING[standing]:
        await merchant.run(STANDING[standing])

    message = await database.call("claim_message", id=await merchant.value("select id from duly.messages"))

    assert (message is not None) == (standing in sent)
    if message is not None:
        text = written(TypeAdapter(ClaimedMessage).validate_python(message | {"link_token": "t0"}))
        assert (message["request_id"] != "") == (standing in {"open", "stopped"})
        assert ("https://pay.lumen.example/pay/t0" in text) == (standing in {"open", "stopped"})


def _given(asked: PaymentRequestInput) -> dict[str, Any]:
    assert asked.terms is not None
    return {
        "id": asked.request_id,
        "account_id": asked.terms.account_id,
        "provider_id": asked.provider,
        "title": asked.terms.title,
        "description": "",
        "asked": 2500,
        "currency": "EUR",
        "invoices": [],
        "valid_days": 14,
        "sender": "maria",
        "sender_email": "",
        "reason": "",
        "is_mailed": False,
    }


async def test_a_person_mails_no_link_that_nobody_can_pay_on_now(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    account = await reachable(merchant, await merchant.account())
    handle, _ = await make(duly, "again", terms(account))
    await merchant.run(STANDING["stopped"])

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(PaymentRequest.send_link, OperatorCommand("maria", f"asked {datetime.now(UTC)}"))

    assert getattr(refused.value.cause, "type", "") == "provider_effective"
    assert await merchant.value("select count(*) from duly.messages") == 0
