"""The document of the configuration, by itself: each field and rule that is wrong is named, without a database."""

import json
import tomllib
from decimal import Decimal

import jsonschema
import pytest
from pydantic import ValidationError

from activities.configuration.document import DefinitionsDocument
from activities.documents import document_problems
from tests.configuration.schema import SCHEMA, schema, written
from tests.house.source import ROOT

TYPE = '[[transaction_types]]\nid = "{}"\n'
ACCOUNT = '[[internal_accounts]]\nid = "{}"\nname = "A"\ncurrency = "{}"\n'
RULE = '[[due_date_rules]]\nid = "r"\n'
PROVIDER = '[[providers]]\nid = "stripe"\nmode = "test"\ncurrencies = ["EUR", "JPY", "KWD"]\n'


def read(text: str) -> DefinitionsDocument:
    return DefinitionsDocument.model_validate(tomllib.loads(text, parse_float=Decimal))


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
        ('[approval_rules]\nrefunds = { XXQ = "1.00" }', "approval_rules.refunds.XXQ.[key]", "value_error"),
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


def test_the_schema_of_the_document_is_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == written(), "run `python -m tests.configuration.schema`"


def test_an_editor_that_knows_the_schema_takes_the_example_and_finds_a_fault() -> None:
    example = tomllib.loads((ROOT / "docs" / "definitions.example.toml").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema())

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
