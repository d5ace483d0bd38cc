"""Lines of a bank statement that are a gateway's: a payout that came, a debit, and either of them taken back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from activities.database import Database, one_of
from models.bank.entry import BankEntry
from models.tables.reconciliation import GatewayPayoutRow

_ROW = GatewayPayoutRow


@dataclass(frozen=True)
class BookedLine:
    """What an earlier import has made of a line: the payout or account, and the amount as the bank account sees it."""

    id: str
    signed_minor: int
    currency: str


class PayoutLines:
    """Books the payouts of gateways that bank lines are about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def booked(self, entries: Sequence[BankEntry]) -> dict[str, BookedLine]:
        """Return the payout that each line has brought or taken back already, by key and direction."""
        keys = [entry.key for entry in entries]
        either: ColumnElement[bool] = or_(one_of(_ROW.arrived_key, keys), one_of(_ROW.returned_key, keys))
        query = select(_ROW.id, _ROW.amount_minor, _ROW.currency, _ROW.arrived_key, _ROW.returned_key).where(either)
        booked = {}
        for row in await self._database.read(query):
            for key, signed in ((row.arrived_key, row.amount_minor), (row.returned_key, -row.amount_minor)):
                booked[directed(key or "", is_credit=signed > 0)] = BookedLine(row.id, signed, row.currency)
        return booked

    async def receive(self, entry: BankEntry) -> str:
        """Return the payout that a line brings or takes back, booked; empty where it is about none for certain."""
        received = await self._database.call(
            "receive_payout",
            key=entry.key,
            currency=entry.currency,
            amount_minor=entry.signed_minor,
            booked_on=entry.booked_on,
            text=entry.stated,
        )
        return str(received or "")


def directed(key: str, *, is_credit: bool) -> str:
    """Return a line's key with its direction: some banks give a credit and what takes it back one reference."""
    return f"{'credit' if is_credit else 'debit'} {key}"
