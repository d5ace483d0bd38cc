"""A worker that dies in any activity of any workflow, before its effect or after it: the money is right in the end.

The rows are held against the list of activities: one that is new has to have rows, or a reason, or it fails here.
"""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.house.source import ROOT, modules
from tests.replay.histories import recorded
from tests.supervision.crashes.crashing_activities import CrashingActivities, Death
from tests.supervision.crashes.dying import is_survived
from tests.supervision.crashes.rows import ELSEWHERE, PRESSED, ROW_OF_ANOTHER, ROWS, WITHOUT_ACTIVITIES, Pressed
from tests.supervision.scenario import Company
from tests.supervision.scenarios import SCENARIOS

# What the gate has of it: where money moves, and its answer is lost.
GATED = {("Collection", "collect", Death.AFTER), ("Refund", "refund", Death.AFTER)}
# Parts of every workflow: what they call is seen to by the rows of one, and by histories for the others.
SERVE_ALL = ("workflows.inputs.providers", "workflows.inputs.checks", "workflows.messages.outgoing")


def activities() -> set[str]:
    """Every activity that there is, by its name."""
    return {
        node.name
        for module in modules()
        if module.name.startswith("activities.")
        for node in module.nodes
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        # Named, dynamic or plain.
        if any(ast.unparse(decorator).startswith("activity.defn") for decorator in node.decorator_list)
    }


def rows() -> dict[tuple[str, str], Pressed]:
    """Every row, by its workflow and activity."""
    led = {(workflow, name): Pressed(at) for workflow, names in ROWS.items() for name, at in names.items()}
    return led | dict(PRESSED)


def is_seen_to(workflow: str, name: str) -> bool:
    """Say whether an activity that a workflow calls has a row, or a reason."""
    return (workflow, name) in rows() or name in ELSEWHERE or (workflow, name) in ROW_OF_ANOTHER


def cases() -> Iterator[Any]:
    """Every row, at either death of its worker."""
    for (workflow, name), pressed in rows().items():
        for death in Death:
            marks = () if (workflow, name, death) in GATED else pytest.mark.nightly
            yield pytest.param(workflow, name, pressed, death, marks=marks, id=f"{workflow}, {name}, {death}")


def test_every_activity_has_its_rows_or_a_reason() -> None:
    with_rows = {name for _, name in rows()}

    assert with_rows | ELSEWHERE.keys() == activities()
    assert with_rows & ELSEWHERE.keys() == set()


def test_every_workflow_that_calls_an_activity_has_rows() -> None:
    assert ROWS.keys() | WITHOUT_ACTIVITIES.keys() == SCENARIOS.keys()
    assert ROWS.keys() & WITHOUT_ACTIVITIES.keys() == set()
    assert ROWS.keys() & {workflow for workflow, _ in PRESSED} == {workflow for workflow, _ in PRESSED}
    assert rows().keys() & ROW_OF_ANOTHER.keys() == set()


def test_what_a_room_calls_is_seen_to_for_a_workflow_of_that_room() -> None:
    callers, called, known = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set), activities()
    for module in modules():
        if not module.name.startswith("workflows.") or len(module.path.parts) == 2:
            continue
        room = "" if module.name in SERVE_ALL else module.path.parts[1]
        for node in module.nodes:
            if isinstance(node, ast.ClassDef) and "workflow.defn" in "".join(map(ast.unparse, node.decorator_list)):
                callers[room].add(node.name)
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("Activities"):
                called[room] |= {node.attr} & known
    left_out = [
        f"{room}: {name}"
        for room, names in called.items()
        for name in sorted(names)
        if not any(is_seen_to(workflow, name) for workflow in callers[room] or ROWS)
    ]

    assert sum(map(len, called.values())) > len(ROWS)
    assert left_out == []


def test_what_a_workflow_called_in_a_recorded_history_is_seen_to_for_that_workflow() -> None:
    called = set()
    for path in recorded():
        started, *events = json.loads(path.read_text(encoding="utf-8"))["events"]
        workflow = started["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
        scheduled = [event.get("activityTaskScheduledEventAttributes") for event in events]
        called |= {(workflow, one["activityType"]["name"]) for one in scheduled if one}

    assert {workflow for workflow, _ in called} == ROWS.keys()
    assert sorted(one for one in called if not is_seen_to(*one)) == []


def test_where_else_an_activity_is_tested_there_is_a_test() -> None:
    named = {str(of): why.rpartition(": ")[2] for of, why in (*ELSEWHERE.items(), *ROW_OF_ANOTHER.items())}

    assert {of: file for of, file in named.items() if not (ROOT / file).is_file()} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("workflow", "name", "pressed", "death"), list(cases()))
async def test_a_worker_that_dies_in_an_activity_costs_no_money(
    crashing_company: Company, crashing: CrashingActivities, workflow: str, name: str, pressed: Pressed, death: Death
) -> None:
    await is_survived(
        crashing_company, crashing, SCENARIOS[workflow](crashing_company), (workflow, name, pressed, death)
    )

    assert [name for by, name in crashing.called if by == workflow and not is_seen_to(workflow, name)] == []
