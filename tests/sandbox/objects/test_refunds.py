"""Money back: at once, later, refused, and returned to us after all."""

import pytest
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe.control.client import STRIPES_DELAYS, CardOutcome, RefundScript, SandboxControl
from tests.sandbox.contract import charge_of, payer


def test_a_payment_is_refunded_in_parts(gateway_sdk: StripeClient) -> None:
    payment = payer(gateway_sdk).pay(2000)

    first = gateway_sdk.v1.refunds.create({"payment_intent": payment.id, "amount": 500, "metadata": {"part": "1"}})
    second = gateway_sdk.v1.refunds.create({"payment_intent": payment.id})

    assert first.metadata is not None
    assert (first.amount, first.metadata.to_dict()) == (500, {"part": "1"})
    assert second.amount == 1500
    # A charge that is not booked yet keeps its refunds waiting.
    assert {first.status, second.status} <= {"succeeded", "pending"}
    charge = gateway_sdk.v1.charges.retrieve(charge_of(payment).id)
    assert (charge.amount_refunded, charge.refunded) == (2000, True)


def test_more_than_the_charge_is_refused(gateway_sdk: StripeClient) -> None:
    payment = payer(gateway_sdk).pay(2000)

    with pytest.raises(InvalidRequestError) as refused:
        gateway_sdk.v1.refunds.create({"payment_intent": payment.id, "amount": 2001})

    assert refused.value.http_status == 400
    assert refused.value.param == "amount"


def test_a_second_full_refund_is_refused(gateway_sdk: StripeClient) -> None:
    payment = payer(gateway_sdk).pay(2000)
    gateway_sdk.v1.refunds.create({"payment_intent": payment.id})

    with pytest.raises(InvalidRequestError) as refused:
        gateway_sdk.v1.refunds.create({"payment_intent": payment.id})

    assert refused.value.code == "charge_already_refunded"


def test_a_refund_needs_a_charge(gateway_sdk: StripeClient) -> None:
    with pytest.raises(InvalidRequestError, match="payment_intent or charge"):
        gateway_sdk.v1.refunds.create({"amount": 100})


def test_refunds_are_listed_by_payment_and_expanded_in_the_charge(gateway_sdk: StripeClient) -> None:
    payment = payer(gateway_sdk).pay(2000)
    refund = gateway_sdk.v1.refunds.create({"payment_intent": payment.id, "amount": 1})

    listed = gateway_sdk.v1.refunds.list({"payment_intent": payment.id})
    charge = gateway_sdk.v1.charges.retrieve(charge_of(payment).id, {"expand": ["refunds"]})

    assert [each.id for each in listed] == [refund.id]
    assert charge.refunds is not None
    assert [each.id for each in charge.refunds] == [refund.id]


def test_a_pending_refund_succeeds_later(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    payment = payer(stripe_sdk, "pm_card_pendingRefund").pay()
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payment.id})
    assert refund.status == "pending"

    stripe_sandbox.advance(1)

    assert stripe_sdk.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_refund_that_succeeded_fails_later_and_the_money_is_ours_again(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    payment = payer(stripe_sdk, "pm_card_refundFail").pay(2000)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payment.id, "amount": 700})
    assert refund.status == "succeeded"

    stripe_sandbox.advance(1)

    failed = stripe_sdk.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert not isinstance(failed.failure_balance_transaction, str | None)
    assert (failed.failure_balance_transaction.type, failed.failure_balance_transaction.net) == ("refund_failure", 700)
    assert stripe_sdk.v1.charges.retrieve(charge_of(payment).id).amount_refunded == 0
    assert {"refund.failed", "refund.updated", "charge.refund.updated"} <= {
        event.type for event in stripe_sdk.v1.events.list()
    }


def test_any_refund_can_be_made_to_fail(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    payment = payer(stripe_sdk).pay()
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payment.id})

    stripe_sandbox.fail_refund(refund.id, "lost_or_stolen_card")
    stripe_sandbox.fail_refund(refund.id, "declined")

    assert stripe_sdk.v1.refunds.retrieve(refund.id).failure_reason == "lost_or_stolen_card"


def test_a_refund_that_waits_for_the_customer_can_be_canceled(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.script_card(customer.method.id, CardOutcome(refund=RefundScript.REQUIRE_ACTION))
    payment = customer.pay()
    refund = stripe_sdk.v1.refunds.create({"payment_intent": payment.id})
    assert refund.status == "requires_action"

    canceled = stripe_sdk.v1.refunds.cancel(refund.id)

    assert canceled.status == "canceled"
    assert stripe_sdk.v1.charges.retrieve(charge_of(payment).id).amount_refunded == 0


def test_a_refund_that_waits_for_the_customer_can_go_through(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.script_card(customer.method.id, CardOutcome(refund=RefundScript.REQUIRE_ACTION))
    refund = stripe_sdk.v1.refunds.create({"payment_intent": customer.pay().id})

    stripe_sandbox.succeed_refund(refund.id)

    assert stripe_sdk.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert stripe_sandbox.movements().totals[0].refund_failures.count == 0


def test_a_disputed_charge_cannot_be_refunded(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    payment = payer(stripe_sdk).pay()
    stripe_sandbox.create_dispute(charge_of(payment).id)

    with pytest.raises(InvalidRequestError) as refused:
        stripe_sdk.v1.refunds.create({"payment_intent": payment.id})

    assert refused.value.code == "charge_disputed"
