"""A payment request over time: it expires, its payer is reminded, and a bank answers days later."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.operator_command import OperatorCommand
from models.payments.payment_request import PaymentRequestResult, PaymentRequestState
from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.payments.paying_by_link import Payer, Requested, ended, make, payer_at, reachable, submit, terms
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest

WHO = OperatorCommand("maria", "the customer called")
PAGES = "POST /v1/checkout/sessions"


@pytest.fixture
async def payer(database: Database, duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Somebody with a browser."""
    async with payer_at(database, duly, gateway) as somebody:
        yield somebody


async def stage(handle: Requested) -> str:
    """Where the request stands."""
    return (await handle.query(PaymentRequest.status)).stage


async def mails(merchant: Merchant) -> list[str]:
    """The transitions of the mails with the link, in order."""
    rows = await merchant.run("select id from duly.messages where kind = 'payment_requested' order by created_at, id")
    return [row.id.rpartition("/")[2] for row in rows]


async def test_nobody_pays_and_it_expires_after_two_reminders_with_its_page_closed(
    duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await reachable(merchant, await merchant.account(owes_minor=2500))
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(duly, "exp-1", terms(account, 0, invoices=(invoice,), is_mailed=True))
    page = await payer.press(link.path)

    result = await ended(duly, handle)

    assert (result.state, result.reason) == (PaymentRequestState.EXPIRED, "expired")
    assert await submit(page) == 410
    assert await mails(merchant) == ["new", "reminder-3", "reminder-1"]
    assert "The time for this payment is over" in (await payer.visit(link.path)).text
    assert await merchant.value("select count(*) from duly.claims") == 0
    assert not stripe_sandbox.movements().totals


async def test_a_link_that_is_good_for_an_hour_says_its_minute_and_is_over_after_it_without_a_reminder(
    duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await reachable(merchant, await merchant.account())
    wanted = terms(account, is_mailed=True, valid_seconds=3600)
    handle, link = await make(duly, "hour-1", wanted)
    shown = await payer.visit(link.path)
    again, _ = await make(duly, "hour-1", wanted)
    with pytest.raises(WorkflowUpdateFailedError):
        await make(duly, "hour-1", terms(account, is_mailed=True, valid_seconds=3599))
    [row] = await merchant.run("select expires_at - created_at as lasts, valid_days from duly.payment_requests")

    result = await ended(duly, handle)

    assert again.id == handle.id
    assert (row.lasts, row.valid_days) == (timedelta(hours=1), 1)
    assert re.search(r"20\d\d, \d+:\d\d", shown.text)
    assert (result.state, result.reason) == (PaymentRequestState.EXPIRED, "expired")
    assert await mails(merchant) == ["new"]


async def test_a_bank_that_answers_days_later_is_waited_for_beyond_the_end(
    duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "days-1", terms(account, valid_days=1))
    page = await payer.press(link.path)
    stripe_sandbox.script_card("pm_card_visa", CardOutcome(answer=Answer.PROCESS, after_seconds=3 * 24 * 3600))
    await submit(page)
    await handle.signal(PaymentRequest.gateway_event)
    await until(lambda: _is(handle, "processing"))

    shown = await payer.visit(link.path)
    pressed = await payer.browser.post(link.path)
    stripe_sandbox.advance(timedelta(days=4).total_seconds())
    result = await ended(duly, handle)

    assert "takes some days" in shown.text
    assert pressed.status_code == 200
    assert result == PaymentRequestResult(PaymentRequestState.PAID, "paid", 2500, "EUR")
    assert await merchant.balance(account) == -2500


async def _is(handle: Requested, wanted: str) -> bool:
    return await stage(handle) == wanted


async def test_a_page_whose_answer_was_lost_is_found_again_and_leads_to_one_payment(
    duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "lost-1", terms(account))
    stripe_sandbox.add_fault(Fault(operation=PAGES, kind=FaultKind.RESPONSE_LOST, times=1))

    await payer.pay(link.path)
    await handle.signal(PaymentRequest.gateway_event)

    assert (await ended(duly, handle)).state is PaymentRequestState.PAID
    assert stripe_sandbox.movements().totals[0].charges.count == 1


async def test_what_was_terminated_goes_on_from_its_row_with_the_page_that_was_open(
    duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "gone-1", terms(account))
    page = await payer.press(link.path)
    await handle.terminate("pressed by maria")

    again, same = await make(duly, "gone-1", terms(account))
    await until(lambda: _has_page(again))
    pressed = [await payer.press(path) for path in (link.path, same.path)]
    await submit(page)
    await again.signal(PaymentRequest.gateway_event)

    assert same.path != link.path
    assert pressed == [page, page]
    assert (await ended(duly, again)).state is PaymentRequestState.PAID


async def _has_page(handle: Requested) -> bool:
    return (await handle.query(PaymentRequest.status)).has_page


async def test_payer_sender_and_operators_are_told_of_the_payment(
    duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await reachable(merchant, await merchant.account())
    wanted = terms(account, is_mailed=True, sender_email="maria@example.com")
    handle, link = await make(duly, "told-1", wanted)
    await handle.execute_update(PaymentRequest.send_link, WHO)
    await payer.pay(link.path)
    await handle.signal(PaymentRequest.gateway_event)
    await ended(duly, handle)

    rows = await merchant.run("select kind, audience from duly.messages order by kind, id")

    assert [(row.kind, row.audience) for row in rows] == [
        ("payment_requested", "customer"),
        ("payment_requested", "customer"),
        ("receipt", "customer"),
        ("request_paid", "operator"),
        ("request_paid", "operator"),
    ]
