"""Holds an answer against the SDK's own classes: every field that the API always sends, each of its type."""

import typing
from types import NoneType, UnionType
from typing import Any

from stripe import ListObject, StripeObject
from stripe._stripe_object import UntypedStripeObject

from sandbox.stripe.api.fields import annotations_of, is_optional


def violations(resource: type[StripeObject], payload: dict[str, Any], path: str = "") -> list[str]:
    """A line for each field that is missing, or is not what the resource's annotations say."""
    path = path or resource.__name__
    found: list[str] = []
    for name, hint in annotations_of(resource).items():
        if name not in payload:
            if not is_optional(hint):
                found.append(f"{path}.{name} is missing")
        elif not _fits(hint, payload[name], f"{path}.{name}", found):
            found.append(f"{path}.{name} is {payload[name]!r}, not {hint}")
    found += [f"{path}.{name} is unknown" for name in payload.keys() - annotations_of(resource).keys()]
    return found


def _fits(hint: Any, value: Any, path: str, found: list[str]) -> bool:
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, UnionType}:
        return any(_fits(member, value, path, found) for member in members)
    if hint in {NoneType, None}:
        return value is None
    if origin is typing.Literal:
        return value in members
    if origin is list:
        return isinstance(value, list) and all(_fits(members[0], each, f"{path}[]", found) for each in value)
    if origin in {dict, UntypedStripeObject, ListObject} or hint in {UntypedStripeObject, StripeObject, typing.Any}:
        return isinstance(value, dict)
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        if isinstance(value, dict):
            found += violations(hint, value, path)
        return isinstance(value, dict)
    return type(value) is hint or (hint is float and isinstance(value, int))
