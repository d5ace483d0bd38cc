"""The page of one object: what it is, what belongs to it, what may be done, and where else it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from web.context import Visit
from web.views.cells import Cell, Table

Facts = Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class ActionLink:
    """Something that may be done here, and its form; or why it may not."""

    name: str
    href: str
    why_not: str = ""


@dataclass(frozen=True)
class ObjectPage:
    """One object. `parts` are addresses of what is read after the page; `sides` are facts that stand side by side."""

    title: str
    kind: str
    state: Cell
    facts: Facts
    figures: Facts = ()
    sentence: str = ""
    tables: Sequence[Table] = ()
    sides: Sequence[tuple[str, Facts]] = ()
    actions: Sequence[ActionLink] = ()
    parts: Sequence[tuple[str, str]] = ()
    links: Facts = ()


def show_object(visit: Visit, shown: ObjectPage) -> Response:
    """Answer with an object's page; empty facts are left out."""
    return visit.page(
        "object.html",
        title=shown.title,
        of=shown,
        facts=[(name, cell) for name, cell in shown.facts if cell.text],
        links=[(name, cell) for name, cell in shown.links if cell.href],
    )


def show_part(visit: Visit, tables: Sequence[Table], *, sentence: str = "", is_away: str = "") -> Response:
    """Answer with a part of an object's page."""
    return visit.page("part.html", tables=tables, sentence=sentence, is_away=is_away)


def temporal(visit: Visit, workflow_id: str) -> tuple[str, Cell]:
    """Return the link to a workflow in the Temporal UI; an empty one where no UI is set."""
    return "In the Temporal UI", Cell(workflow_id, visit.temporal_link(workflow_id))


def stripe(visit: Visit, reference: str | None) -> tuple[str, Cell]:
    """Return the link to an object in Stripe's dashboard, where it is Stripe's own."""
    return stripe_page(visit, reference, f"search?query={reference}") if reference else ("At Stripe", Cell())


def stripe_page(visit: Visit, shown: str, path: str) -> tuple[str, Cell]:
    """Return the link to a page of Stripe's dashboard; an empty one where another gateway stands in for Stripe's."""
    if visit.web.settings.stripe_api_base != "https://api.stripe.com":
        return "At Stripe", Cell()
    test = "" if visit.web.settings.is_live else "test/"
    return "At Stripe", Cell(shown, f"https://dashboard.stripe.com/{test}{path}")
