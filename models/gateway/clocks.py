"""Clocks that must agree before money moves: how far apart they are, as far as that is certain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# What is measured by clocks has margins of minutes and hours: these outlive so much.
WARN_AT = timedelta(seconds=10)

# Beyond this somebody has set a clock wrong, and nobody knows by how much it will be wrong next.
REFUSE_AT = timedelta(seconds=60)

# The type of the failure of whatever was not sent because of it.
CLOCKS_DIFFER = "GatewayClocksDiffer"

_NONE = timedelta(0)
_SECOND = timedelta(seconds=1)


class ClockVerdict(StrEnum):
    """Whether clocks agree."""

    AGREE = "agree"
    APART = "apart"  # a warning: mend it before it gets worse
    TOO_FAR = "too_far_apart"  # nothing new is sent


@dataclass(frozen=True)
class ClockOffset:
    """How far a clock is ahead of another one: at least and at most, negative when it is behind.

    It is known no better than a question takes and the answer is exact: the `Date` of HTTP has whole seconds.
    """

    least: timedelta
    most: timedelta

    @property
    def certain(self) -> timedelta:
        """What is certain of it: nothing, where the clocks may agree."""
        return max(self.least, _NONE) + min(self.most, _NONE)

    @property
    def seconds(self) -> int:
        """What is certain of it, in whole seconds."""
        return round(self.certain / _SECOND)

    @property
    def verdict(self) -> ClockVerdict:
        """Say whether the two clocks agree well enough."""
        apart = abs(self.certain)
        if apart > REFUSE_AT:
            return ClockVerdict.TOO_FAR
        return ClockVerdict.APART if apart > WARN_AT else ClockVerdict.AGREE

    def minus(self, other: "ClockOffset") -> "ClockOffset":
        """Return how far this clock is ahead of `other`, both measured against one and the same."""
        return ClockOffset(self.least - other.most, self.most - other.least)


@dataclass(frozen=True)
class ClockReading:
    """What a clock said once: between `least` and `most`, at some time from `sent` to `received`.

    Both of these are times since a moment that does not matter, on a clock that nobody sets.
    """

    least: datetime
    most: datetime
    sent: timedelta
    received: timedelta

    def at(self, moment: timedelta) -> tuple[datetime, datetime]:
        """Return between what and what the clock stands at a moment, if it just went on."""
        return self.least + (moment - self.received), self.most + (moment - self.sent)

    def offset(self, *, moment: timedelta, ours: datetime) -> ClockOffset:
        """Return how far it is ahead of a clock of ours, which says `ours` at the moment."""
        least, most = self.at(moment)
        return ClockOffset(least - ours, most - ours)

    def is_superseded_by(self, newer: "ClockReading", *, lifetime: timedelta) -> bool:
        """Say whether a newer reading is worth more: sharper, contradicting this one, or this one is old."""
        least, most = self.at(newer.received)
        newer_least, newer_most = newer.at(newer.received)
        is_sharper = newer_most - newer_least <= most - least
        return is_sharper or newer_least > most or newer_most < least or newer.received - self.received > lifetime


@dataclass(frozen=True)
class ClockComparison:
    """Every pair of clocks that could be compared, by whose they are: how far the first is ahead of the second."""

    offsets: Mapping[tuple[str, str], ClockOffset]

    @property
    def worst(self) -> tuple[tuple[str, str], ClockOffset] | None:
        """Return the pair that is furthest apart; None when nothing could be compared."""
        return max(self.offsets.items(), key=lambda item: abs(item[1].certain), default=None)

    @property
    def verdict(self) -> ClockVerdict:
        """Return the verdict on the worst pair."""
        return self.worst[1].verdict if self.worst else ClockVerdict.AGREE

    @property
    def culprit(self) -> str:
        """Return whose clock two others that agree are apart from; empty where that cannot be told."""
        names = dict.fromkeys(name for pair in self.offsets for name in pair)
        apart = {pair for pair, offset in self.offsets.items() if offset.verdict is not ClockVerdict.AGREE}
        blamed = [name for name in names if all((name in pair) == (pair in apart) for pair in self.offsets)]
        return blamed[0] if len(self.offsets) > 1 and len(blamed) == 1 and apart else ""

    def __str__(self) -> str:
        """Say in one line which clocks are how far apart."""
        if self.worst is None:
            return "no clock could be compared"
        if self.verdict is ClockVerdict.AGREE:
            return f"the clocks agree within {WARN_AT // _SECOND} s"
        (name, other), offset = self.worst
        where = "ahead of" if offset.seconds > 0 else "behind"
        return f"the clock of {name} is {abs(offset.seconds)} s {where} that of {other}"
