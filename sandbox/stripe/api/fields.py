"""Which fields an answer has: read off the SDK's own resource classes, so that none is forgotten and none invented."""

import builtins
import inspect
import sys
import typing
from types import NoneType
from typing import Any

import stripe
from stripe import ListObject, StripeObject

from sandbox.stripe.api.left_out import LEFT_OUT
from sandbox.stripe.jsontypes import Json


class _Names(dict[str, Any]):
    """Resolves what the SDK imports for type checkers only; what is nowhere to be found is some Stripe object."""

    def __init__(self, module: str) -> None:
        super().__init__()
        self._known = vars(sys.modules[module])

    def __missing__(self, name: str) -> Any:
        if name in self._known or hasattr(builtins, name) or hasattr(typing, name):
            raise KeyError(name)
        return getattr(stripe, name, StripeObject)


_ANNOTATIONS: dict[type[StripeObject], dict[str, Any]] = {}


def annotations_of(resource: type[StripeObject]) -> dict[str, Any]:
    """The resource's own fields with their types, resolved. To be read only: resolving is dear, so it is done once."""
    if resource not in _ANNOTATIONS:
        hints = typing.get_type_hints(resource, localns=_Names(resource.__module__))
        own = inspect.get_annotations(resource)
        _ANNOTATIONS[resource] = {name: hints[name] for name in own if name != "OBJECT_NAME"}
    return _ANNOTATIONS[resource]


def is_optional(hint: Any) -> bool:
    """Whether the field may be null."""
    return NoneType in typing.get_args(hint)


_BLANKS: dict[type[StripeObject], Json] = {}


def _blank(resource: type[StripeObject]) -> Json:
    hints = annotations_of(resource)
    variants = _variants(hints.get("type"))
    left_out = LEFT_OUT.get(resource.__qualname__, frozenset())
    blank: Json = {"id": None, "object": getattr(resource, "OBJECT_NAME", None)}
    blank |= {
        name: None
        for name, hint in hints.items()
        if is_optional(hint) and name not in variants and name not in left_out and not _sent_on_request(hint)
    }
    if "livemode" in hints:
        blank["livemode"] = False
    return blank if "id" in hints else {name: value for name, value in blank.items() if name in hints}


def blank(resource: type[StripeObject]) -> Json:
    """A new object of the resource with every field that is null until it has a value; the rest is the caller's."""
    if resource not in _BLANKS:
        _BLANKS[resource] = _blank(resource)
    return _BLANKS[resource].copy()


def _variants(hint: Any) -> frozenset[str]:
    # A payment method has one hash per kind of method, and the API sends the one that its `type` names.
    if hint is None:
        return frozenset()
    literals = [member for member in (hint, *typing.get_args(hint)) if typing.get_origin(member) is typing.Literal]
    return frozenset(value for literal in literals for value in typing.get_args(literal))


def _sent_on_request(hint: Any) -> bool:
    """Whether the API leaves the field out: lists within objects come by `expand`, `deleted` on deletion only."""
    members = typing.get_args(hint)
    return any(typing.get_origin(member) is ListObject or member == typing.Literal[True] for member in members)
