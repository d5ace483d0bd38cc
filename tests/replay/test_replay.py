"""Today's code replays yesterday's histories, and asks for the same things with the same arguments."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.converter import WithSerializationContext
from temporalio.worker import Replayer
from temporalio.workflow import _Definition

from activities.payload_codec import EncryptionCodec
from tests.house.imports import parts_of_workflows
from tests.house.source import modules
from tests.replay.commands import Command, ListeningRunner, as_recorded, asked_again, recorded_commands
from tests.replay.histories import load, recorded
from workflows.generation import Generations
from workflows.inputs.checks import InputChecks
from workflows.inputs.newer_fields import DATA_CONVERTER
from workflows.plugin import sandboxed_runner
from workflows.registered import WORKFLOWS


@cache
def watched() -> tuple[str, ...]:
    """Name what defines a workflow, which is loaded anew for each history.

    A worker shares all of `workflows` among its executions. Here a clock or chance in it, which the rules of the house
    did not see, fails.
    """
    return ("activities", "models", *parts_of_workflows(modules()))


HISTORIES = pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)


@HISTORIES
async def test_a_history_is_replayed_with_the_same_commands_and_arguments(path: Path) -> None:
    history = load(path)

    before = list(recorded_commands(history.events))

    assert as_recorded(await replayed(history), before) == before


async def test_an_argument_that_has_changed_is_noticed_though_replay_itself_lets_it_pass() -> None:
    history = load(next(path for path in recorded() if path.stem.startswith("collection-settled")))
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    scheduled[0].input.payloads[0].data = scheduled[0].input.payloads[0].data.replace(b"2026-11", b"2026-12")

    before = list(recorded_commands(history.events))

    assert as_recorded(await replayed(history), before) != before


async def replayed(history: WorkflowHistory) -> list[Command]:
    """Replay a history, with the sandbox watching all that makes a workflow, and return what today's code asks for.

    Its first task loads all of that anew, which takes more than two seconds on a busy machine: to the SDK, unless it is
    debugged, a deadlock. A worker has loaded it before.
    """
    runner = ListeningRunner(sandboxed_runner(watched()))
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=runner,
        data_converter=DATA_CONVERTER,
        interceptors=[InputChecks(), Generations()],
        debug_mode=True,
    )
    await replayer.replay_workflow(history)
    return list(asked_again(runner.commands))


@HISTORIES
def test_a_history_says_nothing_about_a_machine_or_a_person(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"/(?:home|root|work|usr|tmp)/\S+|[\w.]+@[\w.-]+|A\. Customer|pm_[0-9a-f]{8,}", text) == []
    assert re.findall(r'"identity": "(?!recorder)[^"]*"', text) == []


def test_no_payload_needs_the_context_that_workflows_are_not_asked_for() -> None:
    # workflows/inputs/instance.py answers for them: with a codec that takes one, or a storage, it must ask again.
    assert DATA_CONVERTER.payload_codec is None
    assert not issubclass(EncryptionCodec, WithSerializationContext)
    assert DATA_CONVERTER.external_storage is None


def test_every_workflow_has_a_history() -> None:
    types = {
        json.loads(path.read_text(encoding="utf-8"))["events"][0]["workflowExecutionStartedEventAttributes"][
            "workflowType"
        ]["name"]
        for path in recorded()
    }

    assert {_Definition.must_from_class(workflow).name for workflow in WORKFLOWS} == types
