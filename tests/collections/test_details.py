"""What an operator reads on a collection."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import temporalio.workflow
from pydantic import TypeAdapter

from models.collections.collection import CollectionRequest, CollectionStatus, Stage, WaitingFor
from models.gateway.decline import DeclineClass
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.operator_command import CommandError
from workflows.collections.actions import ORDERS, actions_with_examples
from workflows.collections.collection import Collection
from workflows.collections.details import _MEANS, WHERE, answer_of, details_of, subject_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REQUEST = CollectionRequest("acc_000004", "2026-11", run_id="run/monthly/2026-11")
DECLINED = CollectResult(
    CollectOutcome.DECLINED,
    attempt=1,
    amount_minor=3988,
    currency="EUR",
    card_id="card_1",
    card_label="visa 0016",
    code="card_declined",
    decline_code="insufficient_funds",
)
DUNNING = CollectionStatus(
    stage=Stage.DUNNING,
    attempt=1,
    amount_minor=3988,
    currency="EUR",
    next_action_at=datetime(2026, 11, 26, 8, 0, tzinfo=UTC),
    last=DECLINED,
    history=("2026-11-23 03:43Z " + answer_of(DECLINED, "EUR"),),
    next_action="retry 1, after insufficient_funds",
    time_zone="Europe/Berlin",
)


def test_a_declined_collection_says_where_it_is_what_comes_next_and_what_happened() -> None:
    text = details_of(REQUEST, DUNNING)

    assert text.startswith("### dunning: declined, waiting for a better moment")
    assert "`acc_000004` **39.88 EUR** for 2026-11, through stripe, handed over by `run/monthly/2026-11`" in text
    assert "**Next** Thu 2026-11-26 08:00 UTC (09:00 in Europe/Berlin): retry 1, after insufficient_funds" in text
    assert "**Last answer** `insufficient_funds` (soft): the same card may work later" in text
    assert "- 2026-11-23 03:43Z attempt 1 of 39.88 EUR on visa 0016: declined, insufficient_funds" in text


def test_it_says_what_was_asked_for_last_where_a_part_was_credited_since() -> None:
    status = replace(DUNNING, last=replace(DECLINED, attempt=2, amount_minor=3000))

    assert "`acc_000004` **30.00 EUR** for 2026-11" in details_of(REQUEST, status)
    assert subject_of(REQUEST, status) == "acc_000004: 30.00 EUR, visa 0016"


def test_it_says_what_can_be_done_here_and_on_a_terminal() -> None:
    text = details_of(REQUEST, DUNNING)

    assert "- `retry_now` tries at once" in text
    assert 'duly collections retry acc_000004 2026-11 \\\n  --actor maria --reason "as agreed"' in text


def test_an_unknown_outcome_says_since_when_and_that_a_person_is_needed() -> None:
    status = replace(
        DUNNING,
        stage=Stage.UNKNOWN,
        last=CollectResult(CollectOutcome.UNKNOWN, attempt=1),
        next_action="check 3 for evidence of attempt 1",
        unknown_since=datetime(2026, 11, 23, 3, 43, tzinfo=UTC),
        is_in_review=True,
        review_reason="unknown_outcome",
    )

    text = details_of(REQUEST, status)

    assert "nothing is tried until the gateway gives evidence" in text
    assert "check 3 for evidence of attempt 1, unknown since 2026-11-23 03:43Z" in text
    assert "**A person is needed**: unknown_outcome" in text
    assert "duly collections resolve acc_000004 2026-11 \\\n  --gateway-reference pi_..." in text


@pytest.mark.parametrize("stage", [Stage.SETTLED, Stage.GIVEN_UP])
def test_what_is_over_has_nothing_next_and_nothing_to_do(stage: Stage) -> None:
    text = details_of(REQUEST, replace(DUNNING, stage=stage, next_action_at=None))

    assert "**Next**" not in text
    assert "What you can do" not in text


def test_before_it_knows_the_amount_it_says_that_it_asks() -> None:
    status = CollectionStatus(Stage.COLLECTING, 0, 0, "", None, None, ())

    assert "**Next**: the gateway's answer" in details_of(REQUEST, status)
    assert subject_of(REQUEST, status) == "acc_000004"


def test_the_timeline_names_account_amount_and_card() -> None:
    assert subject_of(REQUEST, DUNNING) == "acc_000004: 39.88 EUR, visa 0016"


def test_a_look_that_asked_nobody_is_no_attempt() -> None:
    assert answer_of(CollectResult(CollectOutcome.NO_CARD, code="no_card"), "EUR") == "nobody was asked: no_card"


@pytest.mark.parametrize("code", ["account_blocked", "held_by_rule", "merchant_not_effective", "recovery_is_left"])
def test_what_waits_for_something_else_than_its_provider_does_not_name_it(code: str) -> None:
    held = CollectResult(CollectOutcome.PROVIDER_NOT_EFFECTIVE, code=code)
    away = CollectResult(CollectOutcome.PROVIDER_NOT_EFFECTIVE, code="provider_not_effective")

    assert answer_of(held, "EUR") == f"nobody was asked: {code}"
    assert answer_of(away, "EUR") == "nobody was asked: provider_not_effective"
    assert "### dunning: held before anything was sent" in details_of(REQUEST, replace(DUNNING, last=held))


def test_only_the_latest_of_a_long_story_is_shown_and_where_the_rest_is() -> None:
    text = details_of(REQUEST, replace(DUNNING, history=tuple(f"decision {number}" for number in range(15))))

    assert "- decision 14" in text
    assert "- decision 2\n" not in text
    assert "3 earlier ones: the query `status`" in text


def test_every_stage_and_every_class_of_decline_has_its_words() -> None:
    assert set(WHERE) == set(Stage) == set(ORDERS)
    assert set(_MEANS) == set(DeclineClass)


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporalio.workflow, "now", lambda: NOW)


def updates_of(workflow: type) -> dict[str, Any]:
    definition: Any = temporalio.workflow._Definition.must_from_class(workflow)
    return dict(definition.updates)


def handlers_at(stage: Stage) -> Any:
    handlers = object.__new__(Collection)
    planned = SimpleNamespace(waiting_for=WaitingFor.RETRY)
    handlers._state = SimpleNamespace(stage=stage, snapshot=planned)  # type: ignore[assignment]
    return handlers


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize("stage", Stage)
def test_what_is_offered_at_a_stage_is_taken_with_the_data_that_is_shown(stage: Stage) -> None:
    updates = updates_of(Collection)

    for action in actions_with_examples(stage, DUNNING.next_action_at):
        definition = updates[action.update]
        arguments = [TypeAdapter(kind).validate_json(action.data) for kind in definition.arg_types or []]
        definition.validator(handlers_at(stage), *arguments)


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize("stage", Stage)
def test_what_is_not_offered_at_a_stage_is_refused_there(stage: Stage) -> None:
    offered = {action.update for action in ORDERS[stage]}
    examples = {
        action.update: action for each in Stage for action in actions_with_examples(each, DUNNING.next_action_at)
    }

    for name, definition in updates_of(Collection).items():
        if name in offered or name not in examples:
            continue
        arguments = [TypeAdapter(kind).validate_json(examples[name].data) for kind in definition.arg_types or []]
        with pytest.raises(CommandError):
            definition.validator(handlers_at(stage), *arguments)
