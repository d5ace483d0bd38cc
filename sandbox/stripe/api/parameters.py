"""Reads request parameters and checks them against the SDK's own parameter types, compiled once into functions."""

import re
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from stripe import RequestOptions, StripeObject
from typing_extensions import is_typeddict

from sandbox.stripe.api.errors import METADATA_KEYS_MAX, ApiError, invalid_parameter, too_many_metadata_keys
from sandbox.stripe.jsontypes import Json

Check = Callable[[Any, str], Any]
"""Takes a decoded value and the name it came by; gives the typed value or raises Stripe's error."""

_INTEGER = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_KEY_PARTS = re.compile(r"\[([^\]]*)\]")
_LENGTH_MAX = 5000
_METADATA_KEY_LENGTH_MAX = 40
_METADATA_VALUE_LENGTH_MAX = 500
_SDK_NAMES = {"StripeContext": object, "Mapping": Mapping}


def decode(encoded: bytes) -> Json:
    """A form body or query string as nested hashes: `a[b][0]=c` becomes {"a": {"b": {"0": "c"}}}."""
    tree: Json = {}
    for key, value in parse_qsl(encoded.decode(), keep_blank_values=True):
        bracket = key.find("[")
        if bracket < 0:
            tree[key] = value
            continue
        _plant(tree, key, [key[:bracket], *_KEY_PARTS.findall(key[bracket:])], value)
    return tree


def _plant(tree: Json, key: str, parts: list[str], value: str) -> None:
    node = tree
    for part in parts[:-1]:
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise invalid_parameter(f"Invalid hash: {child}", key)
        node = child
    last = parts[-1] or str(len(node))
    node[last] = value


class Shape:
    """The check of one TypedDict: unknown keys are refused, required ones demanded, the others typed."""

    def __init__(self, typed_dict: type) -> None:
        self._typed_dict = typed_dict
        self._checks: dict[str, Check] | None = None

    def compile(self) -> dict[str, Check]:
        """The checks by name, made on first use: most nested types are never asked for."""
        if self._checks is None:
            hints = typing.get_type_hints(self._typed_dict, localns=_SDK_NAMES)
            names = hints.keys() - RequestOptions.__annotations__.keys()
            self._checks = {name: _compile(hints[name], name) for name in names}
        return self._checks

    @property
    def required(self) -> frozenset[str]:
        return frozenset(getattr(self._typed_dict, "__required_keys__", ()))

    def check(self, values: Any, prefix: str = "") -> Json:
        """The typed parameters, or the error that names the offending one."""
        if not isinstance(values, dict):
            raise invalid_parameter("Invalid object", prefix)
        checks = self._checks or self.compile()
        if not values.keys() <= checks.keys():
            raise _unknown([_named(prefix, name) for name in values if name not in checks])
        for name in self.required:
            if name not in values:
                path = _named(prefix, name)
                raise invalid_parameter(f"Missing required param: {path}.", path, "parameter_missing")
        return {name: checks[name](value, _named(prefix, name)) for name, value in values.items()}


@cache
def shape(typed_dict: type) -> Shape:
    """The one check of this TypedDict."""
    return Shape(typed_dict)


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _unknown(names: list[str]) -> ApiError:
    plural = "s" if len(names) > 1 else ""
    return invalid_parameter(f"Received unknown parameter{plural}: {', '.join(names)}", names[0], "parameter_unknown")


def _compile(hint: Any, name: str) -> Check:
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union or origin is type(int | str):
        return _union(members, name)
    if origin is typing.Literal:
        return _enumeration(members)
    if origin is list:
        return _sequence(_compile(members[0], name))
    if origin is dict:
        return _metadata if name == "metadata" else _mapping(_compile(members[1], name))
    if is_typeddict(hint):
        return shape(hint).check
    return _SCALARS[hint]


def _union(members: tuple[Any, ...], name: str) -> Check:
    """One check for a union: '' unsets where allowed, hashes and lists go by their form, words before numbers.

    The SDK writes enumerations as `Literal[...] | str` so that it outlives new values; the API itself refuses a
    value that it does not know, and so does this.
    """
    members = tuple(member for member in members if not _is_sdk_object(member) and member is not type(None))
    literals = tuple(value for member in members for value in typing.get_args(member) if _is_literal(member))
    unsettable, words = "" in literals, tuple(value for value in literals if value != "")
    nested = [_compile(member, name) for member in members if _is_nested(member)]
    scalars = [member for member in members if not _is_nested(member) and not _is_literal(member)]
    if words:
        scalars = [member for member in scalars if member is not str]
    checks = [_enumeration(words)] if words else []
    checks += [_SCALARS[member] for member in scalars]

    def check(value: Any, path: str) -> Any:
        if value == "" and unsettable:
            return None
        if isinstance(value, dict) and nested:
            return _first(nested, value, path)
        return _first(checks or nested, value, path)

    return check


def _first(checks: Iterable[Check], value: Any, path: str) -> Any:
    """What the first agreeing check makes of the value; when none agrees, the last one's error."""
    *others, last = checks
    for check in others:
        with suppress(ApiError):
            return check(value, path)
    return last(value, path)


def _is_literal(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Literal


def _is_nested(hint: Any) -> bool:
    return typing.get_origin(hint) in {list, dict} or is_typeddict(hint)


def _is_sdk_object(hint: Any) -> bool:
    # The SDK also takes its own objects where it takes a hash; on the wire they look the same.
    plain = typing.get_origin(hint) or hint
    return isinstance(plain, type) and issubclass(plain, StripeObject)


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise invalid_parameter(f"Invalid string: {value}", path)
    if len(value) > _LENGTH_MAX:
        raise invalid_parameter(f"Invalid string: {value[:10]}...; must be at most {_LENGTH_MAX} characters", path)
    if not value:
        message = (
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter;"
            f" however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty"
            " value."
        )
        raise invalid_parameter(message, path, "parameter_invalid_empty")
    return value


def _integer(value: Any, path: str) -> int:
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise invalid_parameter(f"Invalid integer: {value}", path, "parameter_invalid_integer")
    return int(value)


def _boolean(value: Any, path: str) -> bool:
    if value not in {"true", "false"} if isinstance(value, str) else True:
        raise invalid_parameter(f"Invalid boolean: {value}", path)
    return bool(value == "true")


def _decimal(value: Any, path: str) -> Decimal:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise invalid_parameter(f"Invalid decimal: {value}", path)
    return Decimal(value)


def _anything(value: Any, path: str) -> Any:
    del path
    return value


_SCALARS: dict[Any, Check] = {
    str: _string,
    int: _integer,
    bool: _boolean,
    float: _decimal,
    Decimal: _decimal,
    datetime: _integer,
    object: _anything,
    Any: _anything,
}


def _enumeration(words: tuple[Any, ...]) -> Check:
    known = frozenset(words)
    listing = f"{', '.join(words[:-1])}, or {words[-1]}" if len(words) > 1 else str(words[0])

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, str) or value not in known:
            raise invalid_parameter(f"Invalid {path}: must be one of {listing}", path)
        return value

    return check


def _sequence(item: Check) -> Check:
    def check(value: Any, path: str) -> list[Any]:
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise invalid_parameter("Invalid array", path)
        return [item(value[key], f"{path}[{key}]") for key in sorted(value, key=int)]

    return check


def _mapping(item: Check) -> Check:
    def check(value: Any, path: str) -> Json:
        if not isinstance(value, dict):
            raise invalid_parameter("Invalid object", path)
        return {key: item(each, f"{path}[{key}]") for key, each in value.items()}

    return check


def _metadata(value: Any, path: str) -> Json:
    """Key-value pairs within Stripe's limits; an empty value asks to unset its key."""
    if not isinstance(value, dict) or any(not isinstance(each, str) for each in value.values()):
        raise invalid_parameter("Invalid object", path)
    if len(value) > METADATA_KEYS_MAX:
        raise too_many_metadata_keys(path)
    for key, each in value.items():
        if not key:
            raise invalid_parameter("Metadata keys cannot be empty.", path)
        if len(key) > _METADATA_KEY_LENGTH_MAX:
            raise invalid_parameter(f"Metadata keys can have up to {_METADATA_KEY_LENGTH_MAX} characters.", path)
        if len(each) > _METADATA_VALUE_LENGTH_MAX:
            raise invalid_parameter(
                f"Metadata values can have up to {_METADATA_VALUE_LENGTH_MAX} characters, but you passed in a value"
                f" that is {len(each)} characters.",
                f"{path}[{key}]",
            )
    return value
