"""The outbox of messages, and the rules of alerts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Integer, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.messages.message import Audience, MessageKind, MessageState
from models.tables.base import Base, stored_as_text


class MessageRow(Base):
    """One message of a receivable's transition, or one alert: its id says which, and nothing in it is personal."""

    __tablename__ = "messages"

    id: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[Audience] = mapped_column(stored_as_text(Audience))
    kind: Mapped[MessageKind] = mapped_column(stored_as_text(MessageKind))
    account_id: Mapped[str]
    period: Mapped[str]
    run_id: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[MessageState] = mapped_column(stored_as_text(MessageState))
    reason: Mapped[str]
    decisions: Mapped[list[str]]
    created_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    mail_id: Mapped[str | None]


class AlertRulesRow(Base):
    """How many declines are several, and how much more than usual is unusual (S41, S42)."""

    __tablename__ = "alert_rules"

    is_only: Mapped[bool] = mapped_column(primary_key=True)
    failures_min: Mapped[int] = mapped_column(Integer)
    failures_days: Mapped[int] = mapped_column(Integer)
    unusual_factor: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    unusual_payments_min: Mapped[int] = mapped_column(Integer)


class ReminderRulesRow(Base):
    """How many days before and after the due date customers of a segment are reminded (S8, S21)."""

    __tablename__ = "reminder_rules"

    segment: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    days_before: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    days_after: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    reminds_card_payers: Mapped[bool]


class MessageRulesRow(Base):
    """Whether invoices are mailed when posted, bills when made, and payments by bank or by hand confirmed."""

    __tablename__ = "message_rules"

    is_only: Mapped[bool] = mapped_column(primary_key=True)
    sends_invoices: Mapped[bool]
    sends_bills: Mapped[bool]
    confirms_payments: Mapped[bool]


class MessageTemplateRow(Base):
    """A text of `communicate`: by language a subject and a text with tags (F141)."""

    __tablename__ = "message_templates"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    about: Mapped[str]
    attaches_documents: Mapped[bool]
    is_required: Mapped[bool]
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_active: Mapped[bool]


class SegmentRow(Base):
    """A group of accounts or transactions by criteria (F142)."""

    __tablename__ = "segments"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    about: Mapped[str]
    criteria: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_active: Mapped[bool]


class CommunicationRow(Base):
    """What was communicated by a template, once by its id (F140)."""

    __tablename__ = "communications"

    id: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str]
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    attaches_documents: Mapped[bool]
    is_required: Mapped[bool]
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class MailStopRow(Base):
    """Whom no mail reaches, and who wants none; of an address its hash alone."""

    __tablename__ = "mail_stops"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    address_hash: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]


class OptOutLinkRow(Base):
    """The link of a letter by which its reader opts out of communications; of what it ends in the hash alone."""

    __tablename__ = "opt_out_links"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    message_id: Mapped[str]
    address_hash: Mapped[str]
    made_at: Mapped[datetime]
