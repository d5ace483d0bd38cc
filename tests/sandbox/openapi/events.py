"""Holds every event of the sandbox, and the object in it, against Stripe's OpenAPI."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson

from sandbox.stripe.state.account_state import AccountState
from tests.sandbox.openapi.specification import Schema, schemas
from tests.sandbox.openapi.validation import differences


@cache
def _by_object_name() -> dict[str, Schema]:
    """The objects of the API by the name that they bear, which is not always that of their schema."""
    named = ((each.get("properties", {}).get("object", {}).get("enum"), each) for each in schemas().values())
    return {names[0]: each for names, each in named if names and "deleted" not in each.get("required", ())}


def event_differences(states: Iterable[AccountState]) -> list[str]:
    """A line for each difference in an event of these accounts."""
    return [line for state in states for event in list(state.events) for line in _of_event(orjson.dumps(event))]


def _of_event(encoded: bytes) -> list[str]:
    event: dict[str, Any] = orjson.loads(encoded)
    about = event["data"]["object"]
    schema = _by_object_name().get(about["object"])
    if schema is None:
        return [f"{event['type']}: {about['object']} is unknown"]
    return differences(schemas()["event"], event, event["type"]) + differences(schema, about, event["type"])
