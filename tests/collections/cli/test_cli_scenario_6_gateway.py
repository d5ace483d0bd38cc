"""Scenario 6: customers pay through an online gateway: set up, collected, and never undone behind its back (F127)."""

import pytest

from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.company import Company


@pytest.fixture
def gateway_company(cli: CommandLine, merchant: Merchant) -> Company:
    """A company whose cards are handled by the gateway."""
    return Company(cli, merchant.engine)


async def paid_by_card(company: Company, merchant: Merchant, period: str) -> tuple[str, str]:
    """Let an account pay an invoice by card, from the command line; return account and payment."""
    account = await merchant.account(owes_minor=10000)
    result = await company.cli.json("collections", "start", account, period)
    assert result["first_outcome"]["outcome"] == "settled"
    merchant.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    listed = await company.cli.json("transactions", "list", "--account", account, "--classification", "payment")
    return account, str(listed["transactions"][0]["id"])


@pytest.mark.usefixtures("workers")
async def test_a_payment_asked_of_the_gateway_is_posted_when_the_gateway_has_the_money(
    gateway_company: Company, merchant: Merchant, period: str
) -> None:
    account, payment = await paid_by_card(gateway_company, merchant, period)

    shown = await gateway_company.shown(payment)

    assert (shown["state"], shown["provider"], shown["total_minor"]) == ("settled", "stripe", 10000)
    assert shown["gateway_reference"].startswith("pi_")
    assert await gateway_company.balance(account) == 0


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_a_payment_that_went_through_the_gateway_is_cancelled_only_when_it_has_returned_the_money(
    gateway_company: Company, merchant: Merchant, period: str
) -> None:
    account, payment = await paid_by_card(gateway_company, merchant, period)

    refused = await gateway_company.refused("transactions", "cancel", payment)
    words = ("--actor", "maria", "--reason", "the goods came back", "--id", f"rf_{payment}")
    cancelled = await gateway_company.cli.json("refunds", "cancel", payment, *words)
    shown = await gateway_company.shown(payment)

    assert refused == [("transaction", "gateway_confirms_first")]
    assert (cancelled["first_outcome"]["outcome"], shown["state"]) == ("refunded", "cancelled")
    assert await gateway_company.balance(account) == 10000


@pytest.mark.usefixtures("workers")
async def test_moving_a_payment_asks_nothing_of_the_gateway_and_keeps_its_say(
    gateway_company: Company, merchant: Merchant, period: str
) -> None:
    account, payment = await paid_by_card(gateway_company, merchant, period)
    other = await merchant.account(cards=())
    calls = merchant.sandbox.request_counts()

    moved = await gateway_company.cli.json("transactions", "move", payment, other)

    assert merchant.sandbox.request_counts() == calls
    assert [await gateway_company.balance(one) for one in (account, other)] == [10000, -10000]
    assert await gateway_company.refused("transactions", "cancel", moved["transaction"]["id"]) == [
        ("transaction", "gateway_confirms_first")
    ]


async def test_money_of_a_method_that_a_gateway_handles_is_not_written_by_hand(
    gateway_company: Company, merchant: Merchant
) -> None:
    account = await merchant.account(cards=(), owes_minor=10000)
    words = ("--amount", "10", "--method", "card")

    assert await gateway_company.refused("transactions", "create", "payment", account, *words) == [
        ("method", "method_is_not_a_gateways")
    ]
    assert await gateway_company.refused("transactions", "create", "refund", account, *words) == [
        ("method", "method_is_not_a_gateways")
    ]
    # Quick Pay by such a method charges a card, of which there is none, and writes nothing.
    charge = ("--method", "card", "--actor", "maria", "--reason", "she called")
    assert await gateway_company.refused("transactions", "quick-pay", "INV-0000000001", *charge) == [
        ("card", "card_required")
    ]
    assert await merchant.balance(account) == 10000


async def test_a_draft_that_is_with_the_gateway_is_left_to_its_answer(
    gateway_company: Company, merchant: Merchant
) -> None:
    account = await merchant.account(cards=())
    draft = await gateway_company.value(
        "select duly.draft_payment('k', :account, 1000, 'EUR', 'card', 'stripe', '{}', 'system')", account=account
    )

    assert await gateway_company.refused("transactions", "reject", draft, "duplicate") == [
        ("transaction", "gateway_decides")
    ]
    assert await gateway_company.refused("transactions", "edit", draft, "--amount", "1") == [
        ("transaction", "gateway_decides")
    ]
    assert await gateway_company.refused("transactions", "post", draft) == [("transaction", "gateway_decides")]
