"""Money that reaches the balance later, in another currency, or leaves it only when there is enough."""

import pytest
from stripe import BalanceTransaction, StripeClient

from sandbox.stripe.control.client import STRIPES_DELAYS, AccountSettings, ControlError, SandboxControl
from tests.sandbox.contract import charge_of, payer

BOOKED = STRIPES_DELAYS.balance_transaction
EUROS = AccountSettings(settlement_currency="eur", exchange_rates={"usd": 0.9})


def movements(client: StripeClient) -> list[BalanceTransaction]:
    """Oldest first."""
    return list(reversed(client.v1.balance_transactions.list({"limit": 100}).data))


def test_a_charge_is_unbooked_in_the_answer_and_in_its_event(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    charge = charge_of(payer(stripe_sdk).pay(2000))
    (succeeded,) = stripe_sdk.v1.events.list({"type": "charge.succeeded"}).data

    stripe_sandbox.advance(BOOKED)

    assert charge.balance_transaction is None
    assert succeeded.data.object["balance_transaction"] is None
    (updated,) = stripe_sdk.v1.events.list({"type": "charge.updated"}).data
    assert updated.data.object["balance_transaction"].startswith("txn_")
    assert updated.data.previous_attributes is not None
    assert updated.data.previous_attributes.to_dict() == {"balance_transaction": None}


def test_money_in_another_currency_is_booked_in_the_accounts_own(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.set_account_settings(EUROS)
    payment = payer(stripe_sdk).pay(2000)
    stripe_sandbox.advance(BOOKED)
    stripe_sdk.v1.refunds.create({"payment_intent": payment.id, "amount": 1000})

    booked = [(each.type, each.amount, each.fee, each.currency, each.exchange_rate) for each in movements(stripe_sdk)]

    assert booked == [("charge", 1800, 82, "eur", 0.9), ("refund", -900, 0, "eur", 0.9)]


def test_money_in_the_accounts_own_currency_is_not_converted(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.set_account_settings(EUROS)
    payer(stripe_sdk).pay(2000, currency="eur")

    stripe_sandbox.advance(BOOKED)

    assert [(each.amount, each.currency, each.exchange_rate) for each in movements(stripe_sdk)] == [(2000, "eur", None)]


def test_a_dispute_and_its_fee_are_converted(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_account_settings(EUROS)
    payer(stripe_sdk, "pm_card_createDispute").pay(2000)

    stripe_sandbox.advance(BOOKED)

    assert [(each.amount, each.fee, each.currency) for each in movements(stripe_sdk)][-1] == (-1800, 1500, "eur")


def test_a_refund_of_an_unbooked_charge_waits_for_it(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payer(stripe_sdk).pay(2000).id})
    assert (refund.status, refund.pending_reason, refund.balance_transaction) == ("pending", "charge_pending", None)

    stripe_sandbox.advance(BOOKED)

    booked = stripe_sdk.v1.refunds.retrieve(refund.id)
    assert booked.status == "succeeded"
    assert booked.balance_transaction is not None
    assert [each.amount for each in movements(stripe_sdk)] == [2000, -2000]


def test_a_refund_beyond_the_balance_waits_unbooked_until_there_is_enough(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.set_account_settings(AccountSettings(refunds_need_balance=True))
    customer = payer(stripe_sdk)
    payment = customer.pay(2000)
    stripe_sandbox.advance(BOOKED)
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payment.id})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    assert [each.amount for each in movements(stripe_sdk)] == [2000]

    customer.pay(5000)
    stripe_sandbox.advance(BOOKED)

    assert stripe_sdk.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert [each.amount for each in movements(stripe_sdk)] == [2000, 5000, -2000]


def test_a_waiting_refund_that_fails_was_never_booked(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payer(stripe_sdk).pay(2000).id})

    stripe_sandbox.fail_refund(refund.id)
    stripe_sandbox.advance(BOOKED)

    failed = stripe_sdk.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.balance_transaction) == ("failed", None)
    assert "failure_balance_transaction" not in failed
    assert [each.amount for each in movements(stripe_sdk)] == [2000]


def test_disputed_money_is_withdrawn_after_the_dispute_was_opened(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    payer(stripe_sdk, "pm_card_createDispute").pay(2000)
    (opened,) = stripe_sdk.v1.disputes.list().data
    assert opened.balance_transactions == []

    stripe_sandbox.advance(STRIPES_DELAYS.withdrawal)

    assert [each.net for each in stripe_sdk.v1.disputes.retrieve(opened.id).balance_transactions] == [-3500]
    assert len(stripe_sdk.v1.events.list({"type": "charge.dispute.funds_withdrawn"}).data) == 1


def test_a_dispute_that_is_won_before_its_money_was_withdrawn_moves_none(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    payer(stripe_sdk, "pm_card_createDispute").pay(2000)
    (opened,) = stripe_sdk.v1.disputes.list().data

    stripe_sandbox.close_dispute(opened.id, won=True)
    stripe_sandbox.advance(STRIPES_DELAYS.withdrawal)

    assert stripe_sdk.v1.disputes.retrieve(opened.id).balance_transactions == []
    assert stripe_sandbox.movements().totals[0].disputes.count == 0


def test_a_rate_that_is_no_rate_is_refused(stripe_sandbox: SandboxControl) -> None:
    with pytest.raises((ControlError, ValueError), match="exchange_rates must be above 0"):
        stripe_sandbox.set_account_settings(AccountSettings(settlement_currency="eur", exchange_rates={"usd": 0}))
