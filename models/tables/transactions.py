"""Financial transactions with their lines, numbers and notes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, LargeBinary, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.ledger.transaction import Classification, LifeCycleState, Origin
from models.tables.base import Base

HEADER = "duly.financial_transactions.id"


class FinancialTransactionRow(Base):
    """A financial transaction as it is stored; the view `duly.transactions` adds its number and what is unsettled."""

    __tablename__ = "financial_transactions"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    reference_number: Mapped[str] = mapped_column(Text(collation="C"))
    idempotency_key: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    classification: Mapped[Classification]
    type_id: Mapped[str] = mapped_column(Text(collation="C"))
    category: Mapped[str | None]
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    total_minor: Mapped[int] = mapped_column(BigInteger)
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
    addressed_invoice_ids: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")), server_default="{}")
    intended_account_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    counterpart_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey(HEADER))
    origin: Mapped[Origin]
    actor: Mapped[str]
    rejection_reason: Mapped[str | None]
    rejected_by: Mapped[str | None]
    rejected_at: Mapped[datetime | None]
    account_version: Mapped[int | None] = mapped_column(BigInteger)
    balance_after_minor: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    posted_by: Mapped[str | None]


class TransactionLineRow(Base):
    """A line of a document, its amounts in minor units and its rates in percent (F37 to F40)."""

    __tablename__ = "transaction_lines"

    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey(HEADER), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    product_id: Mapped[str] = mapped_column(Text(collation="C"))
    description: Mapped[str] = mapped_column(server_default="")
    quantity: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    discount_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    discount_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_rate_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    tax_percent: Mapped[Decimal] = mapped_column(Numeric(7, 4))
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    period_from: Mapped[date | None]
    period_to: Mapped[date | None]
    sales_channel: Mapped[str | None]
    applied_taxes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class TransactionNumberRow(Base):
    """The number that posting gave (F28)."""

    __tablename__ = "transaction_numbers"

    number: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    transaction_id: Mapped[str] = mapped_column(
        Text(collation="C"), ForeignKey("duly.open_items.transaction_id"), unique=True
    )


class TransactionNoteRow(Base):
    """A shared note with its author and time (F36)."""

    __tablename__ = "transaction_notes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey(HEADER))
    author: Mapped[str]
    note: Mapped[str]
    noted_at: Mapped[datetime]


class DocumentRow(Base):
    """What the document of a posted transaction says, taken when it was printed first."""

    __tablename__ = "documents"

    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey(HEADER), primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    taken_at: Mapped[datetime]


class DocumentLogoRow(Base):
    """A logo that printed documents have, by its SHA-256."""

    __tablename__ = "document_logos"

    sha256: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    svg: Mapped[str]


class TaxConversionRow(Base):
    """The VAT of a posted document in another currency, with what one euro was in both on a day; it stays."""

    __tablename__ = "tax_conversions"

    transaction_id: Mapped[str] = mapped_column(
        Text(collation="C"), ForeignKey("duly.financial_transactions.id"), primary_key=True
    )
    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    rate_on: Mapped[date]
    document_per_euro: Mapped[Decimal]
    tax_per_euro: Mapped[Decimal]
    tax_minor: Mapped[int] = mapped_column(BigInteger)


class DocumentFileRow(Base):
    """A file of a document, as it was printed first."""

    __tablename__ = "document_files"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.documents.transaction_id"))
    format: Mapped[str]
    language: Mapped[str]
    template_version: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    printed_at: Mapped[datetime]


class DocumentLinkRow(Base):
    """A link to a file: of what it ends in the hash alone is kept."""

    __tablename__ = "document_links"

    token_hash: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duly.document_files.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
