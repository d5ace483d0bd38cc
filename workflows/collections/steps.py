"""What one step of a collection comes to: the closed list of what the workflow does next."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GoOn:
    """Collecting goes on: with the next attempt, or by asking again about this one."""


@dataclass(frozen=True)
class Settled:
    """Nothing is owed any more."""

    outcome: str


@dataclass(frozen=True)
class GivenUp:
    """Collecting ends and the receivable stays open; the reason is the policy's, the gateway's or an operator's."""

    reason: str


Step = GoOn | Settled | GivenUp
# Why it ends where a person has given it up.
GAVE_UP = "operator_gave_up"
GO_ON = GoOn()
