"""Accounts receivable and their balances."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.ledger.account import AccountKind, AccountState
from models.tables.base import Base, stored_as_text


class AccountRow(Base):
    """An account receivable, a customer's or the company's own."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[AccountKind] = mapped_column(server_default="customer")
    currency: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.currencies.code"))
    owner_name: Mapped[str]
    owner_reference: Mapped[str | None]
    email: Mapped[str | None]
    locale: Mapped[str] = mapped_column(server_default="en")
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    state: Mapped[AccountState] = mapped_column(stored_as_text(AccountState), server_default="active")
    credit_limit_minor: Mapped[int | None] = mapped_column(BigInteger)
    credit_period_days: Mapped[int | None]
    due_date_rule_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.due_date_rules.id"))
    region: Mapped[str | None]
    segment: Mapped[str | None]
    classification: Mapped[str | None]
    created_at: Mapped[datetime]


class AccountBalanceRow(Base):
    """What an account owes, in minor units, after its newest posting. Its row is the account's lock."""

    __tablename__ = "account_balances"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"), primary_key=True)
    balance_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    posted_at: Mapped[datetime | None]


class PostalAddressRow(Base):
    """To whom an account's documents are made out; without a name it is the account's owner."""

    __tablename__ = "postal_addresses"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"), primary_key=True)
    name: Mapped[str] = mapped_column(server_default="")
    street: Mapped[str]
    addition: Mapped[str] = mapped_column(server_default="")
    postal_code: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    vat_id: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str] = mapped_column(server_default="")
