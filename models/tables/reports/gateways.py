"""What reports read of gateways: views over attempts, receivables, refunds and disputes."""

from datetime import date

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base
from models.tables.views import VIEW


class ReportAttemptView(Base):
    """An attempt to charge a card, with its outcome; amounts in minor units, days are UTC's."""

    __tablename__ = "report_attempts"
    __table_args__ = VIEW

    request_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    account_id: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    sent_on: Mapped[date]
    month: Mapped[date]
    provider: Mapped[str]
    method: Mapped[str | None]
    brand: Mapped[str | None]
    card_id: Mapped[str | None]
    channel: Mapped[str]
    cause: Mapped[str]
    run_id: Mapped[str | None]
    outcome: Mapped[str]
    code: Mapped[str]
    decline_code: Mapped[str]
    advice_code: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    succeeded: Mapped[int | None] = mapped_column(Integer)
    declined: Mapped[int | None] = mapped_column(Integer)
    unknown: Mapped[int] = mapped_column(Integer)
    not_made: Mapped[int | None] = mapped_column(Integer)
    succeeded_minor: Mapped[int] = mapped_column(BigInteger)
    declined_minor: Mapped[int] = mapped_column(BigInteger)


class ReportReceivableView(Base):
    """A receivable by the first answer of an issuer, and what became of it; amounts in minor units, days are UTC's."""

    __tablename__ = "report_receivables"
    __table_args__ = VIEW

    request_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    first_on: Mapped[date]
    month: Mapped[date]
    provider: Mapped[str]
    brand: Mapped[str | None]
    run_id: Mapped[str | None]
    code: Mapped[str]
    decline_code: Mapped[str]
    advice_code: Mapped[str]
    result: Mapped[str]
    recovered_by: Mapped[str | None]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    at_once: Mapped[int] = mapped_column(Integer)
    paid: Mapped[int] = mapped_column(Integer)
    declined: Mapped[int] = mapped_column(Integer)
    recovered: Mapped[int] = mapped_column(Integer)
    still_open: Mapped[int] = mapped_column(Integer)
    given_up: Mapped[int] = mapped_column(Integer)
    declined_minor: Mapped[int] = mapped_column(BigInteger)
    recovered_minor: Mapped[int] = mapped_column(BigInteger)


class ReportApplicationFeeView(Base):
    """A booking of what a platform takes of its merchants' payments, in either book; amounts in minor units."""

    __tablename__ = "report_application_fees"
    __table_args__ = VIEW

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    booked_on: Mapped[date]
    month: Mapped[date]
    book: Mapped[str]
    provider: Mapped[str]
    merchant_id: Mapped[str | None]
    kind: Mapped[str]
    reference: Mapped[str]
    payment_id: Mapped[str | None]
    currency: Mapped[str]
    charges: Mapped[int] = mapped_column(Integer)
    taken_minor: Mapped[int] = mapped_column(BigInteger)
    given_back_minor: Mapped[int] = mapped_column(BigInteger)
    income_minor: Mapped[int] = mapped_column(BigInteger)


class ReportReturnView(Base):
    """A payment, refund, dispute or inquiry with the day of its payment; amounts in minor units."""

    __tablename__ = "report_returns"
    __table_args__ = VIEW

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    state: Mapped[str]
    account_id: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    currency: Mapped[str]
    happened_on: Mapped[date]
    month: Mapped[date]
    payment_on: Mapped[date]
    payment_month: Mapped[date]
    provider: Mapped[str | None]
    method: Mapped[str | None]
    payments: Mapped[int] = mapped_column(Integer)
    payment_minor: Mapped[int] = mapped_column(BigInteger)
    refunds: Mapped[int] = mapped_column(Integer)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    disputes: Mapped[int] = mapped_column(Integer)
    disputed_minor: Mapped[int] = mapped_column(BigInteger)
    lost: Mapped[int] = mapped_column(Integer)
    won: Mapped[int] = mapped_column(Integer)
