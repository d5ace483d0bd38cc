"""What the ledger is configured with: currencies, products, taxes, methods, types, reasons, rules."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.ledger.allocation import Principle
from models.ledger.transaction import Classification
from models.tables.base import Base, stored_as_text


class CurrencyRow(Base):
    """An active currency of ISO 4217 and its decimals."""

    __tablename__ = "currencies"

    code: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    exponent: Mapped[int] = mapped_column(SmallInteger)


class ExchangeRateRow(Base):
    """What one euro was in a currency on a day, as it was published."""

    __tablename__ = "exchange_rates"

    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    rate_on: Mapped[date] = mapped_column(primary_key=True)
    per_euro: Mapped[Decimal]
    imported_by: Mapped[str]
    imported_at: Mapped[datetime]


class TaxRateRow(Base):
    """A tax rate, in percent of the net amount."""

    __tablename__ = "tax_rates"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    percent: Mapped[Decimal] = mapped_column(Numeric(7, 4))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    category: Mapped[str | None]
    exemption: Mapped[str] = mapped_column(server_default="")


class ProductRow(Base):
    """What is sold, and the ledger account that its net amount goes to."""

    __tablename__ = "products"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    product_line: Mapped[str | None]
    tax_rate_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.tax_rates.id"))
    ledger_account: Mapped[str] = mapped_column(Text(collation="C"))
    is_active: Mapped[bool] = mapped_column(server_default="true")


class PaymentMethodRow(Base):
    """How an amount is paid, and where the money is when no gateway handles it (G2)."""

    __tablename__ = "payment_methods"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    ledger_account: Mapped[str] = mapped_column(Text(collation="C"))
    is_active: Mapped[bool] = mapped_column(server_default="true")


class NumberSeriesRow(Base):
    """What the numbers of some types begin with, whether anew each year, and whether without gaps."""

    __tablename__ = "number_series"

    prefix: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    is_per_year: Mapped[bool] = mapped_column(primary_key=True)
    classification: Mapped[Classification]
    is_gap_free: Mapped[bool]
    created_at: Mapped[datetime]


class NumberCounterRow(Base):
    """Whether the numbers of a series with gaps come from its sequence by now."""

    __tablename__ = "number_counters"

    stem: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    is_open: Mapped[bool] = mapped_column(server_default="false")


class TransactionTypeRow(Base):
    """A user's subdivision of a classification, with what it allows (F14 to F21)."""

    __tablename__ = "transaction_types"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    alternative_code: Mapped[str | None]
    description: Mapped[str | None]
    classification: Mapped[Classification]
    allowed_methods: Mapped[list[str] | None]
    allowed_categories: Mapped[list[str]] = mapped_column(server_default="{}")
    is_default: Mapped[bool] = mapped_column(server_default="false")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    number_prefix: Mapped[str | None] = mapped_column(Text(collation="C"))
    is_numbered_per_year: Mapped[bool] = mapped_column(server_default="false")


class TransactionReasonRow(Base):
    """A reason for rejecting a draft, or for issuing a transaction (F23, F33)."""

    __tablename__ = "transaction_reasons"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    purpose: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default="true")


class DueDateRuleRow(Base):
    """A due date rule by name (F112, F113)."""

    __tablename__ = "due_date_rules"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[str]
    number_of_days: Mapped[int | None]
    day_of_month: Mapped[int | None]
    after_months: Mapped[int | None]
    proximity_operator: Mapped[str | None]
    proximity_days: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(server_default="true")


class DefinitionRow(Base):
    """The one definition that all accounts work by (F24, F100)."""

    __tablename__ = "definitions"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1")
    allocation_principle: Mapped[Principle] = mapped_column(
        stored_as_text(Principle), server_default="against_item_and_fifo"
    )
    due_date_rule_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.due_date_rules.id"))
    write_off_product_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.products.id"))


class LedgerAccountKindRow(Base):
    """A kind of ledger account: one line of the chart of accounts."""

    __tablename__ = "ledger_account_kinds"

    kind: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    nature: Mapped[str]
    description: Mapped[str]


class NumberGapRow(Base):
    """Numbers of a series that are not given, because a restored database may have given them before."""

    __tablename__ = "number_gaps"

    stem: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    declared_at: Mapped[datetime]


class StatementLayoutRow(Base):
    """How a bank's own CSV export is written (models/bank/exports/layout.py has the fields of the document)."""

    __tablename__ = "statement_layouts"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
