"""Dry runs and shadow runs: what a run would do, without doing it."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class DryRunRequest:
    """Read who would be charged, from behind an account on."""

    definition_id: str
    period: str
    after: str = ""
    limit: int = 500


@dataclass(frozen=True)
class DryRunMember:
    """Somebody who owes something: how much, on which card, or why the run would pass over them."""

    account_id: str
    currency: str
    amount_minor: int
    card: str
    reason: str

    @property
    def is_charged(self) -> bool:
        """Whether the run would charge them."""
        return self.reason == ""


@dataclass(frozen=True)
class DryRunPage:
    """A page of a dry run, by account. An empty `after` is the end; a page before it may be empty."""

    after: str
    members: tuple[DryRunMember, ...]


class DifferenceKind(StrEnum):
    """How a member of a shadow run differs from the last certified run."""

    NEW = "new"
    GONE = "gone"
    AMOUNT = "amount"
    CARD = "card"
    AMOUNT_AND_CARD = "amount_and_card"


@dataclass(frozen=True)
class Difference:
    """One account that differs; what one side lacks is None there. `reason` says why somebody is gone."""

    account_id: str
    difference: DifferenceKind
    reason: str
    currency: str | None
    amount_minor: int | None
    card: str | None
    before_currency: str | None
    before_minor: int | None
    before_card: str | None
