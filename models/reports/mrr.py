"""Monthly recurring revenue: what subscriptions in force on the last day of a month bring, before tax (F150)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from models.money import half_up
from models.subscriptions.timeline import Timeline


@dataclass(frozen=True)
class RecurringSubscription:
    """A subscription as it was on each day."""

    account_id: str
    currency: str
    timeline: Timeline


class Terminations:
    """When accounts were terminated and made active again: while they are terminated nothing of theirs is billed."""

    def __init__(self, changes: Sequence[tuple[str, date, bool]]) -> None:
        """Take account, day and whether it is terminated from that day on, in the order in which it became so."""
        self._changes: dict[str, list[tuple[date, bool]]] = defaultdict(list)
        for account_id, since_on, is_terminated in changes:
            self._changes[account_id].append((since_on, is_terminated))

    def holds(self, account_id: str, day: date) -> bool:
        """Say whether an account is terminated at the end of a day."""
        known = [is_terminated for since_on, is_terminated in self._changes.get(account_id, ()) if since_on <= day]
        return bool(known) and known[-1]


def monthly_minor(timeline: Timeline, day: date) -> int:
    """Return what a subscription brings in a month, by its terms on a day, in minor units; half up, once.

    Its quantity times its price, less the discount that holds on the day, by the months of its term. One that has not
    begun, has ended by the day, is in its trial or paused brings nothing. What is unpaid counts; what is sold once,
    used or spent is no subscription.
    """
    if timeline.is_free_on(day):
        return 0
    terms = timeline.terms_on(day)
    return half_up(Fraction(terms.period_minor, terms.cycle.term.months))


def mrr_on(subscriptions: Iterable[RecurringSubscription], day: date) -> Mapping[tuple[str, str], int]:
    """Return what accounts come to on a day, by account and currency; those that come to nothing are left out."""
    found: dict[tuple[str, str], int] = {}
    for one in subscriptions:
        if amount := monthly_minor(one.timeline, day):
            key = (one.account_id, one.currency)
            found[key] = found.get(key, 0) + amount
    return found
