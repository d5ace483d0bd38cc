"""What is not charged: the block list."""

from datetime import datetime

from sqlalchemy import BigInteger, Text
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
