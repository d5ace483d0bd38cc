"""What happens: process runs and their members, gateway requests and attempts, collections, events."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class ProcessRunRow(Base):
    """One execution of a definition for a period (X19)."""

    __tablename__ = "process_runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    definition_id: Mapped[str] = mapped_column(ForeignKey("duly.run_definitions.id"))
    kind: Mapped[str]
    period: Mapped[str]
    state: Mapped[str]
    members: Mapped[int] = mapped_column(Integer)
    is_aborted: Mapped[bool]
    steering: Mapped[str]
    decisions: Mapped[list[str]]
    execution: Mapped[str]
    baseline_id: Mapped[str | None] = mapped_column(ForeignKey("duly.process_runs.id"))
    certificate: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    supplement: Mapped[int] = mapped_column(Integer)
    criteria: Mapped[dict[str, Any]] = mapped_column(JSONB)
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class RunItemRow(Base):
    """A frozen member of a run, and what became of it."""

    __tablename__ = "run_items"

    run_id: Mapped[str] = mapped_column(ForeignKey("duly.process_runs.id"), primary_key=True)
    member_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    shard: Mapped[int] = mapped_column(SmallInteger)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    card_id: Mapped[str | None]
    card_label: Mapped[str]
    invoices: Mapped[list[str]]
    outcome: Mapped[str | None]
    reason: Mapped[str]
    settled_minor: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    receivable: Mapped[str] = mapped_column(Text(collation="C"))
    rest_until: Mapped[int | None] = mapped_column(BigInteger)
    credit_note_id: Mapped[str | None]


class GatewayRequestRow(Base):
    """One request to a gateway (X31 to X42)."""

    __tablename__ = "gateway_requests"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    period: Mapped[str]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("duly.process_runs.id"))
    transaction_id: Mapped[str | None]
    card_id: Mapped[str | None] = mapped_column(ForeignKey("duly.cards.id"))
    invoices: Mapped[list[str]]
    of_request_id: Mapped[str | None] = mapped_column(ForeignKey("duly.gateway_requests.id"))
    asked_by: Mapped[str]
    asked_because: Mapped[str]
    decisions: Mapped[list[str]]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    state: Mapped[str]
    gateway_reference: Mapped[str | None]
    error_code: Mapped[str]
    error_description: Mapped[str]
    created_at: Mapped[datetime]
    executed_at: Mapped[datetime | None]


class GatewayAttemptRow(Base):
    """One attempt of a request, under one key, with every parameter fixed before the first call."""

    __tablename__ = "gateway_attempts"

    request_id: Mapped[str] = mapped_column(ForeignKey("duly.gateway_requests.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    subject: Mapped[str | None]
    number: Mapped[int | None] = mapped_column(Integer)
    idempotency_key: Mapped[str]
    cause: Mapped[str]
    channel: Mapped[str]
    card_id: Mapped[str | None] = mapped_column(ForeignKey("duly.cards.id"))
    token: Mapped[str]
    customer: Mapped[str]
    payment_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str | None]
    gateway_reference: Mapped[str | None]
    charge_reference: Mapped[str | None]
    code: Mapped[str]
    decline_code: Mapped[str]
    advice_code: Mapped[str]
    network_decline_code: Mapped[str]
    resolved_by: Mapped[str]
    resolution: Mapped[str]
    started_at: Mapped[datetime]
    sent_at: Mapped[datetime]
    quiet_since: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    application_fee_minor: Mapped[int] = mapped_column(BigInteger)
    refunds_application_fee: Mapped[bool]
    page: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    page_reference: Mapped[str | None]
    merchant_provider: Mapped[str]


class CollectionRow(Base):
    """The one owner of a receivable that has to wait."""

    __tablename__ = "collections"

    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"), primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("duly.process_runs.id"))
    owner: Mapped[str]
    policy_id: Mapped[str]
    policy_version: Mapped[int] = mapped_column(Integer)
    policy_segment: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    invoices: Mapped[list[str]]
    stage: Mapped[str]
    reason: Mapped[str]
    link_token: Mapped[str]
    action: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    rest_until: Mapped[int | None] = mapped_column(BigInteger)
    follows: Mapped[str] = mapped_column(Text(collation="C"))
    asked_minor: Mapped[int | None] = mapped_column(BigInteger)


class ClaimRow(Base):
    """Which receivables an invoice belongs to while they are collected; without an amount: all that others leave."""

    __tablename__ = "claims"

    invoice_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    period: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    claimed_at: Mapped[datetime]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)


class PaymentOrderRow(Base):
    """A payment that a person has ordered: its receivable, its amount or its invoices, and the card."""

    __tablename__ = "payment_orders"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    period: Mapped[str] = mapped_column(Text(collation="C"))
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    asked_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str]
    invoices: Mapped[list[str]]
    wanted_card_id: Mapped[str]
    wanted_preference: Mapped[str]
    card_id: Mapped[str] = mapped_column(ForeignKey("duly.cards.id"))
    hands_over: Mapped[bool]
    actor: Mapped[str]
    reason: Mapped[str]
    ordered_at: Mapped[datetime]
    is_prepayment: Mapped[bool]


class PaymentRequestRow(Base):
    """What somebody asks an account to pay by a link."""

    __tablename__ = "payment_requests"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("duly.accounts.id"))
    period: Mapped[str] = mapped_column(Text(collation="C"))
    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"))
    title: Mapped[str]
    description: Mapped[str]
    asked_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str]
    invoices: Mapped[list[str]]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    valid_days: Mapped[int] = mapped_column(Integer)
    sender: Mapped[str]
    sender_email: Mapped[str]
    reason: Mapped[str]
    is_mailed: Mapped[bool]
    state: Mapped[str]
    end_reason: Mapped[str]
    decisions: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    least_minor: Mapped[int | None] = mapped_column(BigInteger)
    most_minor: Mapped[int | None] = mapped_column(BigInteger)
    payers: Mapped[list[str]]
    opened_by: Mapped[int] = mapped_column(Integer)


class RequestLinkRow(Base):
    """A link of a payment request, by the hash of what it ends in."""

    __tablename__ = "request_links"

    token_hash: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("duly.payment_requests.id"))
    created_at: Mapped[datetime]
    payer: Mapped[int] = mapped_column(Integer)


class RequestAttachmentRow(Base):
    """A file that whoever asks for a payment shows to its payers."""

    __tablename__ = "request_attachments"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("duly.payment_requests.id"))
    place: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes]
    hash: Mapped[bytes]
    actor: Mapped[str]
    at: Mapped[datetime]


class GatewayEventRow(Base):
    """A verified event, stored before anything is done about it."""

    __tablename__ = "gateway_events"

    id: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str]
    type: Mapped[str]
    subject: Mapped[str]
    object_id: Mapped[str]
    request_id: Mapped[str]
    account_id: Mapped[str]
    mentions: Mapped[list[str]]
    channel: Mapped[str]
    gateway_account: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    tries: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    decisions: Mapped[list[str]]


class EventMarkRow(Base):
    """Up to when a provider's own list of events has been swept."""

    __tablename__ = "event_marks"

    provider_id: Mapped[str] = mapped_column(primary_key=True)
    swept_until: Mapped[datetime]
