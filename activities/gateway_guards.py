"""What a person may not do by hand while the gateway has a say in it (F69, Q4, Q8)."""

from typing import Any

from sqlalchemy import Row

from models.fault import refusal


def refuse_payment_of_gateway(payment: Row[Any]) -> None:
    """Refuse to cancel a payment whose money a gateway has: it returns it first, and then it is cancelled (F69)."""
    if payment.provider is not None and payment.state == "posted":
        raise refusal(
            "transaction",
            "gateway_confirms_first",
            f"{payment.id} went through {payment.provider}, which has not returned the money:"
            f" `refunds cancel {payment.id}` asks it to, and the payment is cancelled when it has",
        )


def refuse_draft_of_gateway(draft: Row[Any]) -> None:
    """Refuse to edit or reject a draft that a gateway may be working on: its answer posts or rejects it (Q8)."""
    if draft.provider is not None and draft.state == "draft":
        raise refusal(
            "transaction",
            "gateway_decides",
            f"{draft.id} is with {draft.provider}, whose answer posts or rejects it",
        )
