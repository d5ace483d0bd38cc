"""Views that are read like tables; PostgreSQL does not say which of their columns are never null, these classes do."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ARRAY, BigInteger, Integer, Numeric, Text
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


class ReportDocumentView(Base):
    """A posted transaction; amounts in minor units, debits above zero and credits below."""

    __tablename__ = "report_documents"
    __table_args__ = VIEW

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str | None]
    classification: Mapped[str]
    type_id: Mapped[str]
    category: Mapped[str | None]
    account_id: Mapped[str]
    account_kind: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    posted_on: Mapped[date]
    month: Mapped[date]
    issued_on: Mapped[date]
    due_on: Mapped[date | None]
    state: Mapped[str]
    method: Mapped[str | None]
    provider: Mapped[str | None]
    origin: Mapped[str]
    actor: Mapped[str]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)


class ReportLineView(Base):
    """A line of what was sold, credited, cancelled or written off; amounts in minor units, signed."""

    __tablename__ = "report_lines"
    __table_args__ = VIEW

    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str | None]
    classification: Mapped[str]
    type_id: Mapped[str]
    account_id: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    posted_on: Mapped[date]
    month: Mapped[date]
    product_id: Mapped[str]
    product_line: Mapped[str | None]
    sales_channel: Mapped[str | None]
    tax_rate_id: Mapped[str | None]
    tax_percent: Mapped[Decimal] = mapped_column(Numeric(7, 4))
    invoice_id: Mapped[str | None]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    invoiced_minor: Mapped[int] = mapped_column(BigInteger)
    credited_minor: Mapped[int] = mapped_column(BigInteger)
    written_off_minor: Mapped[int] = mapped_column(BigInteger)
    relief_minor: Mapped[int] = mapped_column(BigInteger)


class ReportReceiptView(Base):
    """A payment, its cancellation or a refund; amounts in minor units, what left below zero."""

    __tablename__ = "report_receipts"
    __table_args__ = VIEW

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str | None]
    kind: Mapped[str]
    payment_type: Mapped[str]
    method: Mapped[str | None]
    provider: Mapped[str | None]
    account_id: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    posted_on: Mapped[date]
    month: Mapped[date]
    state: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    cancelled_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    standing: Mapped[int] = mapped_column(Integer)
    standing_minor: Mapped[int] = mapped_column(BigInteger)


class ReportEntryView(Base):
    """One side of a transfer, with what owns it; amounts in minor units."""

    __tablename__ = "report_entries"
    __table_args__ = VIEW

    transfer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source_id: Mapped[str]
    number: Mapped[str | None]
    classification: Mapped[str | None]
    account_id: Mapped[str | None]
    ledger_account: Mapped[str]
    control_account: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str]
    posted_on: Mapped[date]
    month: Mapped[date]
    debit_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)


class ReportBalanceView(Base):
    """What an account owes now, or is owed, in minor units."""

    __tablename__ = "report_balances"
    __table_args__ = VIEW

    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_kind: Mapped[str]
    state: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    balance_minor: Mapped[int] = mapped_column(BigInteger)
    owed_minor: Mapped[int] = mapped_column(BigInteger)
    due_back_minor: Mapped[int] = mapped_column(BigInteger)
