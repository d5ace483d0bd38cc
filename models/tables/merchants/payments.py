"""Payments that the platform takes for merchants: whose customers they are of, and what was passed on."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class MerchantPayerRow(Base):
    """An account whose payments are taken for a merchant, from when to when."""

    __tablename__ = "merchant_payers"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("duly.merchants.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    assigned_at: Mapped[datetime]
    assigned_by: Mapped[str]
    assigned_because: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str]
    ended_because: Mapped[str]


class MerchantTransferRow(Base):
    """A payment that was taken for a merchant, as booked, and whether its transfers have followed."""

    __tablename__ = "merchant_transfers"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("duly.gateway_requests.id"))
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    merchant_provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    currency: Mapped[str]
    refunds_application_fee: Mapped[bool]
    captured_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    lost_minor: Mapped[int] = mapped_column(BigInteger)
    changes: Mapped[int] = mapped_column(Integer)
    state: Mapped[str]
    code: Mapped[str]
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]


class MerchantTransferMoveRow(Base):
    """A transfer, or what was taken back of one."""

    __tablename__ = "merchant_transfer_moves"

    transfer_id: Mapped[int] = mapped_column(ForeignKey("duly.merchant_transfers.id"), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    kind: Mapped[str]
    cause: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    idempotency_key: Mapped[str]
    state: Mapped[str]
    of_reference: Mapped[str]
    gateway_reference: Mapped[str | None]
    connected_reference: Mapped[str | None]
    code: Mapped[str]
    sent_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
