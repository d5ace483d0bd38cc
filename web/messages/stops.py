"""Why an account is not written to, on its page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from web.views.cells import Column, Table, moment, table_of, text, words


def stops_of(rows: Sequence[Row[Any]]) -> Table:
    """Return the table of what stops mail to an account, since when and how it came."""
    columns = (
        Column("Stopped", lambda row: words(row.kind)),
        Column("Who", lambda row: text(row.actor)),
        Column("How", lambda row: text(row.reason)),
        Column("Since", lambda row: moment(row.since)),
    )
    return table_of("Mail", columns, rows, empty="Nothing is stopped: it is written to.")
