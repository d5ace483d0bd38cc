"""List answers: filters, `created` bounds and cursors."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from sandbox.stripe.api.errors import invalid_parameter
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.tables import Table

Where = Callable[[Json], bool]

_NOT_FILTERS = frozenset({"limit", "starting_after", "ending_before", "created", "expand"})


def listed(table: Table, params: Json, *, url: str, where: Where | None = None) -> Json:
    """A page of the table, newest first.

    Every other parameter filters the field of its name by equality unless the caller gives its own `where`.
    """
    limit = _limit(params)
    filters = {name: value for name, value in params.items() if name not in _NOT_FILTERS}
    wanted = where or partial(_matches, filters)
    rows = list(islice(filter(wanted, _candidates(table, params)), limit + 1))
    page = rows[:limit]
    if "ending_before" in params:
        page.reverse()
    return {"object": "list", "data": page, "has_more": len(rows) > limit, "url": url}


def _limit(params: Json) -> int:
    limit: int = params.get("limit", 10)
    if limit < 1:
        raise invalid_parameter("This value must be greater than or equal to 1.", "limit", "parameter_invalid_integer")
    if limit > 100:
        raise invalid_parameter("This value must be less than or equal to 100.", "limit", "parameter_invalid_integer")
    return limit


def _candidates(table: Table, params: Json) -> Iterator[Json]:
    """Rows on the asked side of the cursor, nearest to it first."""
    if "starting_after" in params and "ending_before" in params:
        message = "Received both ending_before and starting_after parameters. Please pass in only one."
        raise invalid_parameter(message, "starting_after")
    first, last = table.bounds(_created_bounds(params.get("created")))
    if "starting_after" in params:
        last = min(last, table.place_of(params["starting_after"], param="starting_after"))
    newest_first = "ending_before" not in params
    if not newest_first:
        first = max(first, table.place_of(params["ending_before"], param="ending_before") + 1)
    indexed = next((field for field in table.indexed if field in params), None)
    if indexed is None:
        return table.between(first, last, newest_first=newest_first)
    rows = [row for row in table.by(indexed, params[indexed]) if first <= table.place_of(row["id"]) < last]
    return reversed(rows) if newest_first else iter(rows)


def _created_bounds(created: int | Json | None) -> Json:
    # A bare integer means that very second.
    return {"gte": created, "lte": created} if isinstance(created, int) else created or {}


def _matches(filters: Json, row: Json) -> bool:
    return all(row.get(name) == value for name, value in filters.items())
