"""What people of the console keep of its lists."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text
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
