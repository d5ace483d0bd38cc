"""Reports by a calendar, and what was written for their periods."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class ReportScheduleRow(Base):
    """Which report is written when, as which file, and to whom it is mailed."""

    __tablename__ = "report_schedules"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    format: Mapped[str]
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recipients: Mapped[list[str]] = mapped_column(ARRAY(Text))
    actor: Mapped[str]
    reason: Mapped[str]
    set_at: Mapped[datetime]


class ReportDeliveryRow(Base):
    """The file of a report for a period, or why there is none."""

    __tablename__ = "report_deliveries"

    schedule_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    period: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    title: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    row_count: Mapped[int] = mapped_column(BigInteger)
    ties: Mapped[bool]
    problem: Mapped[str]
    tries: Mapped[int]
    recipients: Mapped[list[str]] = mapped_column(ARRAY(Text))
    made_at: Mapped[datetime]
    written_by: Mapped[str]
