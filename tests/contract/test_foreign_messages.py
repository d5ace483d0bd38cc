"""What clients in any language say to workflows: nonsense is refused by the field's name and breaks nothing."""

from dataclasses import is_dataclass
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.contract.foreign import (
    ACCEPTED,
    NAMES,
    REGISTERED,
    TASK_FAILED,
    Foreign,
    Mistake,
    kinds_of,
    mistakes,
    plain,
    unstorable,
)
from tests.contract.run_examples import EXAMPLES

WITH_SIGNALS = [name for name in NAMES if EXAMPLES[name].signals]
WITH_UPDATES = [name for name in NAMES if EXAMPLES[name].updates]
WITH_QUERIES = [name for name in NAMES if EXAMPLES[name].queries]


async def details_of(handle: WorkflowHandle[Any, Any]) -> str:
    """Return what the UI shows as current details."""
    metadata = await handle.query("__temporal_workflow_metadata")
    return str(metadata.current_details)


async def answer_to(handle: WorkflowHandle[Any, Any], update: str, mistake: Mistake) -> str:
    """Send an update that is wrong; return what is missing in the answer, if anything."""
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await handle.execute_update(update, args=list(mistake.arguments))
    cause = error.value.cause
    assert isinstance(cause, ApplicationError)
    is_named = cause.type == "invalid_input" and mistake.field in cause.message
    # The UI shows what is said and the traceback below it: a refusal is one line.
    is_one_line = "\n" not in cause.message and cause.failure is not None and not cause.failure.stack_trace
    return "" if is_named and is_one_line else f"{update} {mistake}: {cause}"


def beyond_bounds(arguments: tuple[Any, ...]) -> list[Mistake]:
    """Return the mistakes of a signal whose first argument holds a value that nothing could store."""
    if not arguments or not is_dataclass(arguments[0]):
        return []
    others = tuple(plain(argument) for argument in arguments[1:])
    return [Mistake((value, *others), field) for value, field in unstorable(arguments[0])]


@pytest.mark.gate_cases("PaymentRequest", "Refund")
@pytest.mark.parametrize("name", WITH_UPDATES)
async def test_an_update_that_is_wrong_is_refused_by_the_name_of_the_field_and_leaves_no_trace(
    foreign: Foreign, name: str
) -> None:
    async with foreign.waiting(name) as handle:
        for update, call in EXAMPLES[name].updates.items():
            if call.takes is None:
                continue
            wrong = [
                *mistakes(call.takes, may_be_missing=call.may_take),
                *(Mistake((value,), field) for value, field in unstorable(call.takes)),
            ]
            missed = [await answer_to(handle, update, mistake) for mistake in wrong]
            assert list(filter(None, missed)) == []
        kinds = await kinds_of(handle)

    assert not {TASK_FAILED, ACCEPTED} & set(kinds)


@pytest.mark.parametrize("name", WITH_UPDATES)
async def test_an_update_that_takes_nothing_refuses_what_it_is_given_and_leaves_no_trace(
    foreign: Foreign, name: str
) -> None:
    async with foreign.waiting(name) as handle:
        for update, call in EXAMPLES[name].updates.items():
            if call.takes is None:
                missed = [await answer_to(handle, update, mistake) for mistake in mistakes()]
                assert list(filter(None, missed)) == []
        kinds = await kinds_of(handle)

    assert not {TASK_FAILED, ACCEPTED} & set(kinds)


@pytest.mark.parametrize("name", WITH_QUERIES)
async def test_a_query_that_is_given_something_is_answered_with_the_reason(foreign: Foreign, name: str) -> None:
    async with foreign.waiting(name) as handle:
        for query in EXAMPLES[name].queries:
            await handle.query(query)
            for mistake in (Mistake(({"perod": 1},), "arguments"), *mistakes()):
                with pytest.raises(WorkflowQueryFailedError, match="arguments: must be none"):
                    await handle.query(query, args=list(mistake.arguments))
        kinds = await kinds_of(handle)

    assert TASK_FAILED not in kinds


@pytest.mark.parametrize("name", WITH_SIGNALS)
async def test_a_signal_that_is_wrong_is_dropped_counted_and_shown_and_breaks_nothing(
    foreign: Foreign, name: str
) -> None:
    async with foreign.waiting(name) as handle:
        sent = 0
        for signal, arguments in EXAMPLES[name].signals.items():
            for mistake in (*mistakes(*arguments), *beyond_bounds(arguments)):
                await handle.signal(signal, args=list(mistake.arguments))
                sent += 1
            details = await details_of(handle)
            assert f"**Refused**: {sent} signal" in details
            assert f"the last, `{signal}`: " in details
            await handle.signal(signal, args=[plain(argument) for argument in arguments])
        kinds = await kinds_of(handle)
        details = await details_of(handle)

    assert TASK_FAILED not in kinds
    assert f"**Refused**: {sent} signal" in details


@pytest.mark.parametrize("name", WITH_SIGNALS)
async def test_a_signal_whose_name_is_misspelt_is_refused_and_shown_and_not_kept_for_a_handler_that_may_come(
    foreign: Foreign, name: str
) -> None:
    async with foreign.waiting(name) as handle:
        for arguments in ([], [{"account": "acc_1"}], ["one", 2]):
            await handle.signal("gateway_evnt", args=arguments)
        details = await details_of(handle)
        metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        kinds = await kinds_of(handle)

    assert "**Refused**: 3 signals were" in details
    assert "the last, `gateway_evnt`: signal: this workflow takes no signal of that name" in details
    assert {one.name for one in metadata.definition.signal_definitions} == set(EXAMPLES[name].signals)
    assert TASK_FAILED not in kinds


def test_every_update_decides_before_it_is_accepted() -> None:
    without = [
        f"{name}.{update.name}"
        for name in NAMES
        for update in REGISTERED[name].updates.values()
        if update.validator is None
    ]

    assert without == []


def test_no_update_takes_what_a_signal_takes_so_that_it_is_refused_in_time() -> None:
    for name in NAMES:
        definition = REGISTERED[name]
        signals = {tuple(signal.arg_types) for signal in definition.signals.values() if signal.arg_types}
        updates = {tuple(update.arg_types) for update in definition.updates.values() if update.arg_types}

        assert not signals & updates, name
