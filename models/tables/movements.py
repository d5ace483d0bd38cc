"""What a gateway's balance must move because of what the ledger has posted."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class GatewayExpectationRow(Base):
    """One movement that is expected of one object, and the movement that fulfilled it."""

    __tablename__ = "gateway_expectations"

    provider_id: Mapped[str] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    payment_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    expected_at: Mapped[datetime]
    due_at: Mapped[datetime]
    overdue_at: Mapped[datetime]
    movement: Mapped[str | None]
    settled_minor: Mapped[int | None] = mapped_column(BigInteger)
    settled_currency: Mapped[str | None]
    fee_minor: Mapped[int | None] = mapped_column(BigInteger)
    fulfilled_at: Mapped[datetime | None]
    alerted_at: Mapped[datetime | None]
    application_fee_minor: Mapped[int | None] = mapped_column(BigInteger)


class MovementMarkRow(Base):
    """Up to when a provider's own list of movements has been read, by its clock."""

    __tablename__ = "movement_marks"

    provider_id: Mapped[str] = mapped_column(primary_key=True)
    read_until: Mapped[datetime]


class ExpectationBackfillRow(Base):
    """How far what older releases posted has been given its expectations."""

    __tablename__ = "expectation_backfill"

    is_only: Mapped[bool] = mapped_column(primary_key=True)
    after_request: Mapped[str]
    is_done: Mapped[bool]
