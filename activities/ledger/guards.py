"""What a person may not do by hand while the money is at the gateway (F69, Q4)."""

from typing import Any

from sqlalchemy import Row

from models.problem import refusal


def refuse_payment_of_gateway(payment: Row[Any]) -> None:
    """Refuse to cancel a payment whose money a gateway has: it returns it first, and then it is cancelled (F69)."""
    if payment.provider is not None and payment.state == "posted":
        raise refusal(
            "transaction",
            "gateway_confirms_first",
            f"{payment.id} went through {payment.provider}, which has not returned the money:"
            f" `refunds cancel {payment.id}` requests it, and the payment is cancelled when it has",
        )
