"""Subscriptions, and what was changed of them and of accounts by whom."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class SubscriptionRow(Base):
    """What an account buys for every billing period (S9); the days billed when it is billed by day."""

    __tablename__ = "subscriptions"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    product_id: Mapped[str] = mapped_column(ForeignKey("duly.products.id"))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    quantity: Mapped[int] = mapped_column(Integer)
    billing_day: Mapped[int] = mapped_column(SmallInteger)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    created_at: Mapped[datetime]
    term_months: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    by_day_from: Mapped[date | None]
    billed_until: Mapped[date | None]
    version: Mapped[int] = mapped_column(Integer, server_default="0")
    billed_version: Mapped[int] = mapped_column(Integer, server_default="0")
    billings: Mapped[int] = mapped_column(Integer, server_default="0")


class SubscriptionChangeRow(Base):
    """What holds of a subscription from a day on; None stays as it was."""

    __tablename__ = "subscription_changes"

    subscription_id: Mapped[str] = mapped_column(
        Text(collation="C"), ForeignKey("duly.subscriptions.id"), primary_key=True
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str]
    from_on: Mapped[date]
    product_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.products.id"))
    price_minor: Mapped[int | None] = mapped_column(BigInteger)
    quantity: Mapped[int | None] = mapped_column(Integer)
    term_months: Mapped[int | None] = mapped_column(SmallInteger)
    billing_day: Mapped[int | None] = mapped_column(SmallInteger)
    anchor_on: Mapped[date | None]
    is_paused: Mapped[bool | None]
    trial_ends_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    discount_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    discount_minor: Mapped[int | None] = mapped_column(BigInteger)
    discount_until: Mapped[date | None]
    actor: Mapped[str]
    reason: Mapped[str]
    changed_at: Mapped[datetime]


class AccountChangeRow(Base):
    """What was changed of an account by a command: by field, before and after."""

    __tablename__ = "account_changes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"))
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor: Mapped[str]
    reason: Mapped[str]
    changed_at: Mapped[datetime]
