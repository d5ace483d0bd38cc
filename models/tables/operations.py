"""What was done to workflows in Temporal and from the command line, kept where it outlives their histories."""

from datetime import datetime

from sqlalchemy import BigInteger
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
