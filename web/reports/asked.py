"""Which report an address asks for: a built-in one or a definition of one's own, its days, filters and figure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from commands.reports.running import narrowed
from models.problem import RefusedError, refusal
from models.reports.builtin import BUILT_IN
from models.reports.definition import ReportDefinition, definition_of
from web.reports.chart_plans import choices_of
from web.views.listing import day_of

# The place of a report that is no built-in one: its definition stands in the address.
OWN = "own"
# What addresses hold through every proxy, with days and filters beside it.
DEFINITION_LENGTH_MAX = 4000
FILTERS_MAX = 10


@dataclass(frozen=True)
class AskedReport:
    """A report as an address asks for it. Without `definition` it cannot be run: `problems` say why."""

    place: str
    known: ReportDefinition | None
    definition: ReportDefinition | None
    first: str = ""
    last: str = ""
    filters: Sequence[str] = ()
    figure: str = ""
    document: str = ""
    problems: Sequence[str] = ()

    def address(self, ending: str = "", without: str = "") -> str:
        """Return the address of the same report: as a file, or without one of its filters."""
        given = [("definition", self.document), ("from", self.first), ("to", self.last), ("figure", self.figure)]
        given += [("filter", one) for one in self.filters if one != without]
        query = urlencode([(name, value) for name, value in given if value])
        place = f"/reports/{self.place}{ending}"
        return f"{place}?{query}" if query else place

    def own_address(self) -> str:
        """Return the address at which this definition may be changed into one's own."""
        known = self.definition or self.known
        return f"/reports/{OWN}?{urlencode({'definition': _written(known)})}" if known else f"/reports/{OWN}"


def asked_report(place: str, asked: QueryParams, today: date) -> AskedReport:
    """Read what an address asks for. Raises HTTPException: there is no such report."""
    if place not in BUILT_IN and place != OWN:
        raise HTTPException(404, f"There is no report {place}.")
    document = asked.get("definition", "").strip() if place == OWN else ""
    problems: list[str] = []
    known = BUILT_IN.get(place) or _own(document, problems)
    bounds = {name: day_of(name, asked.get(name, ""), problems) for name in ("from", "to")}
    filters = _filters(asked, problems)
    definition = known
    if known is not None:
        try:
            definition = narrowed(known, bounds["from"], bounds["to"], filters, today)
        except RefusedError as refused:
            problems += [one.message for one in refused.problems]
    first, last = (bounds[name].isoformat() if bounds[name] else "" for name in ("from", "to"))  # type: ignore[union-attr]  # it is not None
    figure = asked.get("figure", "")
    figure = figure if known and figure in choices_of(known) else ""
    runs = None if problems else definition
    return AskedReport(place, known, runs, first, last, filters, figure, document, problems)


def _filters(asked: QueryParams, problems: list[str]) -> Sequence[str]:
    filters = [one for one in asked.getlist("filter") if one]
    column, value = asked.get("column", ""), asked.get("value", "").strip()
    if column and value:
        filters.append(f"{column}={value}")
    filters = list(dict.fromkeys(filters))
    if len(filters) > FILTERS_MAX:
        problems.append(f"filter: there are at most {FILTERS_MAX}")
    return filters[:FILTERS_MAX]


def _own(document: str, problems: list[str]) -> ReportDefinition | None:
    if not document:
        return None
    try:
        if len(document) > DEFINITION_LENGTH_MAX:
            raise refusal("definition", "text_length", f"has more than {DEFINITION_LENGTH_MAX} characters")
        read = json.loads(document)
        if not isinstance(read, Mapping):
            raise refusal("definition", "document_is_object", "must be an object of JSON")
        return definition_of(read)
    except RecursionError:
        problems.append("definition: is nested too deeply")
    except ValueError as error:
        problems += _words(error)
    return None


def _words(error: ValueError) -> list[str]:
    if isinstance(error, RefusedError):
        return [f"{one.field}: {one.message}" for one in error.problems]
    return [f"definition: is no JSON: {error}"]


def _written(definition: ReportDefinition) -> str:
    return json.dumps(definition.as_document(), default=str, separators=(",", ":"), ensure_ascii=False)


def shown_document(asked: AskedReport) -> str:
    """Return the definition as a person edits it."""
    if asked.document and asked.known is None:
        return asked.document
    return json.dumps(asked.known.as_document(), default=str, indent=2, ensure_ascii=False) if asked.known else ""
