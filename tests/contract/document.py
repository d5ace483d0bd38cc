"""The contract's document and its JSON Schemas, made from the workflows. As a program, writes both."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from models.money import AMOUNT_MINOR_MAX
from models.workflow_inputs import TEXT_RULES
from tests.contract.errors import ERRORS, OF_EVERY_WORKFLOW
from tests.contract.foreign import NAMES, REGISTERED, plain
from tests.contract.run_examples import EXAMPLES
from tests.house.source import ROOT
from workflows.inputs.starts import STARTS
from workflows.inputs.values import TEXT_MAX
from workflows.visibility import SEARCH_ATTRIBUTES

DOCUMENT = ROOT / "docs" / "contract.md"
SCHEMAS = ROOT / "docs" / "contract.schema.json"

INTRODUCTION = ROOT / "tests" / "contract" / "introduction.txt"


def document() -> str:
    """Return what docs/contract.md must say."""
    parts = [
        INTRODUCTION.read_text(encoding="utf-8"),
        _search_attributes(),
        _errors("## Errors of every workflow", OF_EVERY_WORKFLOW),
    ]
    parts += [_workflow(name) for name in NAMES]
    return "\n".join(part.strip() + "\n" for part in parts)


def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of everything that goes in and comes out, and which handler has which."""
    strict = ConfigDict(extra="forbid", strict=True)
    inputs = _bounded(_definitions({type(value) for value in _inputs()}, strict))
    for kind, rules in TEXT_RULES.items():
        for name, rule in rules.items():
            properties = inputs[kind.__name__]["properties"][name]
            place = properties["items"] if rule.is_for_lists else properties
            place["pattern"] = f"^{rule.pattern}$"
            place.pop("maxLength", None)
    results = _definitions(
        {type(value) for value in _results() if hasattr(value, "__dataclass_fields__")}, ConfigDict()
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "inputs": {"$defs": inputs},
        "results": {"$defs": results},
    }


def _definitions(kinds: set[type], config: ConfigDict) -> dict[str, Any]:
    named = sorted((kind for kind in kinds if hasattr(kind, "__dataclass_fields__")), key=lambda kind: kind.__name__)
    adapters = [(kind.__name__, "validation", TypeAdapter(tuple[kind], config=config)) for kind in named]  # type: ignore[valid-type]
    _, found = TypeAdapter.json_schemas(adapters)  # type: ignore[arg-type]  # the mode is one of the two
    return dict(sorted(found["$defs"].items()))


def _bounded(schema: Any) -> Any:
    """Add to every text and integer what none may be beyond (workflows/inputs/values.py)."""
    if isinstance(schema, list):
        return [_bounded(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    bounds: dict[str, Any] = {}
    if schema.get("type") == "string" and not {"enum", "const", "format"} & schema.keys():
        bounds = {"maxLength": TEXT_MAX}
    elif schema.get("type") == "integer":
        bounds = {"minimum": -AMOUNT_MINOR_MAX, "maximum": AMOUNT_MINOR_MAX}
    return {name: _bounded(value) for name, value in schema.items()} | bounds


def _inputs() -> Iterator[Any]:
    for example in EXAMPLES.values():
        yield example.request
        yield from (argument for arguments in example.signals.values() for argument in arguments)
        yield from (call.takes for call in example.updates.values())


def _results() -> Iterator[Any]:
    for example in EXAMPLES.values():
        yield example.result
        yield from (call.returns for call in (*example.updates.values(), *example.queries.values()))


def _search_attributes() -> str:
    rows = "".join(
        f"| `{key.name}` | {key.indexed_value_type.name.replace('_', ' ').lower()} |\n" for key in SEARCH_ATTRIBUTES
    )
    return f"## Search attributes\n\n| Attribute | Type |\n|---|---|\n{rows}"


def _errors(title: str, errors: Mapping[str, str]) -> str:
    rows = "".join(f"| `{kind}` | {meaning} |\n" for kind, meaning in errors.items())
    return f"{title}\n\n| Type | Means |\n|---|---|\n{rows}"


def _workflow(name: str) -> str:
    example, definition, start = EXAMPLES[name], REGISTERED[name], STARTS[name]
    about = (definition.cls.__doc__ or "").strip().splitlines()[0]
    by_whom = "Started by Duly's own workflows alone." if start.is_of_duly else ""
    reserved = f"Given by Duly alone: {', '.join(f'`{field}`' for field in start.of_duly)}." if start.of_duly else ""
    parts = [
        f"## {name}",
        " ".join(filter(None, (about, by_whom))),
        f"Id `{start.id_of(example.request)}`, {_taking(example.request)}",
        _shown(example.request),
        reserved,
        f"It returns {_named(example.result)}:" if example.result is not None else "It returns nothing.",
        _shown(example.result),
        *(_signal(signal, example.signals[signal.name]) for signal in _sorted(definition.signals)),
        *(_update(update, example.updates[update.name]) for update in _sorted(definition.updates)),
        *(_query(query, example.queries[query.name]) for query in _sorted(definition.queries)),
        _errors("Errors:", ERRORS[name]) if ERRORS[name] else "",
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _sorted(handlers: Mapping[str | None, Any]) -> list[Any]:
    return [handlers[name] for name in sorted(name for name in handlers if name and not name.startswith("__"))]


def _signal(signal: Any, arguments: tuple[Any, ...]) -> str:
    takes = ", ".join(_named(argument) for argument in arguments) or "nothing"
    return f"**Signal `{signal.name}`** takes {takes}. {signal.description}\n\n" + "\n\n".join(map(_shown, arguments))


def _update(update: Any, call: Any) -> str:
    verb = "takes, where something is to be said," if call.may_take else "takes"
    takes = f"{verb} {_named(call.takes)}" if call.takes is not None else "takes nothing"
    head = f"**Update `{update.name}`** {takes} and returns {_named(call.returns)}. {update.description}"
    return "\n\n".join(filter(None, (head, _shown(call.takes), _shown(call.returns))))


def _query(query: Any, call: Any) -> str:
    return f"**Query `{query.name}`** returns {_named(call.returns)}. {query.description}\n\n{_shown(call.returns)}"


def _taking(request: Any) -> str:
    return f"of this input, {_named(request)}:" if request is not None else "without any input."


def _named(value: Any) -> str:
    return f"a `{_name(value)}`"


def _name(value: Any) -> str:
    simple = {str: "string", bool: "boolean", int: "integer", dict: "object of integers"}
    return simple.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    """Show an example; what has its default is left out of inputs, as a client leaves it out."""
    if value is None:
        return ""
    return f"```json\n{json.dumps(plain(value), ensure_ascii=False)}\n```"


def as_json(schema: Mapping[str, Any]) -> str:
    """Write the schemas as the file has them."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    SCHEMAS.write_text(as_json(schemas()), encoding="utf-8")
    sys.stdout.write(f"wrote {DOCUMENT.name} and {SCHEMAS.name}\n")
