"""What was done in Temporal, from the command line and in the console, and by whom; its users; recoveries."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class WorkflowStopRow(Base):
    """One time that a workflow was stopped, or found gone, while what it looks after was not over."""

    __tablename__ = "workflow_stops"

    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    execution: Mapped[str] = mapped_column(primary_key=True)
    how: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    reason: Mapped[str]
    stopped_at: Mapped[datetime]
    noted_at: Mapped[datetime]
    resumed_at: Mapped[datetime | None]


class CommandRow(Base):
    """A command that changed something, or was to, with who gave it and why."""

    __tablename__ = "commands"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str]
    subject: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    outcome: Mapped[str]
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    logged_at: Mapped[datetime | None]


class UserRow(Base):
    """Somebody who may use the console. An empty `password_hash` lets nobody in by a password."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    handle: Mapped[bytes] = mapped_column(LargeBinary)
    merchants: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")


class MerchantCustomerRow(Base):
    """Whose customer an account is that is at a merchant's gateway account; of several, or the house too: nobody's."""

    __tablename__ = "merchant_customers"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.accounts.id"), primary_key=True)
    merchant_id: Mapped[str | None] = mapped_column(Text(collation="C"), ForeignKey("duly.merchants.id"))


class ConsoleSessionRow(Base):
    """A session, known by the hash of its token alone."""

    __tablename__ = "console_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text(collation="C"))
    method: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PasskeyRow(Base):
    """A public key of a user's device. One with `removed_at` lets nobody in."""

    __tablename__ = "passkeys"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Text(collation="C"))
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    is_synced: Mapped[bool]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str]


class PasskeyChallengeRow(Base):
    """What a device is asked to sign, once. Without `session_hash` it is for a sign-in."""

    __tablename__ = "passkey_challenges"

    challenge: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime]


class SignInRow(Base):
    """An attempt to sign in, or the end of a session. `user_id` is empty where what was typed names no user."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[str]
    method: Mapped[str]
    outcome: Mapped[str]
    address: Mapped[str]
    tried_at: Mapped[datetime]


class ConsoleFormRow(Base):
    """A form that was sent, under its key: it is carried out once."""

    __tablename__ = "console_forms"

    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Text(collation="C"))
    action: Mapped[str]
    subject: Mapped[str]
    outcome: Mapped[str]
    answer: Mapped[str]
    sent_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApprovalRow(Base):
    """Something that one person has asked for and another decides about; `fields` are those of the form."""

    __tablename__ = "approvals"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    action: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    account_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    fields: Mapped[dict[str, str]] = mapped_column(JSONB)
    state: Mapped[str]
    asked_by: Mapped[str] = mapped_column(Text(collation="C"))
    asked_because: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(Text(collation="C"))
    decided_because: Mapped[str]
    decided_at: Mapped[datetime | None]
    outcome: Mapped[str]
    answer: Mapped[str]


class BankFileReleaseRow(Base):
    """A file for the bank that may be written, up to an amount; while limits are set none is written without."""

    __tablename__ = "bank_file_releases"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    released_by: Mapped[str] = mapped_column(Text(collation="C"))
    released_because: Mapped[str]
    released_at: Mapped[datetime]
    approval_id: Mapped[str | None] = mapped_column(Text(collation="C"))


class LimitedActionRow(Base):
    """An amount that one person moved alone, within the limits of a day."""

    __tablename__ = "limited_actions"

    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Text(collation="C"))
    kind: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[datetime]
    approval_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    written_as: Mapped[str | None] = mapped_column(Text(collation="C"))


class InstallationRow(Base):
    """The one name of this database in front of every idempotency key."""

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(primary_key=True)
    is_only: Mapped[bool]
    functions_hash: Mapped[str]
    functions_version: Mapped[str]
    functions_applied_at: Mapped[datetime | None]
    objects: Mapped[dict[str, str]] = mapped_column(JSONB)
    objects_of_server: Mapped[int] = mapped_column(Integer)
    epoch: Mapped[int] = mapped_column(Integer)
    beat: Mapped[int] = mapped_column(BigInteger)
    beat_at: Mapped[datetime]
    epoch_began_at: Mapped[datetime | None]
    temporal_beat: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    server_line: Mapped[str | None]
    compared_server: Mapped[str | None]


class SendingRow(Base):
    """Whether anything may be sent to a provider, and what was done about a restored database."""

    __tablename__ = "sending"

    provider_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    epoch: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    forgot_since: Mapped[datetime]
    declared_at: Mapped[datetime | None]
    reads: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    decisions: Mapped[list[str]]
    changed_at: Mapped[datetime]
    is_certain: Mapped[bool]


class ClockReadingRow(Base):
    """How far apart a provider's workers have last seen the clocks, in seconds, and which of them is wrong."""

    __tablename__ = "clock_readings"

    provider_id: Mapped[str] = mapped_column(ForeignKey("duly.providers.id"), primary_key=True)
    apart_seconds: Mapped[int] = mapped_column(Integer)
    database_seconds: Mapped[int] = mapped_column(Integer)
    culprit: Mapped[str]
    reason: Mapped[str]
    noted_at: Mapped[datetime]


class GatewayWitnessRow(Base):
    """The customer that stands for this installation at a provider's account: another account does not have it."""

    __tablename__ = "gateway_witnesses"

    provider_id: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str]
    noted_at: Mapped[datetime]


class RecoveryLeftRow(Base):
    """What a recovery could not write down, and who settled it."""

    __tablename__ = "recovery_left"

    provider_id: Mapped[str] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    account_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    why: Mapped[str]
    noted_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str]
    settled_because: Mapped[str]
