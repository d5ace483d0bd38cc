"""What an operator reads on runs and their shards."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import temporalio.workflow
from pydantic import TypeAdapter

from models.operator_command import CommandError
from models.runs.process_run import Certificate, Comparison, ItemOutcome, OutcomeTotal, ShardProgress, ShardRequest
from models.runs.run_control import RunStage, RunStatus, Steering
from workflows.runs.payment_run import PaymentRun
from workflows.runs.payment_run_actions import ORDERS, actions_for
from workflows.runs.payment_run_details import (
    WAITS_FOR,
    billing_statement,
    closing_statement,
    progress_of,
    shard_progress_of,
)

RUN = "run/monthly/2026-11"
SINCE = datetime(2026, 11, 23, 3, 43, tzinfo=UTC)
UNDER_WAY = RunStatus(
    stage=RunStage.COLLECTING,
    members=119,
    skipped=2,
    totals={"charged": 61, "in_dunning": 9},
    due={"EUR": 321055, "JPY": 167948},
    charged={"EUR": 270097},
    payments_per_minute=12,
    calls_per_second=10,
    waits_for=WAITS_FOR[RunStage.COLLECTING],
    decisions=("2026-11-23 03:50Z rate to 10 calls a second, says maria: they asked us to",),
)
CLOSED = Certificate(
    run_id=RUN,
    definition_id="monthly",
    period="2026-11",
    members=70,
    totals=(
        OutcomeTotal(ItemOutcome.CHARGED, "", "EUR", 61, 270097),
        OutcomeTotal(ItemOutcome.IN_DUNNING, "insufficient_funds", "EUR", 2, 8981),
    ),
    sha256="ac22f4",
)


def words_of(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_run_under_way_says_how_far_it_is_and_how_fast_it_goes() -> None:
    text = progress_of(UNDER_WAY, run_id=RUN)

    assert text.startswith("### collecting: 70 of 117 members done, 2 skipped when the run was frozen")
    assert "12 payments a minute, the queue limited to 10 calls a second, about 4 minutes to go" in text
    assert "- 2026-11-23 03:50Z rate to 10 calls a second, says maria: they asked us to" in text


def test_money_is_set_in_columns() -> None:
    text = progress_of(UNDER_WAY, run_id=RUN)

    assert "```\n    charged           of\n2700.97 EUR  3210.55 EUR\n      0 JPY   167948 JPY\n```" in text


def test_a_run_says_what_can_be_done_here_and_on_a_terminal() -> None:
    text = progress_of(UNDER_WAY, run_id=RUN)

    assert "- `pause` starts nothing new, payments in flight settle" in text
    assert f'duly runs pause {RUN} \\\n  --actor maria --reason "as agreed"' in text
    assert f"`duly runs link {RUN} ACCOUNT` finds an account's" in text


def test_a_held_run_says_since_when_and_what_it_waits_for() -> None:
    status = replace(UNDER_WAY, stage=RunStage.HELD, held_since=SINCE, waits_for=WAITS_FOR[RunStage.HELD])

    text = progress_of(status, run_id=RUN)

    assert text.startswith("### held since 2026-11-23 03:43Z: 70 of 117")
    assert "the gateway, which answered nobody" in text
    assert f"duly runs resume {RUN}" in text


def test_a_run_that_is_being_frozen_has_no_numbers_yet() -> None:
    status = RunStatus(RunStage.FREEZING, 0, 0, {}, {}, {}, 0, None, WAITS_FOR[RunStage.FREEZING])

    text = progress_of(status, run_id=RUN)

    assert text.startswith("### freezing\n\n**Waits for** the database")


def test_a_closed_run_says_what_became_of_everyone() -> None:
    text = closing_statement(CLOSED)

    assert text.startswith("### completed: 70 members, each with one outcome\n\n2 of them are with collections")
    assert "in_dunning  insufficient_funds        2    89.81 EUR" in text
    assert ["charged", "61", "2700.97", "EUR"] in words_of(text)
    assert text.endswith("Seal: `ac22f4`")


def test_an_aborted_run_says_how_many_were_let_go() -> None:
    released = OutcomeTotal(ItemOutcome.RELEASED, "run_aborted", "EUR", 9, 9000)

    text = closing_statement(replace(CLOSED, totals=(*CLOSED.totals, released), is_aborted=True))

    assert text.startswith("### completed, aborted")
    assert "9 were released: they were not charged, and the next run takes them." in text


def test_a_shadow_says_that_nobody_was_charged_and_what_differs() -> None:
    text = closing_statement(replace(CLOSED, comparison=Comparison(RUN, {"same": 60, "new": 10})))

    assert f"A shadow: nothing was charged. Beside `{RUN}`: 10 new, 60 same." in text


def test_a_shard_says_where_it_began_and_what_it_has_charged() -> None:
    request = ShardRequest(RUN, "2026-11", "stripe", 2, 25, 250, after="acc_000250", pages=1)

    text = shard_progress_of(request, ShardProgress(2, {"charged": 250}, {"EUR": 1075000}, held_since=SINCE))

    assert text.startswith("### Shard 3: 250 members done\n\nThis execution began after `acc_000250`")
    assert "**Held** since 2026-11-23 03:43Z" in text
    assert "**Charged** 10750.00 EUR" in text


def test_a_shard_that_is_held_because_of_a_clock_says_whose() -> None:
    request = ShardRequest(RUN, "2026-11", "stripe", 2, 25, 250)
    because = "nothing was sent, for the clock of the database is 3600 s ahead of that of the gateway"

    text = shard_progress_of(request, ShardProgress(2, {}, held_since=SINCE), held_because=because)

    assert f"**Held** since 2026-11-23 03:43Z: {because}" in text


def test_a_closed_billing_run_shows_its_totals() -> None:
    billed = OutcomeTotal(ItemOutcome.BILLED, "", "EUR", 99, 269803, 226725, 43078, 269803)
    parked = OutcomeTotal(ItemOutcome.PARKED, "currency_of_account", "EUR", 1, 1000, 1000)

    text = billing_statement(replace(CLOSED, members=100, totals=(billed, parked)))

    assert text.startswith("### completed: 100 subscriptions, each with one outcome")
    assert ["outcome", "reason", "members", "net", "tax", "total"] in words_of(text)
    assert ["billed", "99", "2267.25", "EUR", "430.78", "EUR", "2698.03", "EUR"] in words_of(text)
    assert ["parked", "currency_of_account", "1", "10.00", "EUR"] in words_of(text)


def test_a_billing_run_that_release_0_1_0_has_closed_shows_its_total_alone() -> None:
    billed = OutcomeTotal(ItemOutcome.BILLED, "", "EUR", 99, 269803)

    assert ["billed", "99", "2698.03", "EUR"] in words_of(billing_statement(replace(CLOSED, totals=(billed,))))


def test_a_supplement_says_which_it_is_and_whom_it_took_again() -> None:
    again = OutcomeTotal(ItemOutcome.SKIPPED, "no_card", "EUR", 3, 1000)

    text = closing_statement(replace(CLOSED, supplement=2, taken_again=(again,)))

    assert f"Supplement 2 of {CLOSED.period}: whom the runs before it did not have. 3 of its members" in text


def test_every_stage_has_its_words() -> None:
    assert set(WAITS_FOR) == set(RunStage) == set(ORDERS)


def run_at(stage: RunStage, *, is_shadow: bool) -> Any:
    run = object.__new__(PaymentRun)
    steering = Steering(is_paused=stage is RunStage.PAUSED, is_aborted=stage is RunStage.ABORTING)
    run._course = SimpleNamespace(stage=stage, steering=steering, is_shadow=is_shadow)  # type: ignore[assignment]
    return run


@pytest.mark.parametrize("is_shadow", [False, True])
@pytest.mark.parametrize("stage", RunStage)
def test_a_run_offers_exactly_what_it_takes(stage: RunStage, is_shadow: bool) -> None:
    examples = {action.update: action for actions in ORDERS.values() for action in actions}
    offered = {action.update for action in actions_for(stage, is_shadow=is_shadow)}
    definition: Any = temporalio.workflow._Definition.must_from_class(PaymentRun)
    taken = set()

    for name, update in definition.updates.items():
        arguments = [TypeAdapter(kind).validate_json(examples[name].data) for kind in update.arg_types]
        try:
            update.validator(run_at(stage, is_shadow=is_shadow), *arguments)
        except CommandError:
            continue
        taken.add(name)

    assert taken == offered
