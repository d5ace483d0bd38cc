"""The document of the configuration, by itself: each field and rule that is wrong is named, without a database."""

import json
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from activities.configuration.document import DefinitionsDocument
from activities.document_words import PATTERNS
from activities.documents import document_problems, read_document
from models.problem import RefusedError
from tests.configuration.schema import SCHEMA, schema, written
from tests.house.source import ROOT

TYPE = '[[transaction_types]]\nid = "{}"\n'
ACCOUNT = '[[internal_accounts]]\nid = "{}"\nname = "A"\ncurrency = "{}"\n'
RULE = '[[due_date_rules]]\nid = "r"\n'
PROVIDER = '[[providers]]\nid = "stripe"\nmode = "test"\ncurrencies = ["EUR", "JPY", "KWD"]\n'


def read(text: str) -> DefinitionsDocument:
    return DefinitionsDocument.model_validate(tomllib.loads(text, parse_float=Decimal))


SEGMENT = '[[segments]]\nid = "s"\nname = "S"\nabout = "accounts"\n[segments.criteria]\n'
MESSAGE_TEMPLATE = (
    '[[message_templates]]\nid = "t"\nname = "T"\nabout = "accounts"\n'
    '[message_templates.texts.en]\nsubject = "S"\ntext = "{}"'
)


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        (TYPE.format("gift") + 'classification = "gift"', "transaction_types.0.classification", "enum"),
        (TYPE.format("payment") + "payment_methods = []", "transaction_types.0.payment_methods", "too_short"),
        (TYPE.format("payment") + 'payment_methods = ["cash", "cash"]', "transaction_types.0", "value_error"),
        (TYPE.format("payment") + 'categories = ["a", "a"]', "transaction_types.0", "value_error"),
        (TYPE.format("payment") + "default = true\nactive = false", "transaction_types.0", "value_error"),
        (TYPE.format("payment") + "per_year = true", "transaction_types.0", "value_error"),
        (RULE, "due_date_rules.0", "value_error"),
        (RULE + "number_of_days = 10\nday_of_month = 1", "due_date_rules.0", "value_error"),
        (RULE + "day_of_month = 32\nafter_months = 1", "due_date_rules.0.day_of_month", "less_than_equal"),
        (
            RULE + 'number_of_days = 3\nproximity_operator = "minus"\nproximity_days = 5',
            "due_date_rules.0",
            "value_error",
        ),
        ('[ledger]\nallocation_principle = "lifo"', "ledger.allocation_principle", "enum"),
        (ACCOUNT.format("own", "EURO"), "internal_accounts.0.currency", "value_error"),
        ("[card_rules]\nwarn_days = [7, 30]", "card_rules", "value_error"),
        ("[alert_rules]\nfailures_min = 1", "alert_rules.failures_min", "greater_than_equal"),
        ('[approval_rules]\nrefunds = { EUR = "-0.01" }', "approval_rules", "value_error"),
        ('[approval_rules]\nrefunds = { XXQ = "1.00" }', "approval_rules.refunds.XXQ", "value_error"),
        ('[approval_rules]\nrefunds = { EUR = "0.001" }', "approval_rules", "value_error"),
        ("[approval_rules]\nexpire_hours = 0", "approval_rules.expire_hours", "greater_than_equal"),
        ("[refund_rules]\nwatch_days = -1", "refund_rules.watch_days", "greater_than_equal"),
        ("[[reminder_rules]]\ndays_after = [1, 1]", "reminder_rules.0", "value_error"),
        ("[[reminder_rules]]\n[[reminder_rules]]\n", "document", "value_error"),
        (
            '[[card_networks]]\nbrand = "visa"\ndeclines_max = 0\ndays = 1',
            "card_networks.0.declines_max",
            "greater_than_equal",
        ),
        (SEGMENT + 'types = ["invoice"]', "segments.0", "value_error"),
        (SEGMENT + "within_days = 9", "segments.0.criteria", "value_error"),
        (SEGMENT + 'minimum_paid = { EUR = "2" }\nmaximum_paid = { EUR = "1" }', "segments.0.criteria", "value_error"),
        (SEGMENT + 'minimum_balance = { JPY = "0.5" }', "segments.0.criteria", "value_error"),
        (SEGMENT + 'states = ["posted"]', "segments.0", "value_error"),
        (MESSAGE_TEMPLATE.replace("{}", "#{iban}"), "message_templates.0", "value_error"),
        (MESSAGE_TEMPLATE.replace("{}", "#{name"), "message_templates.0", "value_error"),
        ('whole = ["providers"]', "whole.0", "literal_error"),
        (PROVIDER + 'minimums = { EUR = "1.005" }', "providers.0", "value_error"),
        (PROVIDER + 'minimums = { JPY = "100.5" }', "providers.0", "value_error"),
        (PROVIDER + 'minimums = { KWD = "1.0005" }', "providers.0", "value_error"),
    ],
)
def test_a_document_with_a_fault_is_refused_with_field_and_rule(text: str, field: str, rule: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(text)

    assert [(problem.field, problem.rule) for problem in document_problems(refused.value)] == [(field, rule)]


RUN = '[[run_definitions]]\nid = "cards"\nkind = "payment"\nname = "Cards"\n'


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (RUN.replace("name", "title"), "run_definitions.0.name", "is required"),
        (RUN.replace("name", "title"), "run_definitions.0.title", "is no field here; it may have criteria, "),
        (RUN + "schedule = { day = 1, huor = 4 }", "run_definitions.0.schedule.huor", "it may have day, "),
        ("[card_rules]\nwarning = 1", "card_rules.warning", "action_days"),
        ("[[sellers]]\nid = 'cards'\ncountry = 'de'", "sellers.0.country", "must be two capital letters"),
        (
            RUN + "schedule = { day = 1, hour = 26 }",
            "run_definitions.0.schedule.hour",
            "must be less than or equal to 23",
        ),
        (PROVIDER.replace("test", "production"), "providers.0.mode", "must be 'test' or 'live'"),
    ],
)
def test_what_is_wrong_with_a_document_is_said_in_words_with_the_id_of_the_entry(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    document = tmp_path / "definitions.toml"
    document.write_text(text, encoding="utf-8")

    with pytest.raises(RefusedError) as refused:
        read_document(document, DefinitionsDocument)

    (problem,) = (problem for problem in refused.value.problems if problem.field == place)
    assert words in problem.message
    assert problem.id == {"card_rules": "", "providers": "stripe"}.get(place.split(".", maxsplit=1)[0], "cards")


def test_every_pattern_of_the_document_has_words() -> None:
    patterns = {found["pattern"] for found in objects_in(schema()) if isinstance(found.get("pattern"), str)}

    assert {pattern for pattern in patterns if pattern not in PATTERNS} == set()


def objects_in(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from objects_in(inner)


def test_the_schema_of_the_document_is_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == written(), "run `python -m tests.configuration.schema`"


@pytest.mark.nightly
def test_an_editor_that_knows_the_schema_takes_the_example_and_finds_a_fault() -> None:
    from jsonschema import Draft202012Validator  # it builds grammars when it is imported

    example = tomllib.loads((ROOT / "docs" / "definitions.example.toml").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema())

    good = list(validator.iter_errors(json.loads(json.dumps(example, default=str))))
    bad = {
        "".join(map(str, list(error.path)[:1]))
        for error in validator.iter_errors({"refund_rules": {"watch_days": -1}, "gadgets": []})
    }

    assert good == []
    assert bad == {"", "refund_rules"}


def test_a_document_is_kept_as_it_can_be_applied_again() -> None:
    given = read((ROOT / "docs" / "definitions.example.toml").read_text(encoding="utf-8"))

    kept = given.model_dump(mode="json", exclude_unset=True)

    assert DefinitionsDocument.model_validate(kept) == given
