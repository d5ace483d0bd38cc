"""Whatever the JSON Schemas of the contract let through, and near misses: each is read or refused by a field's name."""

import json
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as configured
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from models.card_number import holds_card_number
from models.workflow_inputs import problems_of_input
from tests.contract.document import SCHEMAS
from tests.contract.run_examples import EXAMPLES
from workflows.inputs.decoding import INVALID_INPUT, Refused, read, refusal
from workflows.inputs.newer_fields import DATA_CONVERTER
from workflows.inputs.values import problems_of_values

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DEFINITIONS: Mapping[str, Any] = json.loads(SCHEMAS.read_text(encoding="utf-8"))["inputs"]["$defs"]
KINDS = {
    type(value).__name__: type(value)
    for example in EXAMPLES.values()
    for value in (
        example.request,
        *(argument for arguments in example.signals.values() for argument in arguments),
        *(call.takes for call in example.updates.values()),
    )
    if hasattr(value, "__dataclass_fields__")
}
TEXTS = st.text(max_size=30) | st.sampled_from(["", "\0", "4242 4242 4242 4242", "x" * 1001, "\ud800", "2026-11"])
NEAR_MISSES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(st.integers(), max_size=2)


def valid(schema: Mapping[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Return a strategy of what a schema lets through; deep parts that may be left out are."""
    if "$ref" in schema:
        return st.deferred(lambda: valid(DEFINITIONS[str(schema["$ref"]).rpartition("/")[2]], depth + 1))
    if "anyOf" in schema:
        kinds = [one for one in schema["anyOf"] if depth < 3 or one.get("type") == "null"] or schema["anyOf"]
        return st.one_of([valid(one, depth) for one in kinds])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    match schema.get("type"):
        case "object":
            return of_object(schema, depth)
        case "array":
            return st.lists(valid(schema.get("items") or {"type": "string"}, depth), max_size=2)
        case "string":
            return of_text(schema)
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(allow_nan=False)
        case "boolean":
            return st.booleans()
        case _:
            return st.none()


def of_object(schema: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        return st.dictionaries(st.text(max_size=5), valid(schema.get("additionalProperties") or {}, depth), max_size=2)
    parts = {name: valid(part, depth) for name, part in schema["properties"].items()}
    wanted = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in wanted},
        optional={name: part for name, part in parts.items() if name not in wanted},
    )


def of_text(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"]), fullmatch=True)
    match schema.get("format"):
        case "date":
            return st.dates().map(str)
        case "date-time":
            return st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
        case "duration":
            return st.sampled_from(["PT1S", "P1D", "P400D"])
        case _:
            return st.text(max_size=20)


def damaged(good: Any, drawn: random.Random, wrong: Any) -> Any:
    """Put something wrong into one place of an object: a value, a name, or a part of it."""
    if not isinstance(good, dict) or not good:
        return wrong
    name = drawn.choice(sorted(good))
    match drawn.randint(0, 3):
        case 0:
            return {key: value for key, value in good.items() if key != name}
        case 1:
            return {**good, str(wrong)[:70]: wrong}
        case _:
            return {**good, name: damaged(good[name], drawn, wrong)}


def judge(kind: type, message: Any) -> None:
    """Read a message as a workflow reads it. Nothing but words may come of it."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(message).encode("utf-8", "surrogatepass"))
    found = read([payload], [kind])
    problems = list(found.problems) if isinstance(found, Refused) else problems_of_values(found)
    if not isinstance(found, Refused) and not problems:
        problems = problems_of_input(found[0], NOW)
        (written,) = DATA_CONVERTER.payload_converter.to_payloads(found)
        assert read([written], [kind]) == found
    if problems:
        error = refusal(problems)
        assert error.type == INVALID_INPUT or re.fullmatch(r"[a-z_]+", str(error.type))
        assert not holds_card_number(error.message)
        assert all(problem.field for problem in problems)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("times", [12, pytest.param(500, marks=pytest.mark.nightly)])
def test_a_message_by_its_schema_or_nearly_is_taken_in_or_refused_in_words(name: str, times: int) -> None:
    @seed(17)
    @configured(
        max_examples=times, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    @given(valid(DEFINITIONS[name]), st.randoms(use_true_random=False), NEAR_MISSES)
    def one(good: Any, drawn: random.Random, wrong: Any) -> None:
        judge(KINDS[name], good)
        judge(KINDS[name], damaged(good, drawn, wrong))

    one()
