"""Holds whole answers and events against Stripe's OpenAPI."""

from functools import cache
from typing import Any

from sandbox.stripe.openapi.specification import Schema, answer_schema, error_schema, operation_of, schemas
from sandbox.stripe.openapi.validation import differences


def answer_differences(method: str, path: str, status: int, answer: Any) -> list[str]:
    """A line for each way in which an answer differs from the document."""
    name = f"{method} {path} -> {status}"
    if status != 200:
        return differences(error_schema(), answer, name)
    operation = operation_of(method, path)
    return [f"{name} is unknown"] if operation is None else differences(answer_schema(operation), answer, name)


def event_differences(event: dict[str, Any]) -> list[str]:
    """A line for each way in which an event, or the object in it, differs from the document."""
    about = event["data"]["object"]
    schema = _by_object_name().get(about["object"])
    if schema is None:
        return [f"{event['type']}: {about['object']} is unknown"]
    return differences(schemas()["event"], event, event["type"]) + differences(schema, about, event["type"])


@cache
def _by_object_name() -> dict[str, Schema]:
    """The objects of the API by the name that they bear, which is not always that of their schema."""
    named = ((each.get("properties", {}).get("object", {}).get("enum"), each) for each in schemas().values())
    return {names[0]: each for names, each in named if names and "deleted" not in each.get("required", ())}
