"""A worker that dies in any activity of any workflow, before its effect or after it: the money is right in the end.

The rows are held against the list of activities: one that is new has to have rows, or a reason, or it fails here.
"""

import ast
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from temporalio.service import RPCError

from tests.house.source import ROOT, modules
from tests.supervision.crashes.crashing_activities import CrashingActivities, Death
from tests.supervision.crashes.rows import ELSEWHERE, PRESSED, ROWS, WITHOUT_ACTIVITIES, Pressed
from tests.supervision.scenario import Company
from tests.supervision.scenarios import SCENARIOS
from tests.support.invariants import complaints

# What the gate has of it: where money moves, and its answer is lost.
GATED = {("Collection", "collect", Death.AFTER), ("Refund", "refund", Death.AFTER)}
# Longer than a workflow stands still after a fault, and so often at most.
A_WHILE = timedelta(minutes=11)
TIMES = 12


def activities() -> set[str]:
    """Every activity that there is, by its name."""
    return {
        node.name
        for module in modules()
        if module.name.startswith("activities.")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        if any(ast.unparse(decorator) == "activity.defn" for decorator in node.decorator_list)
    }


def cases() -> Iterator[Any]:
    """Every row, at either death of its worker."""
    rows = [(workflow, name, Pressed(at)) for workflow, names in ROWS.items() for name, at in names.items()]
    for workflow, name, pressed in [*rows, *((one.workflow, name, one) for name, one in PRESSED.items())]:
        for death in Death:
            marks = () if (workflow, name, death) in GATED else pytest.mark.nightly
            yield pytest.param(workflow, name, pressed, death, marks=marks, id=f"{workflow}, {name}, {death}")


def test_every_activity_has_its_rows_or_a_reason() -> None:
    with_rows = {name for names in ROWS.values() for name in names} | PRESSED.keys()

    assert with_rows | ELSEWHERE.keys() == activities()
    assert with_rows & ELSEWHERE.keys() == set()


def test_every_workflow_that_calls_an_activity_has_rows() -> None:
    assert ROWS.keys() | WITHOUT_ACTIVITIES.keys() == SCENARIOS.keys()
    assert ROWS.keys() & WITHOUT_ACTIVITIES.keys() == set()


def test_where_else_an_activity_is_tested_there_is_a_test() -> None:
    named = {name: reason.rpartition(": ")[2] for name, reason in ELSEWHERE.items()}

    assert {name: file for name, file in named.items() if not (ROOT / file).is_file()} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("workflow", "name", "pressed", "death"), list(cases()))
async def test_a_worker_that_dies_in_an_activity_costs_no_money(
    crashing_company: Company, crashing: CrashingActivities, workflow: str, name: str, pressed: Pressed, death: Death
) -> None:
    company, scenario = crashing_company, SCENARIOS[workflow](crashing_company)
    await scenario.prepare(f"dies-{company.period}")
    crashing.die_once(workflow, name, death)
    opened = await scenario.open(f"dies-{company.period}", pressed.at)

    wrong = "not looked at"
    for _ in range(TIMES):
        if pressed.update:
            await company.command(opened.workflow_id, pressed.update, pressed.command)
        if pressed.signal:
            await company.signal(opened.workflow_id, pressed.signal)
        with suppress(RPCError):
            # The server may need more than its half minute for all that happens in a while.
            await company.duly.environment.sleep(A_WHILE)
        await company.supervise()
        await opened.go_on()
        wrong = "" if pressed.changes_end else await opened.wrong()
        if crashing.has_died and not wrong:
            break

    assert wrong == ""
    assert crashing.has_died
    assert {called for by, called in crashing.called if by == workflow} <= ROWS[workflow].keys() | PRESSED.keys()
    assert await complaints(company.sandbox, company.database, company.gateway) == []
