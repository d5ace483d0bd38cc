"""Views that are read like tables; PostgreSQL does not say which of their columns are never null, these classes do."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.ledger.transaction import Classification, LifeCycleState, Origin, Side
from models.tables.base import Base

VIEW = {"info": {"is_view": True}}


class TransactionView(Base):
    """A financial transaction with its number and what is unsettled of it."""

    __tablename__ = "transactions"
    __table_args__ = VIEW

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    reference_number: Mapped[str] = mapped_column(Text(collation="C"))
    number: Mapped[str | None] = mapped_column(Text(collation="C"))
    classification: Mapped[Classification]
    side: Mapped[Side]
    type_id: Mapped[str] = mapped_column(Text(collation="C"))
    category: Mapped[str | None]
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    total_minor: Mapped[int] = mapped_column(BigInteger)
    unsettled_minor: Mapped[int | None] = mapped_column(BigInteger)
    is_settled: Mapped[bool]
    state: Mapped[LifeCycleState]
    issued_on: Mapped[date]
    posted_on: Mapped[date | None]
    posted_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    issue_reason: Mapped[str | None]
    back_office_code: Mapped[str | None] = mapped_column(Text(collation="C"))
    method: Mapped[str | None] = mapped_column(Text(collation="C"))
    provider: Mapped[str | None] = mapped_column(Text(collation="C"))
    gateway_reference: Mapped[str | None] = mapped_column(Text(collation="C"))
    payment_reference: Mapped[str | None]
    payment_preference: Mapped[str | None]
    voucher_number: Mapped[str | None]
    addressed_invoice_ids: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    intended_account_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    counterpart_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    origin: Mapped[Origin]
    actor: Mapped[str]
    rejection_reason: Mapped[str | None]
    rejected_by: Mapped[str | None]
    rejected_at: Mapped[datetime | None]
    account_version: Mapped[int | None] = mapped_column(BigInteger)
    balance_after_minor: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(Text(collation="C"))
    issued_at: Mapped[datetime | None]
    posted_by: Mapped[str | None]


class CurrentAllocationView(Base):
    """An allocation that has not been undone."""

    __tablename__ = "current_allocations"
    __table_args__ = VIEW

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    credit_id: Mapped[str] = mapped_column(Text(collation="C"))
    debit_id: Mapped[str] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class OwnedInvoiceView(Base):
    """An invoice that somebody is collecting: so much of it, or all that others leave."""

    __tablename__ = "owned_invoices"
    __table_args__ = VIEW

    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    invoice_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
