"""The layouts of banks' own CSV exports, as they are configured."""

from sqlalchemy import select

from activities.database import Database
from models.bank.exports.layout import StatementLayout
from models.problem import refusal
from models.tables.reference import StatementLayoutRow


async def statement_layouts(database: Database, only: str = "") -> list[StatementLayout]:
    """Return the layouts that are configured, or the one that is named. Raises RefusedError (layout_exists)."""
    row = StatementLayoutRow
    rows = await database.read(select(row.id, row.document).order_by(row.id))
    found = [StatementLayout.read(one.id, one.document) for one in rows if only in {"", one.id}]
    if only and not found:
        raise refusal("layout", "layout_exists", f"there is no statement layout {only!r}")
    return found
