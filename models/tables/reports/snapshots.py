"""The recurring revenue of closed months, and the view that reports read of it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Integer, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base
from models.tables.views import VIEW


class MrrSnapshotRow(Base):
    """A version of a closed month, by its first day; those after the first are corrections."""

    __tablename__ = "mrr_snapshots"

    month: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    actor: Mapped[str]
    reason: Mapped[str]
    computed_at: Mapped[datetime]


class MrrAmountRow(Base):
    """What an account came to in a version of a month, and in the month before, in minor units before tax."""

    __tablename__ = "mrr_amounts"

    month: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    start_minor: Mapped[int] = mapped_column(BigInteger)
    mrr_minor: Mapped[int] = mapped_column(BigInteger)
    change: Mapped[str]


class ReportMrrView(Base):
    """What an account came to in a closed month, and what changed; amounts in minor units before tax."""

    __tablename__ = "report_mrr"
    __table_args__ = VIEW

    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    ends_on: Mapped[date]
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str]
    computed_at: Mapped[datetime]
    change: Mapped[str]
    start_minor: Mapped[int] = mapped_column(BigInteger)
    mrr_minor: Mapped[int] = mapped_column(BigInteger)
    new_minor: Mapped[int] = mapped_column(BigInteger)
    reactivation_minor: Mapped[int] = mapped_column(BigInteger)
    expansion_minor: Mapped[int] = mapped_column(BigInteger)
    contraction_minor: Mapped[int] = mapped_column(BigInteger)
    churn_minor: Mapped[int] = mapped_column(BigInteger)
    began: Mapped[int] = mapped_column(Integer)
    accounts: Mapped[int] = mapped_column(Integer)
    lost: Mapped[int] = mapped_column(Integer)


class ReportLifetimeView(Base):
    """What a customer is worth, in minor units without tax, and how many months accounts of its segment stay."""

    __tablename__ = "report_lifetime"
    __table_args__ = VIEW

    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    receipts_minor: Mapped[int] = mapped_column(BigInteger)
    mrr_minor: Mapped[int] = mapped_column(BigInteger)
    months: Mapped[Decimal] = mapped_column(Numeric)
    value_minor: Mapped[int] = mapped_column(BigInteger)
