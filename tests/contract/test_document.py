"""docs/contract.md says what the workflows take and answer: made from them, and every example holds."""

import json
import re
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from tests.contract.document import DOCUMENT, SCHEMAS, as_json, document, schemas
from tests.contract.errors import ERRORS, OF_EVERY_WORKFLOW
from tests.contract.foreign import NAMES, REGISTERED, WRONG_TYPE, plain
from tests.contract.run_examples import EXAMPLES
from tests.house.source import ROOT
from workflows.inputs.decoding import read

ALL = schemas()


def inputs_of(name: str) -> list[Any]:
    example = EXAMPLES[name]
    signals = [argument for arguments in example.signals.values() for argument in arguments]
    given = [example.request, *(call.takes for call in example.updates.values()), *signals]
    return [value for value in given if hasattr(value, "__dataclass_fields__")]


def results_of(name: str) -> list[Any]:
    example = EXAMPLES[name]
    given = [example.result, *(call.returns for call in (*example.updates.values(), *example.queries.values()))]
    return [value for value in given if hasattr(value, "__dataclass_fields__")]


def validator(side: str, kind: type) -> Any:
    from jsonschema import Draft202012Validator  # it builds grammars when it is imported

    return Draft202012Validator({"$ref": f"#/$defs/{kind.__name__}", "$defs": ALL[side]["$defs"]})


def test_the_document_says_what_the_workflows_are() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `python -m tests.contract.document`"


def test_the_schemas_are_those_of_the_workflows() -> None:
    assert SCHEMAS.read_text(encoding="utf-8") == as_json(ALL), "run `python -m tests.contract.document`"


def test_every_signal_update_and_query_says_what_it_does() -> None:
    handlers = [
        (name, handler)
        for name in NAMES
        for kind in (REGISTERED[name].signals, REGISTERED[name].updates, REGISTERED[name].queries)
        for handler in kind.values()
        if handler.name and not handler.name.startswith("__")
    ]

    assert [(name, handler.name) for name, handler in handlers if not handler.description] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_valid_by_its_schema_and_for_the_reader(name: str) -> None:
    for value in inputs_of(name):
        validator("inputs", type(value)).validate(plain(value))
        data = json.dumps(plain(value)).encode()
        assert read([Payload(metadata={"encoding": b"json/plain"}, data=data)], [type(value)]) == [value]
    for value in results_of(name):
        validator("results", type(value)).validate(plain(value))


@pytest.mark.parametrize("name", NAMES)
def test_what_the_reader_refuses_the_schema_refuses_too(name: str) -> None:
    for value in inputs_of(name):
        good = plain(value)
        wrong = [{**good, "perod": 1}, *({**good, field: [WRONG_TYPE]} for field in good)]
        assert [one for one in wrong if validator("inputs", type(value)).is_valid(one)] == []


def test_a_client_may_be_sent_more_fields_than_it_knows() -> None:
    for name in NAMES:
        for value in results_of(name):
            assert validator("results", type(value)).is_valid({**plain(value), "new_field": 1})


def test_every_error_of_the_contract_is_raised_somewhere() -> None:
    sources = [*(ROOT / "migrations" / "functions").rglob("*.sql")]
    sources += [path for folder in ("models", "activities", "workflows") for path in (ROOT / folder).rglob("*.py")]
    raised = set(re.findall(r"['\"]([a-z_]+)['\"]", "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    named = {kind for errors in (*ERRORS.values(), OF_EVERY_WORKFLOW) for kind in errors}

    assert named - raised == {"CommandError"}
    assert set(ERRORS) == set(NAMES)


# What a start or an update asks the database first: whatever is refused there is the client's to read.
ASKED_FIRST = {
    "BackEndReduction": {"open_reduction"},
    "BillingRun": {"freeze_billing_run"},
    "CardLifecycle": {"register_card", "change_card", "open_validation"},
    "Collection": {"open_collection", "open_attempt", "unknown_attempt", "record_paid_outside"},
    "Dispute": {"record_dispute"},
    "PaymentRun": {"freeze_payment_run"},
    "Refund": {"open_refund"},
}

# Refused to no client: a workflow counts its attempts and sees to it that the last one is over, a start's provider is
# checked before, and while sending is held the call waits.
OF_NO_CLIENT = {
    "attempts_in_order",
    "no_attempt_in_flight",
    "provider_exists",
    "sending_is_held",
    "returned_within_paid",
}


@pytest.mark.parametrize("name", ASKED_FIRST)
def test_every_rule_by_which_the_database_may_refuse_is_in_the_contract(name: str) -> None:
    assert rules_within(ASKED_FIRST[name]) - OF_NO_CLIENT - ERRORS[name].keys() == set()


def rules_within(functions: set[str]) -> set[str]:
    """Return the rules by which functions of the database and those they call refuse, without the ledger's own."""
    bodies = _bodies()
    seen, to_do = set[str](), functions
    while to_do:
        seen |= to_do
        called = {name for function in to_do for name in re.findall(r"duly\.(\w+)\(", bodies[function])}
        to_do = (called & bodies.keys()) - seen
    return {rule for function in seen for rule in re.findall(r"duly\.refuse\(\s*'(\w+)'", bodies[function])}


def _bodies() -> dict[str, str]:
    # A run that cannot debit a wallet leaves it: what is refused there reaches no client of the run.
    left_out = {"ledger", "wallets", "vouchers"}
    rooms = [room for room in (ROOT / "migrations" / "functions").iterdir() if room.name not in left_out]
    text = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in sorted(room.glob("*.sql")))
    return dict(re.findall(r"create or replace function duly\.(\w+)\(.*?\$\$(.*?)\$\$;", text, re.DOTALL))
