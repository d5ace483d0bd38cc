"""A service in any language starts a workflow: what is wrong with its JSON is said at once, by the field's name."""

import asyncio
from typing import Any

import pytest
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from models.period import RECEIVABLE_MEANING
from tests.contract.foreign import (
    ASKED,
    NAMES,
    REGISTERED,
    TASK_FAILED,
    Foreign,
    Mistake,
    broken_texts,
    kinds_of,
    mistakes,
    plain,
    unstorable,
)
from tests.contract.run_examples import EXAMPLES
from tests.support.run_control import happened
from workflows.inputs.starts import STARTS, names_provider

# So long may it take a workflow to fail that is refused, with a hundred others beside it.
AT_ONCE_SECONDS = 30

BY_CLIENTS = [name for name in NAMES if name != "PaymentRunShard"]


def examples_of(name: str) -> tuple[Any, ...]:
    request = EXAMPLES[name].request
    return () if request is None else (request,)


async def refused(foreign: Foreign, name: str, *arguments: Any, workflow_id: str = "") -> ApplicationError:
    """Start a workflow and return why it failed; it has asked nothing of anybody and tried nothing twice."""
    handle = await foreign.start(name, *arguments, workflow_id=workflow_id)
    with pytest.raises(WorkflowFailureError) as error:
        await asyncio.wait_for(handle.result(), AT_ONCE_SECONDS)
    assert not {ASKED, TASK_FAILED} & set(await kinds_of(handle))
    assert isinstance(error.value.cause, ApplicationError)
    assert error.value.cause.non_retryable
    assert error.value.cause.failure is not None
    assert not error.value.cause.failure.stack_trace
    return error.value.cause


def fields_named(error: ApplicationError) -> list[str]:
    return [problem["field"] for problem in error.details[0]]


def test_every_workflow_has_its_rules_and_its_example() -> None:
    assert set(NAMES) == set(STARTS) == set(REGISTERED)
    for name in NAMES:
        definition, example = REGISTERED[name], EXAMPLES[name]
        assert [type(one) for one in examples_of(name)] == list(definition.arg_types or [])
        assert set(definition.signals) == set(example.signals)
        assert set(definition.updates) == set(example.updates)
        assert {query for query in definition.queries if not query.startswith("__")} == set(example.queries)


def test_what_a_workflow_goes_on_with_after_continuing_as_new_is_never_taken_from_a_client() -> None:
    resuming = {name for name in NAMES if hasattr(EXAMPLES[name].request, "resumed")}

    assert {name for name, start in STARTS.items() if "resumed" in start.of_duly} == resuming


def test_every_start_that_names_a_provider_is_held_against_the_configured_ones() -> None:
    naming = {name for name in BY_CLIENTS if hasattr(EXAMPLES[name].request, "provider")}

    assert {name for name in STARTS if names_provider(name)} == naming


@pytest.mark.gate_cases("Collection", "PaymentRequest", "PaymentRun", "Refund")
@pytest.mark.parametrize("name", NAMES)
async def test_whatever_is_wrong_with_a_start_fails_it_at_once_by_the_name_of_the_field(
    foreign: Foreign, name: str
) -> None:
    async def missed(mistake: Mistake) -> str:
        error = await refused(foreign, name, *mistake.arguments)
        is_named = mistake.field in fields_named(error) and mistake.field in error.message
        return "" if is_named and error.type == "invalid_input" else f"{mistake}: {error}"

    found = await asyncio.gather(*map(missed, mistakes(*examples_of(name))))

    assert list(filter(None, found)) == []


@pytest.mark.parametrize("name", [name for name in BY_CLIENTS if EXAMPLES[name].request is not None])
async def test_a_text_that_breaks_its_rule_fails_the_start_before_anything_is_written(
    foreign: Foreign, name: str
) -> None:
    for wrong, field in broken_texts(EXAMPLES[name].request):
        error = await refused(foreign, name, wrong)

        assert field in fields_named(error), error


@pytest.mark.gate_cases("CardLifecycle", "Collection", "PaymentRequest", "PaymentRun")
@pytest.mark.parametrize("name", [name for name in BY_CLIENTS if EXAMPLES[name].request is not None])
async def test_a_value_that_nothing_could_store_fails_the_start_by_the_name_of_the_field(
    foreign: Foreign, name: str
) -> None:
    for wrong, field in unstorable(EXAMPLES[name].request):
        error = await refused(foreign, name, wrong)

        assert (error.type, fields_named(error)) == ("invalid_input", [field])


@pytest.mark.parametrize("name", BY_CLIENTS)
async def test_another_id_than_the_natural_one_is_refused_and_the_expected_one_named(
    foreign: Foreign, name: str
) -> None:
    error = await refused(foreign, name, *map(plain, examples_of(name)))

    assert error.type == "workflow_id_is_natural"
    expected = STARTS[name].id_of(EXAMPLES[name].request)
    assert f"must be {expected}" in error.message
    assert expected.is_of(EXAMPLES[name].id)


@pytest.mark.parametrize("name", NAMES)
async def test_as_its_example_says_a_workflow_starts(foreign: Foreign, name: str) -> None:
    async with foreign.waiting(name) as handle:
        await asyncio.sleep(0)
        kinds = await kinds_of(handle)
        described = await handle.describe()

    assert TASK_FAILED not in kinds
    ends_by_itself = {WorkflowExecutionStatus.COMPLETED} if name == "ScheduledRun" else set()
    assert described.status in {WorkflowExecutionStatus.RUNNING} | ends_by_itself


async def test_a_period_that_is_no_month_is_refused_by_name(foreign: Foreign) -> None:
    error = await refused(
        foreign, "Collection", {"account_id": "acc_42", "period": "soon"}, workflow_id="collection/acc_42/soon"
    )

    assert (error.type, error.message) == ("period_is_a_month", f"period: 'soon' is not {RECEIVABLE_MEANING}")


@pytest.mark.parametrize(("name", "definition"), [("BillingRun", "plans"), ("PaymentRun", "monthly")])
async def test_a_month_that_has_not_begun_is_refused_unless_it_is_asked_for(
    foreign: Foreign, name: str, definition: str
) -> None:
    error = await refused(foreign, name, {"definition_id": definition, "period": "2089-01"})

    assert (error.type, fields_named(error)) == ("period_is_due", ["period"])
    assert error.message == "period: 2089-01 begins on 2089-01-01; not_due_yet runs it all the same"


async def test_a_misspelt_field_is_told_with_the_one_that_was_meant(foreign: Foreign) -> None:
    error = await refused(foreign, "Collection", {"acount_id": "acc_42", "period": "2026-11"})

    assert error.message == "account_id: is missing; acount_id: is no field; did you mean account_id?"
    assert error.details[0] == [
        {"field": "account_id", "rule": "field_required", "message": "is missing"},
        {"field": "acount_id", "rule": "field_known", "message": "is no field; did you mean account_id?"},
    ]


async def test_what_was_given_is_not_said_again_for_it_may_be_a_card_number(foreign: Foreign) -> None:
    card = "4242424242424242"
    registration = {"card_id": "card_7", "account_id": "acc_42", "provider": "stripe", "token": card}

    error = await refused(
        foreign, "CardLifecycle", {"card_id": "card_7", "provider": "stripe", "registration": registration}
    )

    assert fields_named(error) == ["registration.token"]
    assert card not in str(error)


async def test_an_id_that_is_said_twice_is_the_same(foreign: Foreign) -> None:
    order = {"refund_id": "rf_2", "payment_id": "ft_97"}

    error = await refused(foreign, "Refund", {"refund_id": "rf_1", "order": order}, workflow_id="refund/rf_1")

    assert (error.type, error.message) == ("ids_agree", "order.refund_id: 'rf_2' must be the same as refund_id")


@pytest.mark.parametrize(
    ("name", "request_of_ours"),
    [
        ("Collection", {"account_id": "acc_42", "period": "2026-11", "run_id": "run/monthly/2026-11"}),
        ("BillingRun", {"definition_id": "plans", "period": "2026-11", "after": "sub_9"}),
        ("PaymentRunShard", plain(EXAMPLES["PaymentRunShard"].request)),
    ],
)
async def test_what_only_our_own_workflows_say_is_refused_to_clients(
    foreign: Foreign, name: str, request_of_ours: dict[str, Any]
) -> None:
    error = await refused(foreign, name, request_of_ours)

    assert error.type == "given_by_duly_alone"


async def test_who_starts_and_asks_in_one_call_gets_the_name_of_the_field_too(foreign: Foreign) -> None:
    start = WithStartWorkflowOperation[Any, Any](
        "Collection",
        {"account_id": "acc_42", "period": "2026-11", "provider_id": "stripe"},
        id="collection/acc_42/2026-11",
        task_queue=foreign.queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )

    with pytest.raises(WorkflowUpdateFailedError) as error:
        await foreign.client.execute_update_with_start_workflow("first_outcome", start_workflow_operation=start)

    assert isinstance(error.value.cause, ApplicationError)
    assert error.value.cause.message == "provider_id: is no field; did you mean provider?"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("collection", "did you mean Collection?"), ("Invoice", "there are BackEndReduction, BankRefunds")],
)
async def test_a_workflow_that_is_none_fails_at_once_and_leaves_the_id_free(
    foreign: Foreign, name: str, hint: str
) -> None:
    request = plain(EXAMPLES["Collection"].request)

    error = await refused(foreign, name, request, workflow_id=EXAMPLES["Collection"].id)

    assert (error.type, fields_named(error)) == ("workflow_type_exists", ["workflow_type"])
    assert error.message.startswith(f"workflow_type: '{name}' is no workflow; {hint}")
    async with foreign.waiting("Collection") as handle:
        assert handle.id == EXAMPLES["Collection"].id


async def test_who_starts_no_workflow_and_asks_in_one_call_gets_the_name_that_may_be_meant(foreign: Foreign) -> None:
    start = WithStartWorkflowOperation[Any, Any](
        "collection",
        plain(EXAMPLES["Collection"].request),
        id=EXAMPLES["Collection"].id,
        task_queue=foreign.queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )

    with pytest.raises(WorkflowUpdateFailedError) as error:
        await foreign.client.execute_update_with_start_workflow("first_outcome", start_workflow_operation=start)

    assert isinstance(error.value.cause, ApplicationError)
    assert error.value.cause.type == "workflow_type_exists"


async def test_a_workflow_of_a_newer_release_that_ours_have_started_waits_for_a_worker_that_knows_it(
    foreign: Foreign,
) -> None:
    handle = await foreign.marked.start_workflow("Newer", id="newer", task_queue=foreign.queue)
    await happened(handle, TASK_FAILED)
    described = await handle.describe()
    await handle.terminate("the test is over")

    assert described.status is WorkflowExecutionStatus.RUNNING


async def test_what_a_workflow_of_another_version_sends_waits_for_a_worker_that_understands_it(
    foreign: Foreign,
) -> None:
    request = {**plain(EXAMPLES["Dispute"].request), "dispute_id": 7}

    handle = await foreign.marked.start_workflow(
        "Dispute", request, id=EXAMPLES["Dispute"].id, task_queue=foreign.queue
    )
    await happened(handle, TASK_FAILED)
    described = await handle.describe()
    await handle.terminate("the test is over")

    assert described.status is WorkflowExecutionStatus.RUNNING
