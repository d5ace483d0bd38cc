"""What of a bank's statement one person imports alone: a file may be made by hand."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.bank.entry import BankEntry

_LIMIT = "select duly.require_alone('statement', :actor, :key, '', null, :amount_minor, :currency)"


async def within_limits(connection: AsyncConnection, entries: Sequence[BankEntry], actor: str) -> None:
    """Pass the gate of what gives value away, in the commit of the lines. Raises RuleBrokenError."""
    for currency in sorted({entry.currency for entry in entries}):
        lines = [entry for entry in entries if entry.currency == currency]
        amount = sum(entry.amount_minor for entry in lines)
        # Lines of two banks may have one reference: each commit is counted by all that it brings.
        key = f"statement:{lines[0].bank_account}:{lines[0].kept_reference}:{len(lines)}:{lines[0].booked_on}"
        values = {"actor": actor, "key": key, "amount_minor": amount, "currency": currency}
        await connection.execute(text(_LIMIT), values)
