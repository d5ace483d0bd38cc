"""What was done to workflows in Temporal, kept where it outlives their histories."""

from datetime import datetime

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
