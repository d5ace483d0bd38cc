"""When to try again after a decline, on whose action, and when to give up (S21, S40, X29)."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.gateway.decline import DeclineClass
from models.problem import refuse_unless


class GiveUpAction(StrEnum):
    """What becomes of the account when collection gives up."""

    NOTHING = "nothing"
    SUSPEND = "suspend"
    WRITE_OFF = "write_off"
    HAND_OVER = "hand_over"


@dataclass(frozen=True)
class DunningPolicy:
    """One version of the rules a collection lives by. It finishes under the version it began with.

    `declined_after` and `technical_after` hold the waiting time before each further scheduled attempt: their length
    is the number of retries. With a `local_hour`, a retry is moved on to that hour of the account's own clock and past
    the weekdays to avoid (Monday is 0), and on to a payday (a day of the month) that lies within `payday_within`.
    `evidence_after` paces the look for evidence of an unknown outcome; its last entry repeats, and after
    `review_after` a person decides. With `tries_other_cards`, the account's other cards are tried at once when one is
    declined that may work later. Without `notifies_customer`, no message of a collection goes to its customer. With
    `once`, a decline is the end, unless the customer can let the same payment pass. What a card network allows in 30
    days is a table of its own.
    """

    id: str = "standard"
    version: int = 1
    declined_after: tuple[timedelta, ...] = (
        timedelta(days=3),
        timedelta(days=5),
        timedelta(days=7),
        timedelta(days=7),
    )
    technical_after: tuple[timedelta, ...] = (
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(days=1),
        timedelta(days=2),
    )
    customer_deadline: timedelta = timedelta(days=14)
    # The second look comes when a request that never arrived is known not to have: its quiet period is three minutes.
    evidence_after: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=3),
        timedelta(minutes=10),
        timedelta(hours=1),
    )
    review_after: timedelta = timedelta(hours=6)
    local_hour: int | None = 9
    weekdays_to_avoid: frozenset[int] = field(default_factory=frozenset)
    paydays: frozenset[int] = field(default_factory=frozenset)
    payday_within: timedelta = timedelta(days=3)
    on_giving_up: GiveUpAction = GiveUpAction.NOTHING
    tries_other_cards: bool = False
    notifies_customer: bool = True
    once: bool = False

    def __post_init__(self) -> None:
        """Refuse a policy that could try for ever, never, or at an hour that is none."""
        refuse_unless(self.version >= 1, InvalidPolicyError, "version", "must be 1 or more")
        refuse_unless(
            self.local_hour is None or 0 <= self.local_hour <= 23, InvalidPolicyError, "local_hour", "must be 0 to 23"
        )
        refuse_unless(len(self.weekdays_to_avoid) < 7, InvalidPolicyError, "weekdays_to_avoid", "must leave a day")
        refuse_unless(
            self.weekdays_to_avoid <= frozenset(range(7)), InvalidPolicyError, "weekdays_to_avoid", "must be 0 to 6"
        )
        refuse_unless(self.paydays <= frozenset(range(1, 32)), InvalidPolicyError, "paydays", "must be 1 to 31")
        refuse_unless(
            self.payday_within <= timedelta(days=31), InvalidPolicyError, "payday_within", "must be at most 31 days"
        )
        refuse_unless(bool(self.evidence_after), InvalidPolicyError, "evidence_after", "must have an entry")
        waits = (*self.declined_after, *self.technical_after, *self.evidence_after, self.customer_deadline)
        refuse_unless(
            all(wait > timedelta(0) for wait in waits), InvalidPolicyError, "intervals", "must be longer than nothing"
        )


class InvalidPolicyError(ValueError):
    """A dunning policy that breaks a rule."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"dunning policy: {name} {rule}")


@dataclass(frozen=True)
class RetryAt:
    """Try again at this moment."""

    at: datetime


@dataclass(frozen=True)
class WaitForCustomer:
    """Only the customer can help: wait for a card or an authentication until this moment, then give up."""

    until: datetime


@dataclass(frozen=True)
class GiveUp:
    """Stop: the receivable stays open and nothing is tried again."""

    reason: str


DunningDecision = RetryAt | WaitForCustomer | GiveUp


def after_decline(
    kind: DeclineClass,
    *,
    policy: DunningPolicy,
    tries: int,
    declined_at: datetime,
    time_zone: str,
    is_known: bool = True,
) -> DunningDecision:
    """Decide what follows a decline. `tries` counts the scheduled attempts of this class so far, this one included.

    A code that nobody knows is tried again once. Raises ValueError when there was no try: index 0 - 1 would quietly
    be the last interval.
    """
    if tries < 1:
        raise ValueError(f"tries: {tries} is not a count of attempts, it must be 1 or more")
    if policy.once and kind is not DeclineClass.ACTION_REQUIRED:
        return GiveUp("declined")
    if kind in {DeclineClass.HARD, DeclineClass.FRAUD, DeclineClass.ACTION_REQUIRED}:
        return WaitForCustomer(declined_at + policy.customer_deadline)
    waits = policy.technical_after if kind is DeclineClass.TECHNICAL else policy.declined_after
    if tries > len(waits):
        return GiveUp("attempts_used_up")
    if not is_known and tries > 1:
        return GiveUp("unknown_decline_code")
    wanted = declined_at + waits[tries - 1]
    return RetryAt(wanted if kind is DeclineClass.TECHNICAL else at_local_hour(wanted, policy, time_zone))


def at_local_hour(moment: datetime, policy: DunningPolicy, time_zone: str) -> datetime:
    """Move a moment on to the policy's hour on the account's clock: to a payday close by, else past days to avoid."""
    if policy.local_hour is None:
        return moment
    zone = ZoneInfo(time_zone)
    day = moment.astimezone(zone).date()
    while _at_hour(day, policy.local_hour, zone) < moment or day.weekday() in policy.weekdays_to_avoid:
        day += timedelta(days=1)
    return _at_hour(_payday_from(day, policy) or day, policy.local_hour, zone)


def _payday_from(day: date, policy: DunningPolicy) -> date | None:
    ahead = (day + timedelta(days=n) for n in range(policy.payday_within.days + 1))
    return next((d for d in ahead if d.day in policy.paydays and d.weekday() not in policy.weekdays_to_avoid), None)


def _at_hour(day: date, hour: int, zone: ZoneInfo) -> datetime:
    # An hour that the clocks skip in spring is read with the offset before the change, so it falls one hour later.
    return datetime.combine(day, time(hour), zone).astimezone(ZoneInfo("UTC"))
