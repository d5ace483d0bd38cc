"""The credit note of a refund for goods that came back."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from activities.database import Database
from activities.ledger.transaction_queries import TransactionQueries
from activities.refunds.credits import RefundCredits
from commands.formatting import money
from models.problem import refusal
from models.refunds.credit import credit_lines
from models.refunds.refund import RefundOrder


@dataclass(frozen=True)
class CreditOptions:
    """What the credit note is for: an invoice, and one of its products; else what the payment settles."""

    invoice: str = ""
    product: str = ""


async def planned(database: Database, order: RefundOrder, payment: Row[Any], options: CreditOptions) -> RefundOrder:
    """Plan the credit note of a refund, once, and return the refund with its amount. Raises RefusedError."""
    credits_ = RefundCredits(database)
    before = await credits_.find(order.refund_id)
    if before is not None:
        if order.amount_minor not in {0, before.amount_minor}:
            problem = f"{order.refund_id} credits {money(before.amount_minor, payment.currency)}"
            raise refusal("id", "id_means_one_request", problem)
        return replace(order, amount_minor=before.amount_minor)
    named = (await TransactionQueries(database).require(options.invoice)).id if options.invoice else None
    basis = await credits_.basis(order.payment_id, named)
    invoice = basis.invoice(options.invoice)
    amount_minor = order.amount_minor or basis.left_minor
    if not amount_minor:
        raise refusal("payment", "something_is_left", f"nothing is left of {payment.id}")
    lines = credit_lines(invoice, amount_minor, payment.currency, options.product)
    await credits_.plan(
        order.refund_id, invoice, amount_minor, payment.currency, lines, actor=order.actor, reason=order.reason
    )
    return replace(order, amount_minor=amount_minor)


def credit_facts(credit: Row[Any] | None, currency: str) -> list[tuple[str, object]]:
    """Return what became of the credit note, for people."""
    if credit is None:
        return []
    if credit.credit_note_id:
        return [("Credit note", f"{credit.number} of {credit.invoice_id}")]
    if credit.refused_because:
        has_ended = credit.refused_because == "account_not_terminated"
        first = "`accounts reactivate` it, then " if has_ended else ""
        problem = f"not written: {credit.refused_because}; {first}write it with `transactions create credit_note`"
        return [("Credit note", problem)]
    amount = money(credit.amount_minor, currency) if currency else credit.amount_minor
    return [("Credit note", f"{amount} of {credit.invoice_id}, when the refund is posted")]
