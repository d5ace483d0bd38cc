"""Whatever is pressed, at any moment, on any workflow: money stays right, and what is open goes on.

The cases are made from the list of workflows: one that is new has to have a scenario, or it fails here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from temporalio.workflow import _Definition

from tests.supervision.pressing import Button, press, until_right
from tests.supervision.scenario import Company, Moment
from tests.supervision.scenarios import SCENARIOS
from tests.support.invariants import complaints
from workflows.cancelling import AnswersCancel
from workflows.registered import WORKFLOWS


def cases() -> Iterator[Any]:
    """Every workflow at every moment: all buttons side by side, or one after the other where one takes everybody.

    The gate has a moment of each workflow that moves money (`gate_cases`): every night has them all.
    """
    for place, (workflow, scenario) in enumerate(SCENARIOS.items()):
        moments = [moment for moment in Moment if moment not in scenario.absent]
        for moment in moments:
            is_gated = workflow == "Collection" or moment is moments[place % len(moments)]
            if not scenario.is_alone:
                yield case(workflow, moment, *Button, is_gated=is_gated)
                continue
            for button in Button:
                yield case(workflow, moment, button, is_gated=is_gated and button is list(Button)[place % len(Button)])


def case(workflow: str, moment: Moment, *buttons: Button, is_gated: bool) -> Any:
    pressed = buttons[0] if len(buttons) == 1 else "all"
    marks = () if is_gated else pytest.mark.nightly
    return pytest.param(workflow, moment, buttons, marks=marks, id=f"{pressed} on {workflow}, {moment}")


def test_every_workflow_has_its_scenario() -> None:
    assert {_Definition.must_from_class(workflow).name for workflow in WORKFLOWS} == set(SCENARIOS)


def test_every_workflow_that_looks_after_money_answers_a_cancel() -> None:
    answering = {_Definition.must_from_class(one).name for one in WORKFLOWS if issubclass(one, AnswersCancel)}

    assert answering == {workflow for workflow, scenario in SCENARIOS.items() if scenario.answers_cancel}


@pytest.mark.gate_cases(
    "all on Collection, answer outstanding",
    "all on Dispute, answer outstanding",
    "all on PaymentRequest, waiting",
    "all on Refund, before the call",
    "delete on PaymentRun, answer outstanding",
)
@pytest.mark.slow
@pytest.mark.parametrize(("workflow", "moment", "buttons"), list(cases()))
async def test_money_stays_right_and_what_is_open_goes_on(
    company: Company, workflow: str, moment: Moment, buttons: Sequence[Button]
) -> None:
    scenario = SCENARIOS[workflow](company)
    names = {button: f"{button}-{company.period}" for button in buttons}
    for name in names.values():
        await scenario.prepare(name)
    scenario.hold_up(moment)
    opened = {button: await scenario.open(name, moment) for button, name in names.items()}
    if moment is Moment.BEFORE_CALL:
        await company.gateway.arrived(len(buttons))

    for button, each in opened.items():
        await press(company.duly.client, button, each.workflow_id)
    company.let_all_through()

    assert await until_right(company, opened) == dict.fromkeys(buttons, "")
    if Button.CANCEL in buttons and scenario.answers_cancel and moment is not Moment.DONE:
        asked = "select reason from duly.workflow_stops where how = 'cancel_asked' and workflow_id = :id"
        kept = await company.merchant.run(asked, id=opened[Button.CANCEL].workflow_id)
        assert [row.reason for row in kept] == ["pressed by maria"]
    assert await complaints(company.sandbox, company.database, company.gateway) == []
