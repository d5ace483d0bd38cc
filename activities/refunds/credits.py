"""The credit notes that refunds bring: planned before the refund is asked for, posted with it by the database."""

from typing import Any

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Row, select

from activities.database import Database
from models.refunds.credit import CreditableInvoice, CreditBasis
from models.tables.returns import RefundCreditRow
from models.tables.transactions import TransactionNumberRow

_BASIS = TypeAdapter(CreditBasis)

_PLANS = select(
    RefundCreditRow.refund_id,
    RefundCreditRow.invoice_id,
    RefundCreditRow.amount_minor,
    RefundCreditRow.credit_note_id,
    RefundCreditRow.refused_because,
    TransactionNumberRow.number,
).outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == RefundCreditRow.credit_note_id)


class RefundCredits:
    """Reads what may be credited, and plans credit notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, refund_id: str) -> Row[Any] | None:
        """Return the credit note that a refund brings, or None."""
        return await self._database.read_first(_PLANS.where(RefundCreditRow.refund_id == refund_id))

    async def basis(self, payment_id: str, invoice_id: str | None) -> CreditBasis:
        """Return what a refund of a payment may credit."""
        return _BASIS.validate_python(
            await self._database.call("credit_basis", payment_id=payment_id, invoice_id=invoice_id)
        )

    async def plan(
        self,
        refund_id: str,
        invoice: CreditableInvoice,
        amount_minor: int,
        currency: str,
        lines: list[dict[str, Any]],
        *,
        actor: str,
        reason: str,
    ) -> None:
        """Plan a credit note. Raises RuleBrokenError when the id means another refund."""
        document = {
            "key": f"refund-credit:{refund_id}",
            "account_id": invoice.account_id,
            "currency": currency,
            "lines": lines,
            "invoices": [invoice.invoice_id],
            "issue_reason": reason,
            "origin": "user",
            "actor": actor,
        }
        await self._database.call(
            "plan_refund_credit",
            refund_id=refund_id,
            invoice_id=invoice.invoice_id,
            amount_minor=amount_minor,
            document=Jsonb(document),
            actor=actor,
            reason=reason,
        )

    async def drop(self, refund_id: str) -> None:
        """Take a plan away whose refund was refused before anything was written."""
        await self._database.call("drop_refund_credit", refund_id=refund_id)

    async def move(self, refund_id: str, following: str) -> None:
        """Let the refund that is asked for anew bring what the one before has not brought."""
        await self._database.call("move_refund_credit", from_refund_id=refund_id, refund_id=following)
