"""What a rule holds: why, in words with the figures that it compared, and the command that releases it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.money import Money
from models.operator_command import CommandError, OperatorCommand
from models.problem import refuse_unless

# The code of what is held by a rule; what is blocked has others (models.gateway.gateway_request.HELD_CODES).
HELD_BY_RULE = "held_by_rule"


@dataclass(frozen=True)
class HoldRelease(OperatorCommand):
    """Let a charge go on that a rule holds. `amount_minor`: of several amounts that are held, which; 0: the one."""

    amount_minor: int = 0

    def check(self) -> None:
        """Raise CommandError unless it says who and why, and the amount is one."""
        super().check()
        refuse_unless(self.amount_minor >= 0, CommandError, "amount_minor: is the amount that is held, or 0")


@dataclass(frozen=True)
class HeldReceivable:
    """What is released of which receivable, for which amount in minor units, and by whom; 0: the one that is held."""

    account_id: str
    period: str
    actor: str
    reason: str
    amount_minor: int = 0


@dataclass(frozen=True)
class ReleasedHold:
    """What was released, in minor units. `was_so`: it had been before; `over_because`: nothing was held any more."""

    amount_minor: int
    currency: str
    rule: str
    was_so: bool
    over_because: str = ""


def hold_in_words(because: str, figures: Mapping[str, Any], amount_minor: int, currency: str) -> str:
    """Say why a rule holds an amount, with the figures that it compared."""

    def money(name: str) -> str:
        return str(Money(int(figures.get(name, 0)), currency))

    within = f"per {figures.get('per')} within {figures.get('within_minutes')} minutes"
    match because if figures else "":
        case "above":
            return f"above {money('limit_minor')}"
        case "first_above":
            return f"the first payment, and above {money('limit_minor')}"
        case "times_median":
            median = f"{figures['times']} times {money('median_minor')}, the median of {figures['payments']} payments"
            return f"above {money('limit_minor')}, {median}"
        case "most_charges":
            return f"after {figures['charges']} charges {within}, where {figures['limit']} are let through"
        case "most":
            total = Money(int(figures["charged_minor"]) + amount_minor, currency)
            return f"with it {total} {within}, where {money('limit_minor')} is let through"
        case _:
            return because
