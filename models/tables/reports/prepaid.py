"""What reports read of what is prepaid, and of bank debits."""

from datetime import date

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base
from models.tables.views import VIEW


class ReportWalletView(Base):
    """A movement of a wallet, by what it was; amounts in minor units."""

    __tablename__ = "report_wallets"
    __table_args__ = VIEW

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str]
    posted_on: Mapped[date]
    month: Mapped[date]
    account_id: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    type_id: Mapped[str]
    kind: Mapped[str]
    expires_on: Mapped[date | None]
    actor: Mapped[str]
    currency: Mapped[str]
    credited_minor: Mapped[int] = mapped_column(BigInteger)
    given_minor: Mapped[int] = mapped_column(BigInteger)
    spent_minor: Mapped[int] = mapped_column(BigInteger)
    expired_minor: Mapped[int] = mapped_column(BigInteger)
    corrected_minor: Mapped[int] = mapped_column(BigInteger)
    change_minor: Mapped[int] = mapped_column(BigInteger)
    balance_after_minor: Mapped[int] = mapped_column(BigInteger)


class ReportVoucherView(Base):
    """A step of vouchers of one batch; amounts in minor units, for all of them."""

    __tablename__ = "report_vouchers"
    __table_args__ = VIEW

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    posted_on: Mapped[date]
    month: Mapped[date]
    batch: Mapped[str]
    type_id: Mapped[str]
    origin: Mapped[str]
    kind: Mapped[str]
    account_id: Mapped[str | None]
    expires_on: Mapped[date | None]
    actor: Mapped[str]
    currency: Mapped[str]
    vouchers: Mapped[int] = mapped_column(Integer)
    issued_minor: Mapped[int] = mapped_column(BigInteger)
    redeemed_minor: Mapped[int] = mapped_column(BigInteger)
    cancelled_minor: Mapped[int] = mapped_column(BigInteger)
    expired_minor: Mapped[int] = mapped_column(BigInteger)
    change_minor: Mapped[int] = mapped_column(BigInteger)


class ReportDebitView(Base):
    """What became of a bank debit on a day: asked for, refused, collected, returned or charged for, in minor units."""

    __tablename__ = "report_debits"
    __table_args__ = VIEW

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    happened_on: Mapped[date]
    month: Mapped[date]
    account_id: Mapped[str]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    provider: Mapped[str]
    mandate: Mapped[str]
    batch: Mapped[str | None]
    sequence_type: Mapped[str]
    state: Mapped[str]
    code: Mapped[str]
    collect_on: Mapped[date]
    currency: Mapped[str]
    asked: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    collected: Mapped[int] = mapped_column(Integer)
    returned: Mapped[int] = mapped_column(Integer)
    asked_minor: Mapped[int] = mapped_column(BigInteger)
    refused_minor: Mapped[int] = mapped_column(BigInteger)
    collected_minor: Mapped[int] = mapped_column(BigInteger)
    returned_minor: Mapped[int] = mapped_column(BigInteger)
    charges_minor: Mapped[int] = mapped_column(BigInteger)
