"""What the gateway says has moved, and in what it differs from the ledger."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base

RECONCILIATION = "duly.reconciliations.id"


class GatewayMovementRow(Base):
    """A balance transaction of the gateway, and what became of it in the ledger."""

    __tablename__ = "gateway_movements"

    provider_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    category: Mapped[str]
    kind: Mapped[str]
    pocket: Mapped[str]
    source: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    exchange_rate: Mapped[str]
    created_at: Mapped[datetime]
    available_on: Mapped[datetime | None]
    payout: Mapped[str]
    state: Mapped[str]
    explanation: Mapped[str]
    stored_at: Mapped[datetime]
    application_fee_minor: Mapped[int] = mapped_column(BigInteger)


class GatewayPayoutRow(Base):
    """Money on its way from a gateway to the bank, or back, and the bank's lines that brought it and took it back."""

    __tablename__ = "gateway_payouts"

    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    status: Mapped[str]
    is_automatic: Mapped[bool]
    trace: Mapped[str]
    arrives_on: Mapped[date]
    lines_minor: Mapped[int | None] = mapped_column(BigInteger)
    arrived_key: Mapped[str | None]
    returned_key: Mapped[str | None]
    created_at: Mapped[datetime]


class ReconciliationRow(Base):
    """A day of a provider, reconciled in rounds."""

    __tablename__ = "reconciliations"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    day: Mapped[date]
    round: Mapped[int] = mapped_column(Integer)
    read_from: Mapped[datetime]
    read_until: Mapped[datetime]
    state: Mapped[str]
    certificate: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class ReconciliationWindowRow(Base):
    """How far one list has been read in a round."""

    __tablename__ = "reconciliation_windows"

    reconciliation_id: Mapped[str] = mapped_column(ForeignKey(RECONCILIATION), primary_key=True)
    round: Mapped[int] = mapped_column(Integer, primary_key=True)
    list: Mapped[str] = mapped_column(primary_key=True)
    read_from: Mapped[datetime] = mapped_column(primary_key=True)
    read_until: Mapped[datetime]
    cursor: Mapped[str]
    listed: Mapped[int] = mapped_column(BigInteger)
    found: Mapped[int] = mapped_column(BigInteger)
    done_at: Mapped[datetime | None]


class DiscrepancyRow(Base):
    """In what gateway and ledger differ, and who ended it."""

    __tablename__ = "discrepancies"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    kind: Mapped[str]
    object: Mapped[str]
    account_id: Mapped[str]
    transaction_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    reconciliation_id: Mapped[str | None] = mapped_column(ForeignKey(RECONCILIATION))
    actor: Mapped[str]
    reason: Mapped[str]
    resolution: Mapped[str]
    alerted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
