import re
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pytest

from models.ledger.refusals import (
    ERRORS,
    MESSAGES,
    AcknowledgementRequiredError,
    InvalidInputError,
    PrerequisiteError,
    ledger_error,
    message_for,
)

SQL = Path(__file__).parents[3] / "migrations" / "functions"
REFUSED = re.compile(r"refuse(?:_state)?\((?:'\w+'|[\w.]+), '(\w+)'")
WITH_ARGUMENTS = re.compile(r"duly\.refuse\('\w+',\s*'(\w+)'\s*,\s*jsonb_build_object\((.*?)\)\)", re.DOTALL)


@dataclass(frozen=True)
class Diagnosis:
    sqlstate: str | None
    constraint_name: str | None = None
    message_primary: str | None = None
    message_detail: str | None = None
    column_name: str | None = None


def rules_in_sql() -> set[str]:
    return {rule for script in SQL.rglob("*.sql") for rule in REFUSED.findall(script.read_text())}


def _named_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _carried(arguments: str) -> set[str]:
    """Return what a refusal carries: of an amount with its currency also how people read it."""
    names = set(re.findall(r"'(\w+)',", arguments))
    return names | ({name.removesuffix("_minor") for name in names} if "currency" in names else set())


def test_an_amount_is_shown_as_people_read_it_where_its_currency_is_known() -> None:
    stated = {"account_id": "acc_suspense_jpy", "balance_minor": -7, "currency": "JPY"}

    assert message_for("system_account_empty", stated).endswith("has money on it: -7 JPY")
    assert not [sentence for sentence in MESSAGES.values() if "_minor" in sentence or "minor unit" in sentence]


def test_every_rule_that_the_database_refuses_by_has_its_sentence() -> None:
    rules = rules_in_sql()

    assert len(rules) > 30
    assert rules - set(MESSAGES) == set()


@pytest.mark.parametrize("rule", sorted(MESSAGES))
def test_a_sentence_can_be_made_from_any_arguments(rule: str) -> None:
    assert message_for(rule, {}).startswith(f"{rule}: ")


def test_every_refusal_of_the_database_carries_what_its_sentence_names() -> None:
    """What was given is never told as not given."""
    refusals = [found for script in SQL.rglob("*.sql") for found in WITH_ARGUMENTS.findall(script.read_text())]
    lacking = {
        rule: missing for rule, arguments in refusals if (missing := _named_in(MESSAGES[rule]) - _carried(arguments))
    }

    assert len(refusals) > 25
    assert lacking == {}


def test_a_sentence_that_lacks_something_says_what_there_is() -> None:
    assert (
        message_for("category_allowed", {"type_id": "card"}) == "category_allowed: the rule refuses it (type_id card)"
    )


def test_a_value_that_was_empty_was_not_given() -> None:
    assert message_for("method_exists", {"method": None}) == "method_exists: method (not given) does not exist"


def test_a_refusal_becomes_the_exception_of_its_kind_with_its_arguments() -> None:
    error = ledger_error(
        Diagnosis("LD001", "draft_only", message_detail='{"transaction_id": "ft_1", "state": "posted"}')
    )

    assert isinstance(error, PrerequisiteError)
    assert error.rule == "draft_only"
    assert str(error) == "draft_only: transaction ft_1 is posted; only a draft can be edited, posted or rejected"


def test_a_warning_asks_for_an_acknowledgement() -> None:
    assert isinstance(
        ledger_error(Diagnosis("LD006", "credit_limit", message_detail="{}")), AcknowledgementRequiredError
    )


def test_a_missing_column_is_named() -> None:
    error = ledger_error(Diagnosis("23502", None, "null value in column", column_name="quantity"))

    assert isinstance(error, InvalidInputError)
    assert error.arguments["field"] == "quantity"


def test_a_broken_unique_index_is_told_as_its_rule() -> None:
    detail = "Key (back_office_code, classification)=(B-1, payment) already exists."
    error = ledger_error(Diagnosis("23505", "one_back_office_code", message_detail=detail))

    assert str(error) == "back_office_code_unique: back_office_code B-1 is taken by another payment"


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03", "57P01", "08006", None])
def test_what_may_be_tried_again_is_no_refusal(state: str | None) -> None:
    assert ledger_error(Diagnosis(state)) is None


def test_every_kind_of_refusal_has_its_own_exception() -> None:
    assert len(set(ERRORS.values())) == len(ERRORS)
