"""What is wrong with a document of any kind is said in words that its writer knows, at a place that he has written."""

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from activities.configuration.document import DefinitionsDocument
from activities.document_words import TYPES, in_words
from activities.documents import DocumentPart, document_problems, read_document
from activities.reductions.merchants import MerchantsDocument
from activities.reports.schedule_document import ReportScheduleDocument
from models.problem import RefusedError
from tests.house.source import ROOT

# Words of whoever programs, and of pydantic's grammar.
PROGRAMMERS = re.compile(
    r"\b(valid|validation|instance|tuple|set|frozenset|dictionary|dict|input|parse|parsing|timedelta|string|"
    r"Decimal|float|bool|boolean|integer|pattern|regex|NoneType|object has no)\b|\^|\$"
)
# And those that no place in a document has.
KINDS = re.compile(r"\[|\b(str|function|literal|constrained|union)\b")
MISSING = object()
WRONG: tuple[object, ...] = (
    MISSING,
    -1,
    10**30,
    True,
    "",
    "no such",
    "99999999999999999999.99",
    [],
    [1, "a"],
    {},
    {"a": 1},
    None,
    Decimal("1.23456789"),
    Decimal("NaN"),
    date(2026, 1, 1),
    "é" * 5000,
)
SCHEDULE = """
id = "weekly"
report = "payments"
recipients = ["maria@example.com"]
[filters]
currency = "EUR"
[schedule]
weekday = "monday"
hour = 6
time_zone = "Europe/Nicosia"
"""
Place = tuple[str | int, ...]


def written(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)


DEFINITIONS = written((ROOT / "docs" / "definitions.example.toml").read_text(encoding="utf-8"))
MERCHANTS = written((ROOT / "docs" / "merchants.example.toml").read_text(encoding="utf-8"))
DOCUMENTS: Mapping[str, tuple[type[DocumentPart], dict[str, Any]]] = {
    **{f"definitions, {table}": (DefinitionsDocument, {table: DEFINITIONS[table]}) for table in DEFINITIONS},
    **{f"merchants, {table}": (MerchantsDocument, {table: MERCHANTS[table]}) for table in MERCHANTS},
    "report": (ReportScheduleDocument, written(SCHEDULE)),
}


def wrong_documents(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a document with one thing wrong, for each place of which there is no other like it."""
    known: set[Place] = set()
    for place in places(content, ()):
        alike = tuple(name for name in place if isinstance(name, str))
        if alike in known:
            continue
        known.add(alike)
        for wrong in WRONG:
            given = copy.deepcopy(content)
            at = given
            for name in place[:-1]:
                at = at[name]  # type: ignore[index]
            if wrong is MISSING:
                del at[place[-1]]  # type: ignore[arg-type]
            else:
                at[place[-1]] = wrong  # type: ignore[index]
            yield given


def places(value: object, at: Place) -> Iterator[Place]:
    """Yield the place of everything in a document; of a list's entries, those of the first two."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*at, name)
        yield from places(one, (*at, name))


# A calendar is tried on 28 years of days.
CALENDARS = ("definitions, run_definitions", "report")


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.nightly] if one in CALENDARS else []) for one in DOCUMENTS]
)
def test_whatever_is_wrong_has_words_and_a_place_that_was_written(name: str) -> None:
    kind, content = DOCUMENTS[name]
    found = set()
    for given in wrong_documents(content):
        try:
            kind.model_validate(given)
        except ValidationError as error:
            found |= {(one.field, one.message) for one in document_problems(error, content=given, kind=kind)}

    assert found
    assert {(place, words) for place, words in found if PROGRAMMERS.search(words) or KINDS.search(place)} == set()


@pytest.mark.parametrize("type_", TYPES)
def test_each_kind_of_problem_has_words_of_its_own(type_: str) -> None:
    words = in_words({"type": type_, "loc": ("a",), "msg": "Input should be a valid thing"})

    assert words == f"must be {TYPES[type_]}"


@pytest.mark.parametrize(
    ("name", "text", "field", "rule", "words"),
    [
        (
            "a.toml",
            '[ledger]\nallocation_principle = "fifo"\nallocation_principle = "fifo"',
            "document",
            "toml",
            "Cannot overwrite",
        ),
        ("a.json", '{"ledger": {"due_date_rule": "a", "due_date_rule": "b"}}', "due_date_rule", "once", "stands twice"),
        ("a.JSON", '{"ledger": {"due_date_rule": "a",}}', "document", "json", "line 1"),
        ("a.yaml", "ledger:\n  due_date_rule: a\n", "document", "toml", "a document is TOML, or JSON in a file *.json"),
        ("a.toml", f"[alert_rules]\nfailures_min = {'9' * 5000}", "document", "digits", "too many digits"),
        ("a.json", f'{{"alert_rules": {{"failures_min": {"9" * 5000}}}}}', "document", "digits", "too many digits"),
        ("a.json", '{"alert_rules": {"unusual_factor": NaN}}', "alert_rules.unusual_factor", "finite_number", "number"),
    ],
)
def test_a_file_that_is_no_document_is_refused_with_what_it_is_not(
    tmp_path: Path, name: str, text: str, field: str, rule: str, words: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(RefusedError) as refused:
        read_document(tmp_path / name, DefinitionsDocument)

    ((problem),) = refused.value.problems
    assert (problem.field, problem.rule, words in problem.message) == (field, rule, True)
