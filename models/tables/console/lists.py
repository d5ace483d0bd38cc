"""What people of the console keep of its lists."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class SavedViewRow(Base):
    """The filters of a list under a name: one person's own, or shared with all."""

    __tablename__ = "saved_views"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    list: Mapped[str] = mapped_column(Text(collation="C"))
    name: Mapped[str]
    filters: Mapped[dict[str, str]] = mapped_column(JSONB)
    is_shared: Mapped[bool]
    saved_by: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.users.id"))
    saved_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class MassActionRow(Base):
    """One action on many objects, under the key of its form."""

    __tablename__ = "mass_actions"

    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.users.id"))
    action: Mapped[str]
    reason: Mapped[str]
    fields: Mapped[dict[str, str]] = mapped_column(JSONB)
    begun_at: Mapped[datetime]
    active_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    stopped_because: Mapped[str]
    carried_by: Mapped[str] = mapped_column(Text(collation="C"))
    turn: Mapped[int] = mapped_column(Integer)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(Text(collation="C"))


class MassActionItemRow(Base):
    """One object of a mass action, and what became of it."""

    __tablename__ = "mass_action_items"

    key: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.mass_actions.key"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject: Mapped[str] = mapped_column(Text(collation="C"))
    outcome: Mapped[str]
    answer: Mapped[str]
    ended_at: Mapped[datetime | None]


class CollectionAssigneeRow(Base):
    """Which user of the console looks after a collection."""

    __tablename__ = "collection_assignees"

    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    period: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Text(collation="C"), ForeignKey("duly.users.id"))
    assigned_by: Mapped[str]
    assigned_at: Mapped[datetime]
