"""Balance transactions, the balance, the movements, and the currencies."""

import pytest
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe import money
from sandbox.stripe.api.errors import ApiError
from sandbox.stripe.control.client import STRIPES_DELAYS, Delays, SandboxControl
from sandbox.stripe.control.messages import Sum
from tests.sandbox.contract import NO_REDIRECTS, charge_of, payer

BOOKED = STRIPES_DELAYS.balance_transaction
TWO_DAYS = 2 * 86_400


def balance_of(client: StripeClient) -> dict[str, tuple[int, int]]:
    """Available and pending by currency."""
    balance = client.v1.balance.retrieve()
    pending = {each.currency: each.amount for each in balance.pending}
    return {each.currency: (each.amount, pending[each.currency]) for each in balance.available}


@pytest.mark.parametrize(
    ("amount", "currency", "fee"),
    [(2000, "usd", 88), (50, "eur", 31), (1017, "gbp", 59), (1018, "gbp", 60), (5000, "jpy", 175), (12340, "kwd", 658)],
)
def test_a_charge_costs_2_9_percent_rounded_half_up_and_a_fixed_part(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, amount: int, currency: str, fee: int
) -> None:
    payment = payer(stripe_sdk).pay(amount, currency=currency)
    stripe_sandbox.advance(BOOKED)
    charge = stripe_sdk.v1.charges.retrieve(charge_of(payment).id)
    assert isinstance(charge.balance_transaction, str)

    moved = stripe_sdk.v1.balance_transactions.retrieve(charge.balance_transaction)

    assert (moved.amount, moved.fee, moved.net, moved.source) == (amount, fee, amount - fee, charge.id)
    assert [(detail.amount, detail.type) for detail in moved.fee_details] == [(fee, "stripe_fee")]


def test_money_is_pending_for_two_days(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    payer(stripe_sdk).pay(2000)
    stripe_sandbox.advance(BOOKED)
    assert balance_of(stripe_sdk) == {"usd": (0, 1912)}

    stripe_sandbox.advance(TWO_DAYS)

    assert balance_of(stripe_sdk) == {"usd": (1912, 0)}
    assert [each.status for each in stripe_sdk.v1.balance_transactions.list()] == ["available"]


def test_the_balance_is_the_sum_of_everything_that_moved(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    first = payer(stripe_sdk).pay(2000)
    second = payer(stripe_sdk, "pm_card_createDispute").pay(3000)
    third = payer(stripe_sdk, "pm_card_refundFail").pay(1000, currency="eur")
    stripe_sdk.v1.refunds.create({"payment_intent": first.id, "amount": 700})
    stripe_sdk.v1.refunds.create({"payment_intent": third.id})
    stripe_sandbox.advance(BOOKED)

    nets: dict[str, int] = {}
    for each in stripe_sdk.v1.balance_transactions.list({"limit": 100}):
        nets[each.currency] = nets.get(each.currency, 0) + each.net

    assert nets == {currency: sum(parts) for currency, parts in balance_of(stripe_sdk).items()}
    assert nets == {"usd": 2000 - 88 - 700 + 3000 - 117 - 3000 - 1500, "eur": 1000 - 59}
    assert {total.currency: total.balance_minor for total in stripe_sandbox.movements().totals} == nets
    assert second.status == "succeeded"


def test_movements_are_listed_by_type_source_and_currency(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    payment = payer(stripe_sdk).pay(2000)
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payment.id, "amount": 100})
    payer(stripe_sdk).pay(500, currency="eur")
    stripe_sandbox.advance(BOOKED)
    transactions = stripe_sdk.v1.balance_transactions

    assert [each.amount for each in transactions.list({"type": "refund"})] == [-100]
    assert [each.amount for each in transactions.list({"source": refund.id})] == [-100]
    assert [each.amount for each in transactions.list({"currency": "eur"})] == [500]


def test_a_balance_transaction_can_appear_late(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_delays(Delays(balance_transaction=3600))
    charge = charge_of(payer(stripe_sdk).pay(2000))
    assert charge.balance_transaction is None
    assert stripe_sandbox.movements().totals[0].charges == Sum(count=1, amount_minor=2000)

    stripe_sandbox.advance(3600)

    assert stripe_sdk.v1.charges.retrieve(charge.id).balance_transaction is not None
    assert stripe_sdk.v1.events.list({"limit": 1}).data[0].type == "charge.updated"


def test_the_books_tell_what_moved_for_each_request(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    payment = customer.pay(2000)
    stripe_sdk.v1.refunds.create({"payment_intent": payment.id, "amount": 500})
    stripe_sandbox.create_dispute(charge_of(customer.pay(1000)).id)
    stripe_sandbox.advance(BOOKED)

    (moved,) = stripe_sandbox.movements(metadata={"duly_request": "req_1"}).groups

    assert moved.metadata == {"duly_request": "req_1", "duly_account": "acc_1"}
    assert (moved.charges, moved.refunds, moved.disputes) == (
        Sum(count=2, amount_minor=3000),
        Sum(count=1, amount_minor=500),
        Sum(count=1, amount_minor=1000),
    )
    assert moved.held_minor == 1500
    assert len(moved.charge_ids) == 2
    assert payment.id in moved.payment_intent_ids
    assert stripe_sandbox.movements(metadata={"duly_request": "req_2"}).groups == ()


def test_the_books_group_by_any_key_of_ours(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    for run in ("may", "june", "june"):
        stripe_sdk.v1.payment_intents.create(
            {
                "amount": 900,
                "currency": "usd",
                "confirm": True,
                "off_session": True,
                "automatic_payment_methods": NO_REDIRECTS,
                "customer": customer.customer.id,
                "payment_method": customer.method.id,
                "metadata": {"run": run},
            }
        )

    groups = stripe_sandbox.movements(group_by=("run",)).groups

    assert {moved.metadata["run"]: moved.charges.count for moved in groups} == {"may": 1, "june": 2}


@pytest.mark.parametrize(("amount", "currency"), [(12345, "kwd"), (1001, "bhd"), (150, "isk"), (12350, "ugx")])
def test_stripes_special_currencies_take_round_amounts_only(
    stripe_sdk: StripeClient, amount: int, currency: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        stripe_sdk.v1.payment_intents.create({"amount": amount, "currency": currency})

    assert (refused.value.param, refused.value.code) == ("amount", "invalid_charge_amount")


@pytest.mark.parametrize("currency", sorted(money.MINIMUM_MINOR))
def test_the_minimum_is_taken_and_one_less_is_not(currency: str) -> None:
    minimum = money.MINIMUM_MINOR[currency]

    assert money.check_amount(minimum, currency) == minimum
    with pytest.raises(ApiError, match="Amount must be at least"):
        money.check_amount(minimum - 1, currency)


def test_every_special_currency_is_supported() -> None:
    special = {*money.MINIMUM_MINOR, *money.ZERO_DECIMAL, *money.THREE_DECIMAL, *money.WHOLE_HUNDREDS}

    assert special <= money.SUPPORTED
    assert money.ZERO_DECIMAL.isdisjoint(money.THREE_DECIMAL | money.WHOLE_HUNDREDS)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"), [(1999, "usd", "19.99 usd"), (500, "jpy", "500 jpy"), (12340, "kwd", "12.340 kwd")]
)
def test_an_amount_is_shown_in_major_units(amount: int, currency: str, shown: str) -> None:
    assert money.shown(amount, currency) == shown
