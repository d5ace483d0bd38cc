"""A request may leave the amount to its payer, within limits: what they choose is what their page asks for."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.payments.payment_request import PageOrder, PaymentRequestState
from models.payments.request_terms import InvalidPaymentRequestError, PaymentRequestTerms
from sandbox.stripe.control.client import SandboxControl
from tests.payments.paying_by_link import Payer, make, payer_at, submit, terms
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest


@pytest.fixture
async def payer(database: Database, standing_duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Somebody with a browser."""
    async with payer_at(database, standing_duly, gateway) as somebody:
        yield somebody


def choice(account: str, suggested: int = 0, **other: Any) -> PaymentRequestTerms:
    """Terms that leave the amount to the payer."""
    return terms(account, suggested, least_minor=1000, most_minor=5000, **other)


async def test_the_payer_pays_what_they_chose_and_the_account_has_it(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    handle, link = await make(standing_duly, f"gift-{account}", choice(account, 2000))

    shown = await payer.visit(link.path)
    await submit(await payer.press(link.path, "12.50"))
    await handle.signal(PaymentRequest.gateway_event)
    result = await handle.result()

    assert ('value="20"' in shown.text, "From €10.00 to €50.00" in shown.text) == (True, True)
    assert (result.state, result.amount_minor) == (PaymentRequestState.PAID, 1250)
    assert await merchant.balance(account) == -1250
    assert stripe_sandbox.movements().totals[0].charges.count == 1
    assert "€12.50" in (await payer.visit(link.path)).text


@pytest.mark.parametrize("typed", ["", "9.99", "50.01", "-20", "a lot", "12.505", "Infinity", "NaN"])
async def test_what_is_no_amount_within_the_limits_is_said_so_and_opens_no_page(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer, typed: str
) -> None:
    account = await merchant.account()
    _, link = await make(standing_duly, f"odd-{account}", choice(account))

    answer = await payer.browser.post(link.path, data={"amount": typed})

    assert (answer.status_code, "Please enter an amount" in answer.text) == (422, True)
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 0


@pytest.mark.parametrize(
    ("currency", "typed", "refused", "shown", "paid"),
    [
        ("JPY", "5000", ["999", "5001", "1000.5"], "From ¥1,000 to ¥5,000.", 5000),
        (
            "KWD",
            "1.010",
            ["0.999", "5.001", "1.005", "2.0101"],
            "From KWD 1.000 to KWD 5.000. In steps of KWD 0.010.",
            1010,
        ),
    ],
)
async def test_amounts_of_no_and_of_three_decimals_are_those_that_the_gateway_takes(
    standing_duly: RunningDuly,
    merchant: Merchant,
    payer: Payer,
    currency: str,
    typed: str,
    refused: list[str],
    shown: str,
    paid: int,
) -> None:
    account = await merchant.account(currency=currency, cards=[])
    handle, link = await make(standing_duly, f"of-{account}", choice(account, currency=currency))

    page = await payer.visit(link.path)
    answers = [await payer.browser.post(link.path, data={"amount": each}) for each in refused]
    await submit(await payer.press(link.path, typed))
    await handle.signal(PaymentRequest.gateway_event)

    assert shown in page.text.replace("\xa0", " ")
    assert [answer.status_code for answer in answers] == [422] * len(refused)
    assert (await handle.result()).amount_minor == paid
    assert await merchant.balance(account) == -paid


async def test_an_amount_is_read_as_its_reader_writes_it(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account()
    await merchant.run("update duly.accounts set locale = 'de' where id = :id", id=account)
    handle, link = await make(standing_duly, f"komma-{account}", choice(account))

    await submit(await payer.press(link.path, "12,50"))
    await handle.signal(PaymentRequest.gateway_event)

    assert (await handle.result()).amount_minor == 1250


async def test_who_chooses_again_has_a_page_of_that_amount_and_the_other_is_closed(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account()
    handle, link = await make(standing_duly, f"again-{account}", choice(account))
    first = await payer.press(link.path, "20.00")

    same = await payer.press(link.path, "20.00")
    second = await payer.press(link.path, "30.00")
    answers = [await submit(first), await submit(second)]
    await handle.signal(PaymentRequest.gateway_event)

    assert (same, answers) == (first, [410, 303])
    assert (await handle.result()).amount_minor == 3000
    assert await merchant.balance(account) == -3000


async def test_a_service_may_choose_within_the_limits_alone(standing_duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account()
    free, _ = await make(standing_duly, f"free-{account}", choice(account))
    fixed, _ = await make(standing_duly, f"fixed-{account}", terms(account))

    rules = []
    for handle, order in ((free, PageOrder(5001)), (free, PageOrder()), (fixed, PageOrder(2600))):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(PaymentRequest.open_page, order)
        rules.append(getattr(refused.value.cause, "type", ""))

    assert rules == ["amount_within_limits"] * 3
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"least_minor": 0}, "most_minor"),
        ({"least_minor": 5001}, "least_minor"),
        ({"most_minor": 0}, "least_minor"),
        ({"amount_minor": 999}, "amount_minor"),
        ({"amount_minor": 5001}, "amount_minor"),
        ({"invoices": ("INV-1",)}, "invoices"),
        ({"currency": ""}, "currency"),
    ],
)
def test_limits_that_make_no_sense_are_refused_by_name(change: dict[str, Any], field: str) -> None:
    given = {"least_minor": 1000, "most_minor": 5000, "amount_minor": 2000} | change

    with pytest.raises(InvalidPaymentRequestError, match=f"^{field}: "):
        terms("acc-1", given.pop("amount_minor"), **({"currency": "EUR"} | given))


@pytest.mark.usefixtures("workers")
async def test_an_agent_leaves_the_amount_to_the_payer(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account()
    asked = ("payment-requests", "create", account, "--title", "A gift", "--no-mail")
    who = ("--actor", "maria", "--reason", "asked")

    made = await cli.json(*asked, "--id", f"gift-{account}", "--least", "5.00", "--most", "100.00", *who)
    shown = await cli.json("payment-requests", "show", f"gift-{account}")
    refused = await cli(*asked, "--least", "5.00", "--most", "1.00", "--json", *who)

    assert made["amount_minor"] == 500
    assert (shown["least_minor"], shown["most_minor"]) == (500, 10000)
    assert refused.rules == [("least_minor", "payment_request_valid")]
