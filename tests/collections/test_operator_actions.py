"""The commands that current details name can be typed as they stand."""

import shlex
from datetime import UTC, datetime

import pytest
import typer

from models.collections.collection import Stage
from models.runs.run_control import RunStage
from starter import app
from workflows.collections import actions as collection_actions
from workflows.operator_actions import OperatorAction, actions_text
from workflows.runs import payment_run_actions as run_actions

NEXT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
SHOWN = [
    *(
        (action, "acc_000004 2026-11")
        for stage in Stage
        for action in collection_actions.actions_with_examples(stage, NEXT)
    ),
    *(
        (action, "run/monthly/2026-11")
        for stage in RunStage
        for action in run_actions.actions_for(stage, is_shadow=False)
    ),
]


def parsed(line: str) -> dict[str, object]:
    """What the command line makes of a line, without doing it."""
    command, words = typer.main.get_command(app), shlex.split(line.replace("\\\n", " "))[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    return dict(command.make_context("duly", words).params)


@pytest.mark.parametrize(("action", "target"), SHOWN, ids=lambda value: getattr(value, "update", value))
def test_the_example_is_a_command(action: OperatorAction, target: str) -> None:
    if not action.command:
        assert "terminal" not in actions_text([action], target=target)
        return

    shown = actions_text([action], target=target).split("```")[1]

    assert parsed(shown)["actor"] == "maria"
