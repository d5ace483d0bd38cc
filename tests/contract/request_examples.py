"""The example of a payment request."""

from datetime import timedelta

from models.payments.card_payment import CardPayment
from models.payments.hold import HoldRelease
from models.payments.payment_request import (
    PageOrder,
    PaymentLink,
    PaymentRequestInput,
    PaymentRequestResult,
    PaymentRequestState,
    PaymentRequestStatus,
)
from models.payments.request_terms import PaymentRequestTerms
from tests.contract.examples import COMMAND, HISTORY, NOON, RESOLUTION, SETTLED, WHO, WHY, Call, Example

UNTIL = NOON + timedelta(days=14)
TERMS = PaymentRequestTerms(
    "acc_42",
    "Consulting in May",
    amount_minor=2500,
    currency="EUR",
    is_mailed=True,
    sender=WHO,
    sender_email="maria@example.com",
    reason=WHY,
)
INPUT = PaymentRequestInput("order-4711", "stripe", TERMS)
STATUS = PaymentRequestStatus(
    stage=PaymentRequestState.OPEN,
    account_id="acc_42",
    amount_minor=2500,
    currency="EUR",
    expires_at=UNTIL,
    attempt=0,
    has_page=False,
    next_action="waits for its payer",
    next_action_at=UNTIL,
    history=HISTORY,
)

REQUESTS = {
    "PaymentRequest": Example(
        INPUT,
        "payment-request/order-4711",
        PaymentRequestResult(PaymentRequestState.PAID, "paid", 2500, "EUR"),
        signals={"gateway_event": (), "receivable_changed": ()},
        updates={
            "created": Call(
                PaymentLink("order-4711", PaymentRequestState.OPEN, "/pay/7c1f0a", 2500, "EUR", UNTIL), INPUT
            ),
            "open_page": Call("https://checkout.stripe.com/c/pay/cs_test_a1", PageOrder(), may_take=True),
            "pay": Call(SETTLED, CardPayment(WHO, WHY)),
            "release_hold": Call("25.00 EUR released, which rule unusual held", HoldRelease(WHO, WHY)),
            "resolve_unknown": Call(SETTLED, RESOLUTION),
            "send_link": Call("sent again", COMMAND),
            "withdraw": Call(PaymentRequestState.WITHDRAWN.value, COMMAND),
        },
        queries={"status": Call(STATUS)},
    ),
}
