"""A start that names a provider which nobody has configured fails at once: no worker would ever take its calls."""

import json
from typing import Any

import pytest
from temporalio.client import WithStartWorkflowOperation, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from models.workflow_ids import WORKFLOW_QUEUE
from tests.contract.foreign import plain
from tests.contract.run_examples import EXAMPLES
from tests.support.running_duly import RunningDuly
from workflows.inputs.starts import STARTS, names_provider

NAMING = [name for name in STARTS if names_provider(name)]
QUESTIONS = {
    "BackEndReduction": "accepted",
    "CardLifecycle": "first_outcome",
    "Collection": "first_outcome",
    "Dispute": "first_reading",
    "Refund": "first_outcome",
}


def start_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return the natural id and the input of a start that names a provider of nobody's."""
    example = EXAMPLES[name].request
    given: dict[str, Any] = json.loads(json.dumps(plain(example)).replace('"stripe"', '"strpe"'))
    return str(STARTS[name].id_of(example)).replace("stripe", "strpe"), given


@pytest.mark.gate_cases(6)
@pytest.mark.parametrize("name", NAMING)
async def test_the_start_fails_and_names_the_field_and_the_providers_that_there_are(
    duly: RunningDuly, merchant: object, name: str
) -> None:
    id, given = start_of(name)
    suffix = "-2026-11-28T08:00:00Z" if id.endswith("<moment>") else ""
    id = id.removesuffix("-<moment>") + suffix

    with pytest.raises(WorkflowFailureError) as failed:
        await duly.client.execute_workflow(name, given, id=id, task_queue=WORKFLOW_QUEUE)

    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == (
        "provider_exists",
        "provider: 'strpe' is not configured; there are stripe",
    )


@pytest.mark.parametrize(("name", "question"), QUESTIONS.items())
async def test_who_asks_in_the_same_call_gets_the_same_refusal(
    duly: RunningDuly, merchant: object, name: str, question: str
) -> None:
    id, given = start_of(name)
    start = WithStartWorkflowOperation[Any, Any](
        name, given, id=id, task_queue=WORKFLOW_QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await duly.client.execute_update_with_start_workflow(question, start_workflow_operation=start)

    assert getattr(refused.value.cause, "type", "") == "provider_exists"
