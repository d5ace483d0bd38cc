"""The JSON Schema of the definitions document, made from its model. As a program, writes it."""

import json
import sys
from typing import Any

from activities.configuration.document import DefinitionsDocument
from tests.house.source import ROOT

SCHEMA = ROOT / "docs" / "definitions.schema.json"


def schema() -> dict[str, Any]:
    """Return what docs/definitions.schema.json must say: every field and every rule that concerns one field alone."""
    made = DefinitionsDocument.model_json_schema(mode="validation")
    parts = made["$defs"]
    # A policy is written with its segment beside its own fields; its version is counted, and its id has no default.
    policy, segment = parts.pop("DunningPolicy"), parts["Policy"]["properties"]["segment"]
    fields = {name: _without_format(field) for name, field in policy["properties"].items() if name != "version"}
    parts["Policy"] |= {"properties": {**fields, "segment": segment}, "required": ["id"]}
    # What is to have no schedule says so.
    parts["RunDefinition"]["properties"]["schedule"]["anyOf"].append({"const": "none"})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _without_format(field: Any) -> Any:
    """Durations may be written "3 days", which is none to a validator of ISO 8601."""
    if isinstance(field, list):
        return [_without_format(each) for each in field]
    if not isinstance(field, dict):
        return field
    return {name: _without_format(value) for name, value in field.items() if (name, value) != ("format", "duration")}


def written() -> str:
    """Return the file's text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(written(), encoding="utf-8")
    sys.stdout.write(f"wrote {SCHEMA.name}\n")
