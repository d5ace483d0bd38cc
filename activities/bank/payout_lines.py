"""Lines of a bank statement that are a gateway's: a payout that came, a debit, and either of them taken back."""

from collections.abc import Iterable

from sqlalchemy import any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from activities.database import Database
from models.bank.entry import BankEntry
from models.tables.reconciliation import GatewayPayoutRow


class PayoutLines:
    """Books the payouts of gateways that bank lines are about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def possible(self, entries: Iterable[BankEntry]) -> list[BankEntry]:
        """Return the lines of which a payout has the amount: the others are about none, and are not asked about."""
        lines = list(entries)
        amounts = sorted({sign * one.amount_minor for one in lines for sign in (1, -1)})
        payouts = select(GatewayPayoutRow.currency, GatewayPayoutRow.amount_minor).distinct()
        either = any_(literal(amounts, ARRAY(BigInteger)))
        rows = await self._database.read(payouts.where(GatewayPayoutRow.amount_minor == either))
        known = {(row.currency, abs(row.amount_minor)) for row in rows}
        return [one for one in lines if (one.currency, one.amount_minor) in known]

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
