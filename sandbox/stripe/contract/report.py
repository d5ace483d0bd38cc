"""Runs the behaviours at one address, or at two beside each other, and writes what was seen as tables."""

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from models.gateway.errors import GatewayError
from sandbox.stripe.contract import shapes
from sandbox.stripe.contract.behaviour import BEHAVIOURS, Behaviour
from sandbox.stripe.contract.behaviours import duly, money_back, pages, payments, platform, protocol, webhooks
from sandbox.stripe.contract.calls import NotAskedError
from sandbox.stripe.contract.leftovers import MARK
from sandbox.stripe.contract.side import Side
from sandbox.stripe.jsontypes import Json

__all__ = ["BEHAVIOURS", "Comparison", "Seen", "document_table", "observed", "report", "run"]

# Importing a module adds its behaviours; these are all of them.
MODULES = (protocol, payments, pages, money_back, platform, webhooks, duly)
# Behaviours that Stripe is asked at the same time: most of a behaviour's time is spent waiting.
AT_ONCE = 6
EVENT_PAGES = 5
LISTED_MAX = 40
NOT_ASKED = "not asked: "
_UNEXPECTED = (AssertionError, GatewayError, IndexError, KeyError, TypeError, ValueError, httpx.HTTPError)


@dataclass(frozen=True)
class Seen:
    """A behaviour, and what was seen of it at the sandbox and at the other address."""

    behaviour: Behaviour
    sandbox: str
    other: str

    @property
    def is_asked(self) -> bool:
        return not self.other.startswith(NOT_ASKED)

    @property
    def differs(self) -> bool:
        return self.is_asked and (self.sandbox != self.other or self.sandbox != self.behaviour.expected)


@dataclass(frozen=True)
class Comparison:
    """What both sides did."""

    seen: list[Seen]
    fields: list[shapes.Row]
    events: list[shapes.Row]
    openapi: list[str]
    requests: int
    seconds: float
    stuck: list[str] = field(default_factory=list)
    staying: dict[str, int] = field(default_factory=dict)
    run: str = ""

    @property
    def differences(self) -> int:
        return sum(each.differs for each in self.seen) + len(self.fields) + len(self.events)


def observed(behaviour: Behaviour, side: Side) -> str:
    """What is seen; an answer that does not look as expected is itself what is seen."""
    try:
        return behaviour.observe(side)
    except NotAskedError as error:
        return f"{NOT_ASKED}{error}"
    except _UNEXPECTED as error:
        return f"unexpected answer: {type(error).__name__} {error}"


def run(sandbox: Side, other: Side, say: Callable[[str], None] = lambda _: None) -> Comparison:
    """Every behaviour at both addresses, and what all of their answers look like beside each other."""
    began = time.monotonic()
    say(f"Asking {other.base_url} {len(BEHAVIOURS)} behaviours, marked {MARK}={other.run}.")
    theirs = _at_the_other(other, say)
    # What the other was not asked the sandbox is not asked either, so that their answers can be laid side by side.
    ours = [
        found if found.startswith(NOT_ASKED) else observed(each, sandbox)
        for each, found in zip(BEHAVIOURS, theirs, strict=True)
    ]
    seen = [Seen(*each) for each in zip(BEHAVIOURS, ours, theirs, strict=True)]
    read = [shapes.read_events(_events(side)) for side in (sandbox, other)]
    sent = [shapes.fields_sent(side.exchanged) for side in (sandbox, other)]
    return Comparison(
        seen=seen,
        fields=shapes.field_differences(*sent),
        events=shapes.event_rows(*read),
        openapi=shapes.openapi_lines(other.exchanged),
        stuck=other.stuck,
        requests=other.count,
        seconds=time.monotonic() - began,
        staying=other.leftovers.staying(),
        run=other.run,
    )


def _at_the_other(other: Side, say: Callable[[str], None]) -> list[str]:
    def ask(behaviour: Behaviour) -> str:
        found = observed(behaviour, other)
        say(f"  {'=' if found == behaviour.expected else '?'} {behaviour.name}")
        return found

    # Where the clock is moved it is one behaviour after the other.
    with ThreadPoolExecutor(1 if other.control else AT_ONCE) as pool:
        return list(pool.map(ask, BEHAVIOURS))


def _events(side: Side) -> list[Json]:
    """List what the run's calls have brought about, a few pages at most."""
    since = side.began_at
    after: dict[str, str] = {}
    with contextlib.suppress(NotAskedError, httpx.HTTPError):
        for _ in range(EVENT_PAGES):
            page = side.get("/v1/events", limit=100, **{"created[gte]": since} | after).body
            if not page.get("has_more"):
                break
            after = {"starting_after": page["data"][-1]["id"]}
    return shapes.events_in(side.exchanged)


def report(found: Comparison) -> str:
    """The differences as tables, what was not asked, and what stays."""
    spent = f"{found.requests} requests in {found.seconds:.0f} s"
    lines = [f"{len(found.seen)} behaviours, {spent}, {found.differences} differences."]
    differing = [each for each in found.seen if each.differs]
    rows = [(each.behaviour.name, each.behaviour.expected, each.sandbox, each.other) for each in differing]
    lines += _table("Behaviours", ("Behaviour", "Expected", "Sandbox", "Stripe"), rows)
    lines += _table("Fields of answers", ("Object", "Field", "Sent by"), found.fields)
    lines += _table("Events as the receiver reads them", ("Type", "Sandbox", "Stripe"), found.events)
    lines += _listed("Answers that are not as Stripe's published OpenAPI says", found.openapi)
    unasked = [f"{each.behaviour.name}: {each.other}" for each in found.seen if not each.is_asked]
    lines += _listed("Not seen", unasked)
    lines += _listed("No answer, and so perhaps not taken away", found.stuck)
    if found.staying:
        stays = ", ".join(f"{count} {noun}" for noun, count in found.staying.items())
        lines += [
            "",
            f"Taken away: all that can be. Marked {MARK}={found.run} or a part of what is, there stay: {stays}.",
        ]
    return "\n".join(lines)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    written = [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]
    return ["", f"{title}:", "", *written]


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = [f"- and {len(lines) - LISTED_MAX} more"] if len(lines) > LISTED_MAX else []
    return ["", f"{title}:", "", *(f"- {line}" for line in lines[:LISTED_MAX]), *more]


def document_table() -> str:
    """The table of docs/sandbox.md."""
    rows = [f"| {each.name} | {each.expected} | {each.source} |" for each in BEHAVIOURS]
    return "\n".join(["| Stripe does | Seen as | Source |", "|---|---|---|", *rows])
