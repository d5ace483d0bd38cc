"""Saved views above the list that they are of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Row

from web.context import Visit

# A view without days keeps those that are shown.
DAYS = ("from", "to")


@dataclass(frozen=True)
class ViewLink:
    """A view as it stands above its list: its address is the list's with its filters, so that it can be mailed."""

    name: str
    href: str
    is_shared: bool
    is_shown: bool


async def views_above(visit: Visit, noun: str, given: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what a list's page says of its views: the links, and where what is shown is kept or views are changed."""
    found = await visit.web.views.of(visit.user, noun)
    links = [_link(noun, one, given) for one in found]
    return {
        "views": links,
        "view_keep": "" if any(one.is_shown for one in links) else _keep(noun, given),
        # With what is shown, so that the way back is to it: some lists are of nothing without a filter.
        "view_change": (_keep(noun, given) or f"/views/{noun}") if links else "",
    }


def address_of(noun: str, filters: Mapping[str, str]) -> str:
    """Return the address of a list with filters."""
    query = urlencode({name: value for name, value in filters.items() if value})
    return f"/{noun}?{query}" if query else f"/{noun}"


def _link(noun: str, view: Row[Any], given: Mapping[str, str]) -> ViewLink:
    # A filter that the list has no more narrows nothing.
    filters = {name: value for name, value in view.filters.items() if name in given}
    shown = {name: value for name, value in given.items() if value}
    if not any(name in filters for name in DAYS):
        filters |= {name: shown[name] for name in DAYS if name in shown}
    return ViewLink(view.name, address_of(noun, filters), view.is_shared, filters == shown)


def _keep(noun: str, given: Mapping[str, str]) -> str:
    return address_of(f"views/{noun}", given) if any(given.values()) else ""
