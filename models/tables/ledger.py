"""Transfers, gateway bookings, roll-ups, open items and allocations."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.ledger.transaction import Side
from models.tables.base import Base

HEADER = "duly.financial_transactions.id"


class TransferRow(Base):
    """One amount from the ledger account credited to the one debited, owned by a transaction or gateway booking."""

    __tablename__ = "transfers"

    source_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger)
    debit_account: Mapped[str] = mapped_column(Text(collation="C"))
    credit_account: Mapped[str] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    posted_on: Mapped[date]


class GatewayBookingRow(Base):
    """A fee, dispute or payout at a gateway, booked once by its key."""

    __tablename__ = "gateway_bookings"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str]
    provider: Mapped[str] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.currencies.code"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    gateway_reference: Mapped[str] = mapped_column(Text(collation="C"))
    payment_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey(HEADER))
    posted_on: Mapped[date]
    posted_at: Mapped[datetime]
    moved_on: Mapped[date | None]


class LedgerRollUpRow(Base):
    """How far the ledger is summed up, and the seal over what was."""

    __tablename__ = "ledger_roll_ups"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    after_transfer_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    upto_transfer_id: Mapped[int] = mapped_column(BigInteger)
    previous_seal: Mapped[bytes | None] = mapped_column(LargeBinary)
    seal: Mapped[bytes | None] = mapped_column(LargeBinary)
    marked_at: Mapped[datetime]


class LedgerDaySumRow(Base):
    """What a ledger account was debited and credited on a day, as far as one roll-up reaches."""

    __tablename__ = "ledger_day_sums"

    ledger_account: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    posted_on: Mapped[date] = mapped_column(primary_key=True)
    roll_up_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duly.ledger_roll_ups.id"), primary_key=True)
    debit_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)


class OpenItemRow(Base):
    """A posted document and how much of it is allocated."""

    __tablename__ = "open_items"

    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey(HEADER), primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    side: Mapped[Side]
    sort_on: Mapped[date]
    account_version: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    allocated_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")


class AllocationRow(Base):
    """A part of a credit that settles a part of a debit, unless a de-allocation names it."""

    __tablename__ = "allocations"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    credit_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.open_items.transaction_id"))
    debit_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.open_items.transaction_id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class DeallocationRow(Base):
    """The undoing of an allocation, all of it and once."""

    __tablename__ = "deallocations"

    allocation_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duly.allocations.id"), primary_key=True)
    created_at: Mapped[datetime]


class ClosingRow(Base):
    """A time that a period was closed or opened again: nothing is posted on `closed_until` or before."""

    __tablename__ = "closings"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    closed_until: Mapped[date | None]
    is_reopening: Mapped[bool]
    actor: Mapped[str]
    reason: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class AnyDayRightRow(Base):
    """Who was given the right to post outside the open days, or lost it."""

    __tablename__ = "any_day_rights"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    holder: Mapped[str] = mapped_column(Text(collation="C"))
    is_granted: Mapped[bool]
    actor: Mapped[str]
    reason: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class AnyDayPostingRow(Base):
    """A posting outside the open days, with who made it and why."""

    __tablename__ = "any_day_postings"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    actor: Mapped[str]
    reason: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class AuditTrailRow(Base):
    """An edit of a draft, a state of an account, or a change of the configuration."""

    __tablename__ = "audit_trail"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(Text(collation="C"))
    action: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    made_by: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[datetime]


class AccountBillRow(Base):
    """The bill of an account for a period: what was brought forward, between, and billed, in minor units."""

    __tablename__ = "account_bills"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[str] = mapped_column(Text(collation="C"))
    account_id: Mapped[str] = mapped_column(Text(collation="C"))
    currency: Mapped[str] = mapped_column(Text(collation="C"))
    period: Mapped[str] = mapped_column(Text(collation="C"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    brought_forward_minor: Mapped[int] = mapped_column(BigInteger)
    debited_minor: Mapped[int] = mapped_column(BigInteger)
    credited_minor: Mapped[int] = mapped_column(BigInteger)
    invoiced_minor: Mapped[int] = mapped_column(BigInteger)
    credit_notes_minor: Mapped[int] = mapped_column(BigInteger)
    outstanding_minor: Mapped[int] = mapped_column(BigInteger)
    is_exceptional: Mapped[bool]
    exceeded_minor: Mapped[int | None] = mapped_column(BigInteger)
    run_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    actor: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class BillEntryRow(Base):
    """On which bill a posting is: as a document of it, between it and the one before, or from before the first."""

    __tablename__ = "bill_entries"

    transaction_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    bill_id: Mapped[str] = mapped_column(Text(collation="C"))
    part: Mapped[str]


class BillPresentationRow(Base):
    """A step of a bill: presented to its account, confirmed or rejected by it."""

    __tablename__ = "bill_presentations"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    bill_id: Mapped[str] = mapped_column(Text(collation="C"))
    state: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


class BillLimitRow(Base):
    """Above which amount a bill is exceptional, in minor units."""

    __tablename__ = "bill_limits"

    currency: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    limit_minor: Mapped[int] = mapped_column(BigInteger)
