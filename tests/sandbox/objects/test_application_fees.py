"""What a platform takes of charges on connected accounts: fees, their refunds, and both accounts' balances."""

from dataclasses import dataclass
from typing import Any

import pytest
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl


@dataclass(frozen=True)
class Platform:
    """A platform with one connected account."""

    sdk: StripeClient
    sandbox: SandboxControl
    account: str

    def charge(self, amount: int = 2500, fee: int = 100, currency: str = "eur") -> Any:
        """Charge on the connected account, and let the money be booked; returns the charge."""
        intent = self.sdk.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "payment_method": "pm_card_visa",
                "confirm": True,
                "return_url": "https://example.com",
                "application_fee_amount": fee,
            },
            {"stripe_account": self.account},
        )
        self.sandbox.advance(STRIPES_DELAYS.balance_transaction)
        return self.sdk.v1.charges.retrieve(
            str(intent.latest_charge), {"expand": ["balance_transaction"]}, {"stripe_account": self.account}
        )

    def refund(self, charge: str, amount: int, *, with_fee: bool = True) -> Any:
        """Refund a part of a charge, with the fee's."""
        return self.sdk.v1.refunds.create(
            {
                "charge": charge,
                "amount": amount,
                "refund_application_fee": with_fee,
                "expand": ["balance_transaction"],
            },
            {"stripe_account": self.account},
        )

    def moved(self) -> list[tuple[str, str, int, int]]:
        """The platform's balance transactions, the oldest first: type, category, amount, fee."""
        rows = self.sdk.v1.balance_transactions.list({"limit": 100}).data[::-1]
        return [(row.type, str(row.reporting_category), row.amount, row.fee) for row in rows]


@pytest.fixture
def connect(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> Platform:
    """The platform."""
    account = stripe_sdk.v1.accounts.create({"type": "standard"})
    return Platform(stripe_sdk, stripe_sandbox, account.id)


def test_a_fee_leaves_the_accounts_balance_and_comes_to_the_platforms(connect: Platform) -> None:
    charge = connect.charge()

    booked = charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net) == (2500, 203, 2297)
    assert [(part.type, part.amount) for part in booked.fee_details] == [("application_fee", 100), ("stripe_fee", 103)]
    [fee] = connect.sdk.v1.application_fees.list({"charge": charge.id}).data
    assert (fee.id, fee.account, fee.amount, fee.refunded) == (charge.application_fee, connect.account, 100, False)
    assert connect.moved() == [("application_fee", "platform_earning", 100, 0)]
    assert connect.sdk.v1.application_fees.retrieve(fee.id, {"expand": ["charge", "balance_transaction"]}).amount == 100


def test_a_fee_is_never_more_than_what_is_captured(connect: Platform) -> None:
    assert connect.charge(700, 900).balance_transaction.fee_details[0].amount == 700


@pytest.mark.parametrize(("currency", "amount", "fee"), [("jpy", 1000, 33), ("kwd", 10000, 330)])
def test_parts_that_go_back_pro_rata_come_to_the_whole_fee(
    connect: Platform, currency: str, amount: int, fee: int
) -> None:
    charge, parts = connect.charge(amount, fee, currency), [amount * 3 // 10, amount * 3 // 10, amount * 4 // 10]

    refunds = [connect.refund(charge.id, part) for part in parts]

    given_back = [-refund.balance_transaction.fee for refund in refunds]
    assert sum(given_back) == fee
    assert all(given_back)
    assert [refund.balance_transaction.fee_details[0].type for refund in refunds] == ["application_fee"] * 3
    [of] = connect.sdk.v1.application_fees.list().data
    assert (of.amount_refunded, of.refunded) == (fee, True)
    listed = connect.sdk.v1.application_fees.refunds.list(of.id).data
    assert [each.amount for each in listed[::-1]] == given_back
    assert connect.sdk.v1.application_fees.refunds.retrieve(of.id, listed[0].id).fee == of.id
    assert connect.moved()[1:] == [
        ("application_fee_refund", "platform_earning_refund", -part, 0) for part in given_back
    ]


def test_a_refund_that_says_nothing_leaves_the_fee_with_the_platform(connect: Platform) -> None:
    charge = connect.charge()

    refund = connect.refund(charge.id, 2500, with_fee=False)

    assert refund.balance_transaction.fee == 0
    assert connect.moved() == [("application_fee", "platform_earning", 100, 0)]


def test_a_fee_that_is_given_back_by_itself_moves_on_both_balances_and_never_more_than_is_left(
    connect: Platform,
) -> None:
    charge = connect.charge()
    [fee] = connect.sdk.v1.application_fees.list().data

    part = connect.sdk.v1.application_fees.refunds.create(fee.id, {"amount": 30})
    with pytest.raises(InvalidRequestError) as beyond:
        connect.sdk.v1.application_fees.refunds.create(fee.id, {"amount": 71})
    rest = connect.sdk.v1.application_fees.refunds.create(fee.id)
    with pytest.raises(InvalidRequestError):
        connect.sdk.v1.application_fees.refunds.create(fee.id)

    at_account = connect.sdk.v1.balance_transactions.list(
        {"source": part.id, "expand": ["data.source.fee"]}, {"stripe_account": connect.account}
    ).data
    source: Any = at_account[0].source
    assert beyond.value.param == "amount"
    assert (part.amount, rest.amount) == (30, 70)
    assert [(row.amount, row.fee, row.net) for row in at_account] == [(30, 0, 30)]
    assert source.fee.charge == charge.id
    assert [amount for _, _, amount, _ in connect.moved()] == [100, -30, -70]


def test_a_platforms_movements_say_which_charge_they_are_of(connect: Platform) -> None:
    charge = connect.charge()
    connect.refund(charge.id, 1000)

    rows = connect.sdk.v1.balance_transactions.list({"expand": ["data.source.fee"]}).data
    sources: list[Any] = [row.source for row in rows]

    assert [source.object for source in sources] == ["fee_refund", "application_fee"]
    assert [sources[0].fee.charge, sources[1].charge] == [charge.id, charge.id]


def test_the_platforms_own_payments_have_no_fee_and_a_charge_without_one_gives_none_back(
    connect: Platform, stripe_sdk: StripeClient
) -> None:
    with pytest.raises(InvalidRequestError) as own:
        stripe_sdk.v1.payment_intents.create({"amount": 700, "currency": "eur", "application_fee_amount": 1})
    intent = stripe_sdk.v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://example.com",
        },
        {"stripe_account": connect.account},
    )
    with pytest.raises(InvalidRequestError) as without:
        connect.refund(str(intent.latest_charge), 100)

    assert (own.value.param, without.value.param) == ("application_fee_amount", "refund_application_fee")
