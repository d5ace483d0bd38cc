"""Ending payouts that the bank's statement shows in several lines, or less a fee."""

from dataclasses import dataclass
from datetime import date

from activities.reconciliation.queries import ReconciliationQueries
from commands.formatting import money
from commands.output import Output
from commands.session import database_of, read_settings
from commands.updates import require_who_and_why
from models.payments.order import amount_of
from models.problem import refusal


@dataclass(frozen=True)
class EndOfPayout:
    """How a payout ended: the payments in suspense that brought it, what the bank kept (major units), and when."""

    payout: str
    payments: tuple[str, ...]
    fee: str = ""
    booked_on: date | None = None


async def end(output: Output, asked: EndOfPayout, *, actor: str, reason: str) -> None:
    """Let a payout arrive at the bank, or leave it. Raises RefusedError, naming the rule, where it does not add up."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        queries = ReconciliationQueries(database)
        found = await queries.payout(asked.payout)
        if found is None:
            raise refusal("payout", "payout_exists", f"there is no payout {asked.payout!r}")
        fee = amount_of(asked.fee, found.currency, "fee")
        ended = await queries.end_payout(
            found,
            asked.payments,
            fee_minor=fee.amount_minor if fee else 0,
            booked_on=asked.booked_on,
            actor=actor,
            reason=reason,
        )
    amount = money(abs(ended["amount_minor"]), found.currency)
    way = "is in the bank" if ended["amount_minor"] > 0 else "has left the bank"
    kept = f", which kept {fee}" if fee else ""
    output.answer(dict(ended), f"{found.id}: {amount} {way}{kept}, says {actor}.")
