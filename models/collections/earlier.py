"""How far the attempts that were written down for a receivable have used up its policy (S21, S40).

A workflow counts as it goes. Whoever takes over from one that was stopped counts here, and comes to the same, but for
skipped attempts, which no row knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.gateway.decline import Decline, DeclineClass, classify
from models.gateway.gateway_request import AttemptCause, AttemptOutcome


@dataclass(frozen=True)
class EarlierAttempt:
    """One attempt as it was written down; `is_other_card`: it followed a decline at once, on another card."""

    attempt: int
    cause: AttemptCause
    outcome: AttemptOutcome | None
    card_id: str
    code: str
    decline_code: str
    advice_code: str
    is_other_card: bool

    @property
    def is_technical(self) -> bool:
        """Whether something between us and the issuer failed, and the card was not judged."""
        decline = Decline(self.code, self.decline_code, self.advice_code)
        return self.outcome is AttemptOutcome.DECLINED and classify(decline) is DeclineClass.TECHNICAL


@dataclass(frozen=True)
class PolicyCounts:
    """What the policy has counted before an attempt, and the cards that were declined just before it."""

    soft_declines: int = 0
    technical_declines: int = 0
    tried_cards: tuple[str, ...] = field(default=())


def counts_before(attempts: Sequence[EarlierAttempt], attempt: int) -> PolicyCounts:
    """Count the declines before an attempt that the policy has decided about: one for all cards tried in a row.

    `attempts` are all of the receivable, in order. Attempts that people and new cards caused use nothing up.
    """
    earlier = [one for one in attempts if one.attempt < attempt]
    begun = {one.attempt for one in attempts if one.is_other_card}
    counted = [
        one
        for one in earlier
        if one.outcome is AttemptOutcome.DECLINED
        and one.cause is AttemptCause.SCHEDULED
        and one.attempt + 1 not in begun
    ]
    technical = sum(one.is_technical for one in counted)
    tried: list[str] = []
    for one in reversed(earlier):
        if one.attempt + 1 not in begun:
            break
        tried.insert(0, one.card_id)
    return PolicyCounts(len(counted) - technical, technical, tuple(tried))
