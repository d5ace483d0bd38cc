"""Lines of a bank statement that are a gateway's: a payout that came, a debit, and either of them taken back."""

from activities.database import Database
from models.bank.entry import BankEntry


class PayoutLines:
    """Books the payouts of gateways that bank lines are about."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
