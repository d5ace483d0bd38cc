"""Runs the behaviours at one address, or at two beside each other, and writes what was seen as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from sandbox.stripe.contract import money_back, payments, protocol
from sandbox.stripe.contract.behaviour import BEHAVIOURS, Behaviour
from sandbox.stripe.contract.calls import Calls, TooManyCallsError

__all__ = ["BEHAVIOURS", "Seen", "document_table", "observed", "report", "run"]

# Importing a module adds its behaviours; these are all of them.
MODULES = (protocol, payments, money_back)


@dataclass(frozen=True)
class Seen:
    """A behaviour, and what was seen of it at the sandbox and at the other address."""

    behaviour: Behaviour
    sandbox: str
    other: str

    @property
    def differs(self) -> bool:
        return self.sandbox != self.other or self.sandbox != self.behaviour.expected


def observed(behaviour: Behaviour, calls: Calls) -> str:
    """What is seen; an answer that does not look as expected is itself what is seen."""
    try:
        return behaviour.observe(calls)
    except (KeyError, TypeError, IndexError, httpx.HTTPError) as error:
        return f"unexpected answer: {type(error).__name__} {error}"
    except TooManyCallsError as error:
        return f"not asked: {error}"


def run(sandbox: Calls, other: Calls) -> list[Seen]:
    """Every behaviour at both addresses."""
    return [Seen(each, observed(each, sandbox), observed(each, other)) for each in BEHAVIOURS]


def report(seen: Sequence[Seen], *, calls: int) -> str:
    """The differences as a table, or that there are none."""
    differing = [each for each in seen if each.differs]
    lines = [f"{len(seen)} behaviours, {calls} requests, {len(differing)} differences."]
    if differing:
        lines += ["", "| Behaviour | Expected | Sandbox | Stripe |", "|---|---|---|---|"]
    lines += [
        f"| {each.behaviour.name} | {each.behaviour.expected} | {each.sandbox} | {each.other} |" for each in differing
    ]
    return "\n".join(lines)


def document_table() -> str:
    """The table of docs/sandbox.md."""
    rows = [f"| {each.name} | {each.expected} | {each.source} |" for each in BEHAVIOURS]
    return "\n".join(["| Stripe does | Seen as | Source |", "|---|---|---|", *rows])
