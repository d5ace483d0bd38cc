"""Holds an answer, an event or a request against Stripe's OpenAPI, field by field."""

from typing import Any

from stripe import StripeObject

from sandbox.stripe.api.fields import annotations_of
from sandbox.stripe.api.resources import RESOURCES
from sandbox.stripe.openapi.specification import Schema, resolved

_KINDS: dict[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "string": str,
}

# The document is older than the SDK: what only the SDK knows of an object is not unknown.
_OF_THE_SDK: dict[str, type[StripeObject]] = {
    getattr(resource, "OBJECT_NAME", ""): resource for resource in RESOURCES.values()
}

# The same within an object, which bears no name by which the SDK's class could be found.
_NEWER = {"network", "submission_method"}


def differences(schema: Schema, value: Any, path: str) -> list[str]:
    """A line for each field that is missing, null, unknown, or not what the document says."""
    schema = resolved(schema)
    if value is None:
        return [] if schema.get("nullable") else [f"{path} is null"]
    if "anyOf" in schema:
        return _of_any(schema["anyOf"], value, path)
    kind = _KINDS.get(schema.get("type", ""), object)
    if not isinstance(value, kind) or (isinstance(value, bool) and schema.get("type") != "boolean"):
        return [f"{path} is {value!r}, no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is {value!r}, none of its values"]
    if isinstance(value, list):
        return [line for each in value for line in differences(schema["items"], each, f"{path}[]")]
    return _of_object(schema, value, path) if isinstance(value, dict) else []


def _of_any(members: list[Schema], value: Any, path: str) -> list[str]:
    """Nothing if one member fits, else what the likeliest member finds wrong."""
    found = [differences(member, value, path) for member in _likely(members, value)]
    return min(found, key=len) if found else [f"{path} is {value!r}, none of its kinds"]


def _likely(members: list[Schema], value: Any) -> list[Schema]:
    if not isinstance(value, dict):
        return [member for member in members if "$ref" not in member]
    named = [member for member in members if _object_name(member) == value.get("object")]
    deleted = [
        member for member in named if ("deleted" in resolved(member).get("required", ())) == ("deleted" in value)
    ]
    return deleted or named or members


def _object_name(schema: Schema) -> str | None:
    names = resolved(schema).get("properties", {}).get("object", {}).get("enum")
    return names[0] if names else None


def _of_object(schema: Schema, value: dict[str, Any], path: str) -> list[str]:
    properties = schema.get("properties")
    if properties is None:
        return []
    missing = [f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value]
    unknown = value.keys() - properties.keys() - _known_to_the_sdk(value)
    found = missing + [f"{path}.{name} is unknown" for name in sorted(unknown)]
    for name in properties.keys() & value.keys():
        found += differences(properties[name], value[name], f"{path}.{name}")
    return found


def _known_to_the_sdk(value: dict[str, Any]) -> set[str]:
    resource = _OF_THE_SDK.get(str(value.get("object")))
    return set(annotations_of(resource)) if resource else _NEWER
