"""Who joins and leaves a small company in its months, and what happens to whom: all of it from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import cycle, islice
from random import Random

from models.period import Period
from sandbox.customers.generation import GeneratedAccount, generate
from sandbox.customers.problem_cards import ALWAYS_YES

# Of all accounts, so many are there from the first month on; the others join later, and one in six leaves.
FROM_THE_START = 0.5
LEAVES_ONE_IN = 6
STAYS_MONTHS_MIN = 3


class Incident(StrEnum):
    """What can happen to an account in a month; most of what is about a card is what its issuer answers."""

    EMPTY_ONCE = "empty_once"
    EMPTY_TWICE = "empty_twice"
    NEVER_PAYS = "never_pays"
    PROCESSING_ERROR = "processing_error"
    RESTRICTED = "restricted"
    STOLEN = "stolen"
    UNKNOWN_CODE = "unknown_code"
    AUTHENTICATE = "authenticate"
    REFUND_IN_PART = "refund_in_part"
    REFUND_IN_FULL = "refund_in_full"
    CANCELLATION = "cancellation"
    REWARD = "reward"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    OVERPAYMENT = "overpayment"
    UPGRADE = "upgrade"


DECLINES = (
    Incident.EMPTY_ONCE,
    Incident.RESTRICTED,
    Incident.NEVER_PAYS,
    Incident.PROCESSING_ERROR,
    Incident.AUTHENTICATE,
    Incident.EMPTY_TWICE,
    Incident.STOLEN,
    Incident.UNKNOWN_CODE,
)
DECLINED_ONE_IN = 9
DECLINES_MIN = 2


@dataclass(frozen=True)
class Life:
    """An account with the months, counted from 0, in which it is billed: from one until before another, or on."""

    account: GeneratedAccount
    joins: int
    leaves: int | None = None

    def is_there(self, month: int) -> bool:
        """Say whether it is billed for a month."""
        return self.joins <= month and (self.leaves is None or month < self.leaves)


def lives_of(accounts: int, seed: int, periods: Sequence[Period]) -> list[Life]:
    """Return every account with its months; the last of the periods is the present, in which nobody leaves."""
    return [_life(number, account, seed, periods) for number, account in enumerate(generate(accounts, seed))]


def _life(number: int, account: GeneratedAccount, seed: int, periods: Sequence[Period]) -> Life:
    draw = Random(f"{seed}:life:{number}")
    months = len(periods)
    joins = 0 if draw.random() < FROM_THE_START else draw.randrange(months)
    earliest = joins + STAYS_MONTHS_MIN
    leaves = draw.randrange(earliest, months) if earliest < months and draw.randrange(LEAVES_ONE_IN) == 0 else None
    bought = tuple(
        replace(each, starts_on=periods[joins].starts_on, ends_on=periods[leaves].starts_on if leaves else None)
        for each in account.subscriptions
    )
    return Life(replace(account, subscriptions=bought), joins, leaves)


def without_problem(account: GeneratedAccount) -> GeneratedAccount:
    """Return an account whose cards say yes: what is wrong with it begins with the present."""
    cards = tuple(replace(card, answers=ALWAYS_YES) for card in account.cards)
    return replace(account, cards=cards, problem=None)


def incidents_of(month: int, accounts: Sequence[str], seed: int) -> dict[str, Incident]:
    """Return what happens to whom in a month, of those who pay by card: each kind comes up in turn."""
    shuffled = sorted(accounts)
    Random(f"{seed}:month:{month}").shuffle(shuffled)
    declines = max(DECLINES_MIN, len(shuffled) // DECLINED_ONE_IN)
    others = (
        Incident.REFUND_IN_PART,
        Incident.DISPUTE_LOST if month % 2 else Incident.DISPUTE_WON,
        Incident.REWARD,
        Incident.OVERPAYMENT,
        Incident.CANCELLATION if month % 2 else Incident.REFUND_IN_FULL,
        Incident.UPGRADE,
    )
    first = month * declines % len(DECLINES)
    kinds = (*islice(cycle(DECLINES), first, first + declines), *others)
    return dict(zip(shuffled, kinds, strict=False))
