"""A payer chooses a bank account on the gateway's page: the bank answers days later, and may still say no."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.payment_methods import page_types
from models.payments.payment_request import PaymentRequestResult, PaymentRequestState
from sandbox.stripe.control.client import SandboxControl
from tests.payments.paying_by_link import Payer, Requested, ended, make, payer_at, reachable, submit, terms
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest

PAYS, RETURNS = "AT611904300234573201", "AT861904300235473202"

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
