"""Charges whose money goes on to a connected account: transfers, what is taken of them, and what is taken back."""

from dataclasses import dataclass
from typing import Any

import pytest
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe.control.client import STRIPES_DELAYS, AccountReview, SandboxControl

CONTROLLER: Any = {
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "express"},
}


@dataclass(frozen=True)
class Platform:
    """A platform with one account that takes transfers."""

    sdk: Any
    sandbox: SandboxControl
    account: str

    def charge(self, amount: int = 2500, **terms: Any) -> Any:
        """Charge on the platform's account for the connected one, and let the money be booked; returns the charge."""
        intent = self.sdk.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "eur",
                "payment_method": "pm_card_visa",
                "confirm": True,
                "return_url": "https://example.com",
                "transfer_data": {"destination": self.account},
                **terms,
            }
        )
        self.sandbox.advance(STRIPES_DELAYS.balance_transaction)
        return self.sdk.v1.charges.retrieve(
            str(intent.latest_charge), {"expand": ["transfer.destination_payment", "application_fee"]}
        )

    def moved(self, account: str = "") -> list[tuple[str, str, int, int]]:
        """An account's balance transactions, the oldest first: type, category, amount, fee."""
        options: Any = {"stripe_account": account} if account else {}
        rows = self.sdk.v1.balance_transactions.list({"limit": 100}, options).data[::-1]
        return [(row.type, str(row.reporting_category), row.amount, row.fee) for row in rows]


@pytest.fixture
def connect(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> Platform:
    """The platform."""
    account = stripe_sdk.v1.accounts.create(
        {"controller": CONTROLLER, "capabilities": {"transfers": {"requested": True}}}
    )
    stripe_sandbox.review_account(account.id, AccountReview(capability="active", details_submitted=True))
    return Platform(stripe_sdk, stripe_sandbox, account.id)


def test_the_money_goes_on_and_the_platform_takes_its_part_and_bears_the_fee(connect: Platform) -> None:
    charge = connect.charge(application_fee_amount=100)

    transfer, payment = charge.transfer, charge.transfer.destination_payment
    assert (transfer.amount, transfer.destination, transfer.source_transaction) == (2500, connect.account, charge.id)
    assert (payment.source_transfer, payment.application_fee_amount) == (transfer.id, 100)
    assert (charge.application_fee.charge, charge.application_fee.originating_transaction) == (payment.id, charge.id)
    assert connect.moved() == [
        ("charge", "charge", 2500, 103),
        ("transfer", "transfer", -2500, 0),
        ("application_fee", "platform_earning", 100, 0),
    ]
    assert connect.moved(connect.account) == [("payment", "charge", 2500, 100)]


def test_a_refund_takes_the_transfer_back_in_proportion_with_its_part_of_the_fee(connect: Platform) -> None:
    charge = connect.charge(application_fee_amount=99)

    for amount in (833, 833, 834):
        refund = connect.sdk.v1.refunds.create(
            {"charge": charge.id, "amount": amount, "reverse_transfer": True, "refund_application_fee": True}
        )
        reversal = connect.sdk.v1.transfers.reversals.retrieve(charge.transfer.id, str(refund.transfer_reversal))
        assert (reversal.amount, reversal.source_refund) == (amount, refund.id)

    assert connect.sdk.v1.transfers.retrieve(charge.transfer.id).reversed
    assert [row[2] for row in connect.moved() if row[0] == "application_fee_refund"] == [-33, -33, -33]
    assert connect.moved(connect.account)[1:] == [
        ("payment_refund", "refund", -833, -33),
        ("payment_refund", "refund", -833, -33),
        ("payment_refund", "refund", -834, -33),
    ]
    for account in ({}, {"stripe_account": connect.account}):
        balance = connect.sdk.v1.balance.retrieve({}, account)
        assert sum(part.amount for part in (*balance.available, *balance.pending)) == (0 if account else -103)


def test_a_refund_by_itself_leaves_the_transfer_and_a_reversal_by_itself_takes_it_back(connect: Platform) -> None:
    charge = connect.charge(application_fee_amount=100)
    refund = connect.sdk.v1.refunds.create({"charge": charge.id, "amount": 500})

    assert (refund.transfer_reversal, connect.sdk.v1.transfers.retrieve(charge.transfer.id).amount_reversed) == (
        None,
        0,
    )

    made = connect.sdk.v1.transfers.reversals.create(charge.transfer.id, {"amount": 500, "metadata": {"why": "x"}})
    [found] = connect.sdk.v1.transfers.reversals.list(charge.transfer.id).data
    back = connect.sdk.v1.refunds.retrieve(
        str(made.destination_payment_refund), {}, {"stripe_account": connect.account}
    )
    assert (found.id, (found.metadata or {})["why"], back.source_transfer_reversal) == (made.id, "x", made.id)
    assert connect.moved()[-1] == ("transfer_refund", "transfer_reversal", 500, 0)


def test_what_an_account_does_not_have_is_not_taken_back(connect: Platform) -> None:
    charge = connect.charge()
    connect.sandbox.advance(STRIPES_DELAYS.funds)
    connect.sandbox.pay_out(connect.account)

    with pytest.raises(InvalidRequestError) as reversing:
        connect.sdk.v1.transfers.reversals.create(charge.transfer.id, {"amount": 500})
    with pytest.raises(InvalidRequestError) as refunding:
        connect.sdk.v1.refunds.create({"charge": charge.id, "reverse_transfer": True})

    assert [error.value.code for error in (reversing, refunding)] == ["balance_insufficient"] * 2
    assert connect.sdk.v1.refunds.list({"charge": charge.id}).data == []


def test_a_transfer_by_itself_takes_what_is_available(connect: Platform) -> None:
    connect.charge(amount=2500)
    connect.sdk.v1.payment_intents.create(
        {
            "amount": 2500,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://example.com",
        }
    )
    terms: Any = {"amount": 400, "currency": "eur", "destination": connect.account, "transfer_group": "g"}
    with pytest.raises(InvalidRequestError) as refused:
        connect.sdk.v1.transfers.create(terms)
    connect.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    connect.sandbox.advance(STRIPES_DELAYS.funds)
    made = connect.sdk.v1.transfers.create(terms)

    assert refused.value.code == "balance_insufficient"
    assert [each.id for each in connect.sdk.v1.transfers.list({"transfer_group": "g"}).data] == [made.id]
    assert connect.moved(connect.account)[-1] == ("payment", "charge", 400, 0)


@pytest.mark.parametrize(
    ("terms", "param", "code"),
    [
        ({"transfer_data": {"destination": "acct_none"}}, "transfer_data[destination]", "resource_missing"),
        ({"on_behalf_of": "own"}, "on_behalf_of", None),
    ],
)
def test_terms_that_do_not_go_together_are_refused(
    connect: Platform, terms: dict[str, Any], param: str, code: str | None
) -> None:
    given: Any = {name: connect.account if value == "own" else value for name, value in terms.items()}
    with pytest.raises(InvalidRequestError) as refused:
        connect.charge(**given)

    assert (refused.value.param, refused.value.code) == (param, code)


def test_an_account_that_takes_no_transfers_is_no_destination(connect: Platform) -> None:
    connect.sandbox.review_account(connect.account, AccountReview(capability="inactive"))

    with pytest.raises(InvalidRequestError) as refused:
        connect.charge()

    assert refused.value.code == "insufficient_capabilities_for_transfer"
