"""The wallet of an account: what is in it, and its newest transactions."""

from typing import Any

from sqlalchemy import Row

from activities.wallets.wallets import Wallets
from commands.formatting import money as money_text
from web.context import Visit
from web.views.cells import Cell, Column, Table, day, money, table_of, text

_SHOWN = 20


async def wallet_of(visit: Visit, account: Row[Any]) -> tuple[Table, ...]:
    """Return the table of an account's wallet; none of an account that never had one."""
    rows = await Wallets(visit.web.reading).newest(account.id, _SHOWN)
    if not rows:
        return ()
    columns = (
        Column("Posted", lambda row: day(row.posted_on)),
        Column("Number", lambda row: Cell(row.number, is_id=True)),
        Column("Type", lambda row: text(row.type_id)),
        Column("Amount", lambda row: money(row.amount_minor, account.currency), is_money=True),
        Column("Balance", lambda row: money(row.balance_after_minor, account.currency), is_money=True),
        Column("Expires", lambda row: day(row.expires_on)),
        Column("Voids", lambda row: text(row.voids)),
        Column("Documents", lambda row: text(" ".join(row.documents))),
        Column("Who, why", lambda row: text(f"{row.actor}: {row.reason}" if row.reason else row.actor)),
    )
    title = f"Wallet: {money_text(rows[0].balance_after_minor, account.currency)}"
    return (table_of(title, columns, rows),)
