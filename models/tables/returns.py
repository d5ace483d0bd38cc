"""Money that goes back, and bank debits: disputes, refund runs, merchants, reductions; mandates and what they allow."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base

TRANSACTION = "duly.financial_transactions.id"


class DisputeRow(Base):
    """A charge that its cardholder disputes (S23)."""

    __tablename__ = "disputes"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    request_id: Mapped[str] = mapped_column(ForeignKey("duly.gateway_requests.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    status: Mapped[str]
    evidence_due_at: Mapped[datetime | None]
    has_evidence: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    decisions: Mapped[list[str]]


class RefundRulesRow(Base):
    """How long a refund is watched, and what refund runs and returned payments set off."""

    __tablename__ = "refund_rules"

    is_only: Mapped[bool] = mapped_column(primary_key=True)
    watch_days: Mapped[int] = mapped_column(Integer)
    collects_reopened: Mapped[bool]
    refunds_credit: Mapped[bool]
    bank_day: Mapped[int] = mapped_column(SmallInteger)
    bank_file: Mapped[str]
    late_payments: Mapped[str]


class BankRefundMonthRow(Base):
    """A month whose refunds by bank transfer the schedule has drafted (F120)."""

    __tablename__ = "bank_refund_months"

    period: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    refunds: Mapped[int] = mapped_column(Integer)
    drafted_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    actor: Mapped[str]
    reason: Mapped[str]


class RefundAtBankRow(Base):
    """A refund of a file that was sent before a restore, as a person has shown (F120)."""

    __tablename__ = "refunds_at_bank"

    transaction_id: Mapped[str] = mapped_column(
        Text(collation="C"), ForeignKey("duly.financial_transactions.id"), primary_key=True
    )
    file: Mapped[str]
    adopted_at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]


class RefundRunRow(Base):
    """One day's refunds of a provider (X67, F120)."""

    __tablename__ = "refund_runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    day: Mapped[date]
    members: Mapped[int] = mapped_column(Integer)
    certificate: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class RefundRunItemRow(Base):
    """A frozen member of a refund run, and what became of it."""

    __tablename__ = "refund_run_items"

    run_id: Mapped[str] = mapped_column(ForeignKey("duly.refund_runs.id"), primary_key=True)
    member_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    account_id: Mapped[str]
    award_id: Mapped[str | None] = mapped_column(ForeignKey("duly.reductions.award_id"))
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    refund_ids: Mapped[list[str]]
    outcome: Mapped[str | None]
    refunded_minor: Mapped[int] = mapped_column(BigInteger)


class MerchantGroupRow(Base):
    """Merchants that share settings (X66)."""

    __tablename__ = "merchant_groups"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    reduction: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class MerchantRow(Base):
    """Who takes part in rewards; the account is billed for the merchant's share (X68)."""

    __tablename__ = "merchants"

    id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str | None] = mapped_column(ForeignKey("duly.merchant_groups.id"))
    name: Mapped[str]
    currency: Mapped[str]
    account_id: Mapped[str | None] = mapped_column(ForeignKey("duly.accounts.id"))
    is_effective: Mapped[bool]
    takes_payments: Mapped[bool]
    flow: Mapped[str]
    reduction: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class MerchantConnectionRow(Base):
    """The account of a merchant at the gateway, and where its onboarding stands."""

    __tablename__ = "merchant_connections"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("duly.merchants.id"), primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    generation: Mapped[int] = mapped_column(SmallInteger)
    gateway_account: Mapped[str | None] = mapped_column(Text(collation="C"))
    email: Mapped[str]
    country: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    missing: Mapped[list[str]]
    problems: Mapped[list[str]]
    due_at: Mapped[datetime | None]
    has_returned: Mapped[bool]
    is_paid_out: Mapped[bool]
    link_token: Mapped[str] = mapped_column(Text(collation="C"))
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class MerchantConnectionChangeRow(Base):
    """One thing that became of a merchant's connection, and in whose name."""

    __tablename__ = "merchant_connection_changes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("duly.merchants.id"))
    at: Mapped[datetime]
    change: Mapped[str]
    state: Mapped[str]
    gateway_account: Mapped[str]
    reason: Mapped[str]
    actor: Mapped[str]
    because: Mapped[str]


class ReductionRow(Base):
    """A reward that is owed to a customer, with the settings it was awarded under (F134)."""

    __tablename__ = "reductions"

    award_id: Mapped[str] = mapped_column(primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("duly.merchants.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    payment_id: Mapped[str | None] = mapped_column(ForeignKey(TRANSACTION))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    reason: Mapped[str]
    awarded_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    decisions: Mapped[list[str]]


class ReductionPartRow(Base):
    """A part of a reduction: refunded through a request, or credited where there is none."""

    __tablename__ = "reduction_parts"

    award_id: Mapped[str] = mapped_column(ForeignKey("duly.reductions.award_id"), primary_key=True)
    part: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    request_id: Mapped[str | None] = mapped_column(ForeignKey("duly.gateway_requests.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    credit_id: Mapped[str | None] = mapped_column(ForeignKey(TRANSACTION))
    share_id: Mapped[str | None] = mapped_column(ForeignKey(TRANSACTION))
    undone_by: Mapped[str | None] = mapped_column(ForeignKey(TRANSACTION))


class RefundCreditRow(Base):
    """The credit note that a refund brings: planned with it, posted when it is."""

    __tablename__ = "refund_credits"

    refund_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey(TRANSACTION))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    credit_note_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey(TRANSACTION))
    refused_because: Mapped[str] = mapped_column(server_default="")
    actor: Mapped[str]
    reason: Mapped[str]
    planned_at: Mapped[datetime]


class MandateRow(Base):
    """A payer's permission to debit a bank account."""

    __tablename__ = "mandates"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"))
    provider_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.creditors.id"))
    preference_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.payment_preferences.id"))
    payer_name: Mapped[str]
    iban: Mapped[str]
    bic: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str]
    state_reason: Mapped[str] = mapped_column(server_default="")
    signed_on: Mapped[date | None]
    last_used_on: Mapped[date | None]
    is_amended: Mapped[bool]
    decisions: Mapped[list[str]]
    created_at: Mapped[datetime]
    notice_days: Mapped[int | None] = mapped_column(SmallInteger)


class DebitBatchRow(Base):
    """A file of debits, by its message id."""

    __tablename__ = "debit_batches"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    provider_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.creditors.id"))
    state: Mapped[str]
    creditor: Mapped[dict[str, Any]] = mapped_column(JSONB)
    decisions: Mapped[list[str]]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class DebitRow(Base):
    """One bank debit, by its end-to-end id."""

    __tablename__ = "debits"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    request_id: Mapped[str] = mapped_column(Text(collation="C"))
    attempt: Mapped[int] = mapped_column(SmallInteger)
    idempotency_key: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    provider_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.creditors.id"))
    mandate_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.mandates.id"))
    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    state: Mapped[str]
    collect_on: Mapped[date]
    batch_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.debit_batches.id"))
    payment_information: Mapped[str] = mapped_column(Text(collation="C"))
    sequence_type: Mapped[str]
    written: Mapped[dict[str, Any]] = mapped_column(JSONB)
    code: Mapped[str]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    alerted_at: Mapped[datetime | None]
    brought_by: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.debit_lines.key"))
    taken_back_by: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.debit_lines.key"))


class DebitLineRow(Base):
    """A line of a statement that brought debits, or took one back."""

    __tablename__ = "debit_lines"

    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    provider_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.creditors.id"))
    reference: Mapped[str] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    booked_on: Mapped[date]
