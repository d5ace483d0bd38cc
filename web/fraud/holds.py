"""What rules hold, on the pages of an account and of a collection: what was compared, and what became of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.payments.charge_holds import ChargeHolds
from models.operations.payment_states import CHARGE_HOLD
from models.payments.hold import hold_in_words
from web.context import Visit
from web.views.cells import Column, Table, link, moment, money, state, table_of, text


async def holds_of(visit: Visit, account_id: str) -> tuple[Table, ...]:
    """Read what was held of an account, and return its table."""
    return holds_tables(await ChargeHolds(visit.web.reading).of_account(account_id), account_id)


def holds_tables(rows: Sequence[Row[Any]], account_id: str) -> tuple[Table, ...]:
    """Return the table of what was held, the newest first; none where nothing ever was."""
    columns = (
        # What is held of a run may be some moments before its collection, and a payment request has none.
        Column(
            "Receivable",
            lambda row: (
                link("collections", f"{account_id}/{row.period}", row.period) if row.is_collected else text(row.period)
            ),
        ),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("State", lambda row: state(CHARGE_HOLD.word(row.state))),
        Column("Rule", lambda row: text(row.rule_id)),
        Column("Why", lambda row: text(hold_in_words(row.because, row.figures, row.amount_minor, row.currency))),
        Column("Held", lambda row: moment(row.held_at)),
        Column("Goes on by itself", lambda row: moment(row.ends_at if row.state == "waiting" else None)),
        Column("Released", lambda row: moment(row.released_at)),
        Column("By", lambda row: text(f"{row.released_by}: {row.released_because}" if row.released_at else "")),
    )
    return (table_of("Held by a rule", columns, rows),) if rows else ()
