"""Disputes: money withdrawn, fought for, won or lost."""

import pytest
from stripe import Dispute, InvalidRequestError, StripeClient

from sandbox.stripe.control.client import STRIPES_DELAYS, Delays, DisputeScript, SandboxControl
from tests.sandbox.contract import charge_of, payer

WITHDRAWN = STRIPES_DELAYS.withdrawal


def only_dispute(client: StripeClient) -> Dispute:
    (dispute,) = client.v1.disputes.list().data
    return dispute


def test_the_disputing_test_card_disputes_its_charge(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    payment = payer(stripe_sdk, "pm_card_createDispute").pay(2000)

    stripe_sandbox.advance(WITHDRAWN)
    dispute = only_dispute(stripe_sdk)

    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 2000)
    assert (dispute.charge, dispute.payment_intent) == (charge_of(payment).id, payment.id)
    assert [(each.type, each.amount, each.fee) for each in dispute.balance_transactions] == [
        ("adjustment", -2000, 1500)
    ]
    assert dispute.evidence_details.due_by == pytest.approx(stripe_sandbox.now() + 7 * 86_400, abs=5)
    assert stripe_sdk.v1.charges.retrieve(charge_of(payment).id).disputed is True


def test_a_dispute_can_come_later_and_be_about_a_part(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_delays(Delays(dispute=86_400))
    payment = payer(stripe_sdk, "pm_card_createDispute").pay(2000)
    other = payer(stripe_sdk).pay(3000)
    assert stripe_sdk.v1.disputes.list().data == []

    stripe_sandbox.create_dispute(charge_of(other).id, DisputeScript(reason="duplicate", amount=100))
    stripe_sandbox.advance(86_400)

    found = {dispute.payment_intent: (dispute.amount, dispute.reason) for dispute in stripe_sdk.v1.disputes.list()}
    assert found == {payment.id: (2000, "fraudulent"), other.id: (100, "duplicate")}


def test_winning_evidence_brings_the_money_back_but_not_the_fee(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    payer(stripe_sdk, "pm_card_createDispute").pay(2000)
    stripe_sandbox.advance(WITHDRAWN)
    dispute = only_dispute(stripe_sdk)

    won = stripe_sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})

    assert won.status == "won"
    assert sum(each.net for each in won.balance_transactions) == -1500
    types = [event.type for event in stripe_sdk.v1.events.list({"limit": 4})]
    assert types == [
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]


def test_evidence_is_collected_before_it_is_submitted(stripe_sdk: StripeClient) -> None:
    payer(stripe_sdk, "pm_card_createDispute").pay()
    dispute = only_dispute(stripe_sdk)

    draft = stripe_sdk.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}, "submit": False})
    sent = stripe_sdk.v1.disputes.update(dispute.id, {"evidence": {"product_description": "A plan"}})

    assert (draft.status, draft.evidence_details.submission_count) == ("needs_response", 0)
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert (sent.evidence.customer_name, sent.evidence.product_description) == ("Ada", "A plan")


def test_an_accepted_dispute_is_lost_for_good(stripe_sdk: StripeClient) -> None:
    payer(stripe_sdk, "pm_card_createDispute").pay()
    dispute = only_dispute(stripe_sdk)

    lost = stripe_sdk.v1.disputes.close(dispute.id)
    with pytest.raises(InvalidRequestError, match="already closed"):
        stripe_sdk.v1.disputes.close(dispute.id)

    assert lost.status == "lost"


def test_the_bank_decides_by_script(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    payer(stripe_sdk, "pm_card_createDispute").pay()
    dispute = only_dispute(stripe_sdk)

    stripe_sandbox.close_dispute(dispute.id, won=True)

    assert stripe_sdk.v1.disputes.retrieve(dispute.id).status == "won"


def test_an_inquiry_moves_no_money_until_it_is_escalated(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    payer(stripe_sdk, "pm_card_createDisputeInquiry").pay()
    inquiry = only_dispute(stripe_sdk)
    assert (inquiry.status, inquiry.balance_transactions) == ("warning_needs_response", [])

    stripe_sandbox.escalate_inquiry(inquiry.id)
    stripe_sandbox.advance(WITHDRAWN)

    escalated = stripe_sdk.v1.disputes.retrieve(inquiry.id)
    assert (escalated.status, len(escalated.balance_transactions)) == ("needs_response", 1)


def test_an_inquiry_that_is_closed_was_only_a_warning(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    payer(stripe_sdk, "pm_card_createDisputeInquiry").pay()

    stripe_sandbox.close_dispute(only_dispute(stripe_sdk).id, won=True)

    assert only_dispute(stripe_sdk).status == "warning_closed"
