"""Dry runs and shadow runs: what a run would do, without doing it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class DryRunRequest:
    """Read who would be charged or billed, from behind a member on: by the period's run, or by a supplement of it.

    `counted` is the last page's: what rules count of the members before.
    """

    definition_id: str
    period: str
    after: str = ""
    limit: int = 500
    supplement: int = 0
    counted: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ForeseenHold:
    """The rule that would hold a charge, which of its limits, and the figures that it compared."""

    rule_id: str
    because: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DryRunMember:
    """Somebody who owes something: how much, on which card, or why the run would pass over them.

    Whom the criteria of the definition leave out would be no member of it. `from_wallet_minor` is what the run would
    take from the account's wallet first, and the amount is what is left to charge. `hold`: by which rule it would be
    held for a person, and why.
    """

    account_id: str
    currency: str
    amount_minor: int
    card: str
    reason: str
    is_left_out: bool = False
    from_wallet_minor: int = 0
    hold: ForeseenHold | None = None

    @property
    def is_charged(self) -> bool:
        """Whether the run would charge them."""
        return self.reason == ""

    @property
    def is_taken_on(self) -> bool:
        """Whether the run would do anything about them: charge them, spend their wallet, or wait with what is held."""
        return self.is_charged or self.hold is not None or bool(self.from_wallet_minor)


@dataclass(frozen=True)
class DryRunPage:
    """A page of a dry run, by account. An empty `after` is the end; a page before it may be empty.

    `criteria` are those of the definition, with the last due date that the run would take. `counted` goes with the
    request for the next page.
    """

    after: str
    members: tuple[DryRunMember, ...]
    criteria: dict[str, Any] = field(default_factory=dict)
    counted: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BillingDryRunMember:
    """A subscription that is due: what it would be billed, in minor units, or why the run would not bill it.

    Of what is not billed there is the net price alone.
    """

    subscription_id: str
    account_id: str
    currency: str
    net_minor: int
    tax_minor: int | None
    total_minor: int | None
    reason: str


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
