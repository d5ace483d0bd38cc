"""Lines of a statement that somebody else knows, debits or payouts: what it says of each, and what it refuses."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from activities.bank.debits.debit_answers import problem_of_rule
from activities.database import RuleBrokenError
from models.bank.entry import BankEntry
from models.imports.columns import BANK
from models.ledger.refusal_fields import problem_of
from models.problem import Problem

Received = TypeVar("Received")


async def received_lines(
    entries: Sequence[BankEntry], ask: Callable[[BankEntry], Awaitable[Received | None]]
) -> tuple[list[tuple[BankEntry, Received]], list[tuple[BankEntry, Problem]]]:
    """Return the lines that somebody knows, with what it says of each, and those that it refuses.

    Some banks list the newest first, so that a line may be known, or in order, once another was booked.
    """
    received: list[tuple[BankEntry, Received]] = []
    refused: list[tuple[BankEntry, Problem]] = []
    waiting = list(entries)
    while waiting:
        rest, refused = [], []
        for entry in waiting:
            try:
                found = await ask(entry)
            except RuleBrokenError as error:
                refused.append((entry, _refusal(error, entry.line)))
                found = None
            if found:
                received.append((entry, found))
            else:
                rest.append(entry)
        if len(rest) == len(waiting):
            break
        waiting = rest
    return received, refused


def _refusal(error: RuleBrokenError, line: int) -> Problem:
    if error.refused is not None:
        return problem_of(error.refused, source=BANK, line=line)
    return problem_of_rule(error, BANK, line)
