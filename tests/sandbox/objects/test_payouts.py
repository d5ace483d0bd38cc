"""Payouts as Stripe makes them: by itself, with the lines they consist of, and by hand, without."""

import pytest
import stripe

from sandbox.stripe.control.client import AT_ONCE, SandboxControl
from tests.sandbox.contract import payer


@pytest.fixture
def funded(stripe_sdk: stripe.StripeClient, stripe_sandbox: SandboxControl) -> SandboxControl:
    """A sandbox with 9.41 that are available, of one charge."""
    stripe_sandbox.set_delays(AT_ONCE.model_copy(update={"funds": 0, "payout": 60}))
    payer(stripe_sdk).pay(1000, currency="eur")
    return stripe_sandbox


def test_an_automatic_payout_has_its_lines_and_is_complete_when_it_arrives(
    stripe_sdk: stripe.StripeClient, funded: SandboxControl
) -> None:
    (made,) = funded.pay_out()
    before = stripe_sdk.v1.payouts.retrieve(made["id"])

    funded.advance(61)

    after = stripe_sdk.v1.payouts.retrieve(made["id"])
    lines = stripe_sdk.v1.balance_transactions.list({"payout": made["id"]}).data
    assert (before.status, before.reconciliation_status) == ("pending", "in_progress")
    assert (after.status, after.reconciliation_status, after.amount) == ("paid", "completed", 941)
    assert sorted((line.type, line.net) for line in lines) == [("charge", 941), ("payout", -941)]
    assert funded.pay_out() == []


def test_a_payout_that_fails_after_it_was_paid_is_on_the_balance_again(
    stripe_sdk: stripe.StripeClient, funded: SandboxControl
) -> None:
    (made,) = funded.pay_out()
    funded.complete_payout(made["id"])

    funded.fail_payout(made["id"])

    failed = stripe_sdk.v1.payouts.retrieve(made["id"])
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert sum(part.amount for part in stripe_sdk.v1.balance.retrieve().available) == 941


def test_a_payout_by_hand_has_no_lines_and_needs_the_money(
    stripe_sdk: stripe.StripeClient, funded: SandboxControl
) -> None:
    made = stripe_sdk.v1.payouts.create({"amount": 500, "currency": "eur"})

    assert (made.automatic, made.reconciliation_status) == (False, "not_applicable")
    assert stripe_sdk.v1.balance_transactions.list({"payout": made.id}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="insufficient funds"):
        stripe_sdk.v1.payouts.create({"amount": 500, "currency": "eur"})


def test_a_payout_by_hand_may_be_cancelled_before_it_leaves(
    stripe_sdk: stripe.StripeClient, funded: SandboxControl
) -> None:
    made = stripe_sdk.v1.payouts.create({"amount": 500, "currency": "eur"})

    stripe_sdk.v1.payouts.cancel(made.id)

    (automatic,) = funded.pay_out()
    moved = stripe_sdk.v1.balance_transactions.list({"source": made.id}).data
    assert stripe_sdk.v1.payouts.retrieve(made.id).status == "canceled"
    assert [(each.type, each.reporting_category, each.net) for each in moved] == [
        ("payout_cancel", "payout_reversal", 500),
        ("payout", "payout", -500),
    ]
    with pytest.raises(stripe.InvalidRequestError, match="pending"):
        stripe_sdk.v1.payouts.cancel(automatic["id"])


def test_a_balance_below_zero_is_taken_from_the_bank_and_missing_again_when_that_fails(
    stripe_sdk: stripe.StripeClient, funded: SandboxControl
) -> None:
    funded.pay_out()
    (charge,) = stripe_sdk.v1.charges.list().data
    stripe_sdk.v1.refunds.create({"charge": charge.id})

    (pulled,) = funded.pay_out()
    filled = stripe_sdk.v1.balance.retrieve().available
    funded.fail_payout(pulled["id"])

    assert (pulled["amount"], sum(part.amount for part in filled)) == (-1000, 0)
    assert sum(part.amount for part in stripe_sdk.v1.balance.retrieve().available) == -1000
    assert [each.net for each in stripe_sdk.v1.balance_transactions.list({"payout": pulled["id"]}).data] == [
        1000,
        -1000,
    ]
