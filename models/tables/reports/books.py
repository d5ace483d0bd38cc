"""What reports read of the books: views over what is posted."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Integer, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base
from models.tables.views import VIEW


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
    tax_category: Mapped[str | None]
    country: Mapped[str | None]
    tax_percent: Mapped[Decimal] = mapped_column(Numeric(7, 4))
    invoice_id: Mapped[str | None]
    cancelled_invoice_id: Mapped[str | None]
    prepaid_into: Mapped[str | None]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    invoiced_minor: Mapped[int] = mapped_column(BigInteger)
    credited_minor: Mapped[int] = mapped_column(BigInteger)
    written_off_minor: Mapped[int] = mapped_column(BigInteger)
    relief_minor: Mapped[int] = mapped_column(BigInteger)


class ReportTaxView(Base):
    """The base and tax of one rate of a document, in the currency in which the house owes VAT; signed minor units."""

    __tablename__ = "report_taxes"
    __table_args__ = VIEW

    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str | None]
    classification: Mapped[str]
    account_id: Mapped[str]
    posted_on: Mapped[date]
    month: Mapped[date]
    tax_rate_id: Mapped[str | None]
    tax_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    tax_category: Mapped[str | None]
    country: Mapped[str | None]
    document_currency: Mapped[str]
    currency: Mapped[str]
    exchange_rate_on: Mapped[date | None]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    relief_minor: Mapped[int] = mapped_column(BigInteger)
    document_tax_minor: Mapped[int] = mapped_column(BigInteger)


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
    paid_from: Mapped[str]
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


class ReportTransferView(Base):
    """A transfer as it was written, in minor units, with what owns it."""

    __tablename__ = "report_transfers"
    __table_args__ = VIEW

    transfer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source_id: Mapped[str]
    position: Mapped[int] = mapped_column(Integer)
    debit_account: Mapped[str]
    credit_account: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    posted_on: Mapped[date]
    number: Mapped[str | None]
    classification: Mapped[str | None]


class ReportSealView(Base):
    """A seal over a range of transfers, chained to the one before, in hexadecimal."""

    __tablename__ = "report_seals"
    __table_args__ = VIEW

    roll_up_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    after_transfer_id: Mapped[int] = mapped_column(BigInteger)
    upto_transfer_id: Mapped[int] = mapped_column(BigInteger)
    previous_seal: Mapped[str | None]
    seal: Mapped[str]
    marked_at: Mapped[str]
