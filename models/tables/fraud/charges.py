"""What is not charged, or not yet: the block list, rules for unusual charges, and what they hold."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class ChargeBlockRow(Base):
    """An account, a card by its fingerprint, an e-mail address or a domain that is never charged, and until when."""

    __tablename__ = "charge_blocks"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    value: Mapped[str] = mapped_column(Text(collation="C"))
    blocked_at: Mapped[datetime]
    blocked_by: Mapped[str]
    blocked_because: Mapped[str]
    ends_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str]
    lifted_because: Mapped[str]


class ChargeRuleRow(Base):
    """Which charges are held for a person before they are sent."""

    __tablename__ = "charge_rules"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    currency: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.currencies.code"))
    above_minor: Mapped[int | None] = mapped_column(BigInteger)
    first_above_minor: Mapped[int | None] = mapped_column(BigInteger)
    times_median: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    of_payments: Mapped[int] = mapped_column(SmallInteger)
    payments_min: Mapped[int] = mapped_column(SmallInteger)
    most_charges: Mapped[int | None] = mapped_column(Integer)
    most_minor: Mapped[int | None] = mapped_column(BigInteger)
    per: Mapped[str | None]
    within_minutes: Mapped[int | None] = mapped_column(Integer)
    is_active: Mapped[bool]
    waits_for_person: Mapped[bool]


class ChargeHoldRow(Base):
    """A charge that a rule holds, by receivable and amount, and who has released it."""

    __tablename__ = "charge_holds"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"))
    period: Mapped[str] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.currencies.code"))
    provider_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.providers.id"))
    run_id: Mapped[str] = mapped_column(Text(collation="C"))
    rule_id: Mapped[str] = mapped_column(Text(collation="C"))
    because: Mapped[str]
    held_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str]
    released_because: Mapped[str]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ends_at: Mapped[datetime | None]


class ChargeCountRow(Base):
    """How many and how much was charged for a merchant in a part of a rule's time."""

    __tablename__ = "charge_counts"

    rule_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.charge_rules.id"), primary_key=True)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    bucket: Mapped[datetime] = mapped_column(primary_key=True)
    charges: Mapped[int] = mapped_column(BigInteger)
    minor: Mapped[int] = mapped_column(BigInteger)
