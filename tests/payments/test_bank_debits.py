"""A payer chooses a bank account on the gateway's page: the bank answers days later, and may still say no."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.payment_methods import page_types
from models.operator_command import OperatorCommand
from models.payments.payment_request import PaymentRequestResult, PaymentRequestState
from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.fixtures.refunds import RefundClient
from tests.payments.paying_by_link import Payer, Requested, ended, make, payer_at, reachable, submit, terms
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest

WHO = OperatorCommand("maria", "agreed otherwise")
PAYS, RETURNS, TAKEN_BACK = "AT611904300234573201", "AT861904300235473202", "AT591904300235473203"

DEBITS = """
    [[payment_methods]]
    id = "direct_debit"
    name = "Direct debit"

    [[transaction_types]]
    id = "payment"
    payment_methods = ["card", "direct_debit"]

    [[providers]]
    id = "stripe"
    mode = "test"
    payment_methods = ["card", "direct_debit"]
    currencies = ["EUR", "USD"]
"""


@pytest.fixture
async def payer(
    database: Database, duly: RunningDuly, gateway: StripeGateway, merchant: Merchant
) -> AsyncIterator[Payer]:
    """Somebody with a browser, whose pages offer bank debits beside cards."""
    await merchant.configure(DEBITS)
    async with payer_at(database, duly, gateway) as somebody:
        yield somebody


async def debited(handle: Requested, payer: Payer, path: str, account: str) -> None:
    """Give a debit of a bank account, and wait until the request says so."""
    assert await submit(await payer.press(path), account) == 303
    await handle.signal(PaymentRequest.gateway_event)
    await until(lambda: _is(handle, "processing"))


async def _is(handle: Requested, wanted: str) -> bool:
    return (await handle.query(PaymentRequest.status)).stage == wanted


async def _owes(merchant: Merchant, account: str, amount_minor: int) -> bool:
    return await merchant.balance(account) == amount_minor


async def _is_mailed(merchant: Merchant) -> bool:
    """Whether the payer was mailed that the bank has said no."""
    return bool(await merchant.run("select from duly.messages where id like '%failed-1'"))


@pytest.mark.parametrize(
    ("methods", "currency", "offered"),
    [
        (["card"], "EUR", ("card",)),
        (["card", "direct_debit"], "EUR", ("card", "sepa_debit")),
        (["card", "direct_debit"], "USD", ("card", "us_bank_account")),
        (["card", "direct_debit"], "GBP", ("card",)),
        (["card_north", "us_bank_account"], "USD", ("card", "us_bank_account")),
        (["us_bank_account"], "EUR", ()),
    ],
)
def test_a_page_offers_every_configured_method_that_takes_the_currency(
    methods: list[str], currency: str, offered: tuple[str, ...]
) -> None:
    assert page_types(methods, currency) == offered


async def test_a_debit_is_processing_everywhere_until_the_bank_pays_and_is_booked_as_a_debit(
    cli: CommandLine, duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "debit-1", terms(account))
    await debited(handle, payer, link.path, PAYS)

    [waiting] = (await cli.json("payments", "list"))["payments"]
    asked = await cli.json("payment-requests", "show", "debit-1")
    nothing = await merchant.balance(account)
    stripe_sandbox.advance(timedelta(days=7).total_seconds())
    result = await ended(duly, handle)
    [paid] = (await cli.json("payments", "list", "--method", "direct_debit"))["payments"]

    assert (waiting["state"], asked["state"], nothing) == ("processing", "processing", 0)
    assert result == PaymentRequestResult(PaymentRequestState.PAID, "paid", 2500, "EUR")
    assert (paid["state"], await merchant.balance(account)) == ("succeeded", -2500)


async def test_a_debit_that_the_bank_returns_opens_the_request_again_and_a_card_pays_it(
    cli: CommandLine, duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await reachable(merchant, await merchant.account())
    handle, link = await make(duly, "debit-2", terms(account, is_mailed=True, valid_days=30))
    await debited(handle, payer, link.path, RETURNS)

    stripe_sandbox.advance(timedelta(days=7).total_seconds())
    await handle.signal(PaymentRequest.gateway_event)
    await until(lambda: _is(handle, "open"))
    await until(lambda: _is_mailed(merchant))
    returned = await merchant.run("select outcome, code from duly.gateway_attempts order by attempt")
    await payer.pay(link.path)
    await handle.signal(PaymentRequest.gateway_event)
    result = await ended(duly, handle)

    assert returned == [("declined", "insufficient_funds")]
    assert result.state is PaymentRequestState.PAID
    assert (await cli.json("payments", "list", "--method", "card"))["payments"][0]["state"] == "succeeded"
    assert stripe_sandbox.movements().totals[0].charges.count == 1


@pytest.mark.nightly
async def test_who_asks_no_more_while_the_bank_is_asked_hears_so_and_withdraws_once_it_says_no(
    duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "debit-5", terms(account, valid_days=30))
    await debited(handle, payer, link.path, RETURNS)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(PaymentRequest.withdraw, WHO)
    stripe_sandbox.advance(timedelta(days=7).total_seconds())
    await handle.signal(PaymentRequest.gateway_event)
    await until(lambda: _is(handle, "open"))

    assert await handle.execute_update(PaymentRequest.withdraw, WHO) == "withdrawn"
    assert "the request is processing" in str(refused.value.cause)
    assert await merchant.balance(account) == 0


@pytest.mark.nightly
@pytest.mark.parametrize(("bank", "state", "balance"), [(PAYS, "paid", -2500), (RETURNS, "expired", 0)])
async def test_a_request_that_expires_while_the_bank_is_asked_ends_by_what_the_bank_says(
    duly: RunningDuly,
    merchant: Merchant,
    payer: Payer,
    stripe_sandbox: SandboxControl,
    bank: str,
    state: str,
    balance: int,
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, f"debit-{state}", terms(account, valid_days=1))
    await debited(handle, payer, link.path, bank)

    await duly.environment.sleep(timedelta(days=2))
    still = await _is(handle, "processing")
    stripe_sandbox.advance(timedelta(days=7).total_seconds())
    result = await ended(duly, handle)

    assert still
    assert result.state == state
    assert await merchant.balance(account) == balance


async def test_a_paid_debit_is_refunded_by_its_own_method(
    duly: RunningDuly, merchant: Merchant, payer: Payer, refunds: RefundClient
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(duly, "debit-3", terms(account, 0, invoices=(invoice,)))
    await debited(handle, payer, link.path, PAYS)
    early = await merchant.value(
        "select count(*) from duly.financial_transactions where state = 'posted' and classification = 'payment'"
    )
    refunds.sandbox.advance(timedelta(days=7).total_seconds())
    await ended(duly, handle)

    payment = await merchant.value("select transaction_id from duly.gateway_requests")
    asked = await refunds.start(payment, 500)
    refunds.sandbox.advance(timedelta(days=7).total_seconds())
    await refunds.deliver_events()
    await until(lambda: _owes(merchant, account, 500))

    back = await merchant.run(
        "select method, total_minor from duly.financial_transactions where classification = 'refund'"
    )
    assert early == 0
    assert (asked.outcome, back) == (RefundOutcome.PENDING, [("direct_debit", 500)])
    assert await refunds.wrong() == []


async def test_a_debit_that_is_taken_back_weeks_later_undoes_the_payment_and_its_invoice_is_owed_again(
    duly: RunningDuly, merchant: Merchant, payer: Payer, refunds: RefundClient
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(duly, "debit-4", terms(account, 0, invoices=(invoice,)))
    await debited(handle, payer, link.path, TAKEN_BACK)
    refunds.sandbox.advance(timedelta(days=7).total_seconds())
    paid = await ended(duly, handle)
    settled = await merchant.balance(account)

    refunds.sandbox.advance(timedelta(days=60).total_seconds())
    await refunds.deliver_events()

    await until(lambda: _owes(merchant, account, 2500))

    [dispute] = await merchant.run("select state, amount_minor from duly.disputes")
    open_again = await merchant.value(
        "select amount_minor - allocated_minor from duly.open_items where transaction_id = :id", id=invoice
    )
    assert (paid.state, settled) == (PaymentRequestState.PAID, 0)
    assert dispute == ("lost", 2500)
    assert open_again == 2500
    assert await refunds.wrong() == []
