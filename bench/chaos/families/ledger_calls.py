"""What is asked of the ledger in chaos: answered, refused by a rule, or without an answer until the time was over."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from activities.database import RuleBrokenError
from bench.chaos.company import BrittleCompany
from bench.chaos.persistence import until_answered
from models.ledger.refusals import LedgerError
from models.problem import RefusedError

SECONDS_MAX = 60.0
BECAUSE = {"actor": "maria", "reason": "chaos"}


@dataclass(frozen=True)
class LedgerAnswer:
    """An answer, or the rule that refused it; neither of them when nothing was heard for a minute."""

    answer: Any = None
    rule: str = ""


async def ask(call: Callable[[], Awaitable[Any]]) -> LedgerAnswer:
    """Ask until there is an answer or a refusal. A call that is repeated must be safe to repeat."""
    try:
        return LedgerAnswer(await until_answered(call, seconds=SECONDS_MAX))
    except (LedgerError, RuleBrokenError, RefusedError) as refused:
        return LedgerAnswer(rule=str(getattr(refused, "rule", "") or getattr(refused, "type", "") or "refused"))


async def rows_of(company: BrittleCompany, statement: str, **arguments: Any) -> Sequence[Row[Any]]:
    """Read rows, as often as it takes; none when nothing was heard for a minute."""
    found = await until_answered(lambda: company.database.rows(statement, **arguments), seconds=SECONDS_MAX)
    return found or ()


def share_of(count: int, share: float, *, least: int) -> int:
    """Return how many of so many are chosen, `least` at least, and never more than there are."""
    return min(count, max(least, round(count * share)))
