"""Lines of a bank statement that bring debits in, or take one back."""

from dataclasses import dataclass

from activities.bank.debits.debit_answers import code_of, suspends_mandate
from activities.database import Database
from models.bank.entry import BankEntry


@dataclass(frozen=True)
class DebitLine:
    """Which debit or file a line is about, whose accounts it touches, and whether another import has booked it.

    `refused` are those of them that the bank had refused: a credit's money of these lies in suspense, and all of it is
    where there are no others.
    """

    reference: str
    accounts: tuple[str, ...]
    is_known: bool = False
    refused: tuple[str, ...] = ()
    is_suspense: bool = False

    @property
    def stated(self) -> str:
        """What is shown of the line: its debit or file, and what the bank had refused of it."""
        named = ", ".join(self.refused)
        return f"{self.reference} (refused: {named})" if self.refused else self.reference


class DebitLines:
    """Books the debits that bank lines are about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(self, entry: BankEntry) -> DebitLine | None:
        """Return the debits that a line brings or takes back, booked; None where it is about none for certain.

        Raises RuleBrokenError (charges_within_limit, returned_within_paid, ...): nothing of the line is booked then.
        """
        # An entry of which one payment is shown says its name as its own, and as that of a payment in it.
        named = [one for one in dict.fromkeys((entry.end_to_end_id, *entry.sent_ids)) if one.startswith("DD-")]
        batches = [one for one in entry.batch_ids if one.startswith("DDB-")]
        if not named and not batches:
            return None
        code = code_of(entry.return_reason)
        received = await self._database.call(
            "receive_debits",
            key=entry.key,
            currency=entry.currency,
            amount_minor=entry.signed_minor,
            booked_on=entry.booked_on,
            named=named,
            batches=batches,
            code=code,
            suspends=suspends_mandate(code),
        )
        if not received:
            return None
        return DebitLine(
            received["reference"],
            tuple(received["accounts"]),
            bool(received["is_known"]),
            tuple(received.get("refused", ())),
            bool(received.get("is_suspense")),
        )
