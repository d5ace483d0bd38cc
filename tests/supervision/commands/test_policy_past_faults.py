"""How far a collection has come under its policy is the same after a fault, and after its workflow was stopped."""

from contextlib import suppress
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from models.collections.collection import CollectionStatus, GraceCommand, Stage
from tests.supervision.commands.accepted import GRACE
from tests.supervision.commands.suspended import A_WHILE, declined_cards, until_suspended
from tests.supervision.failing_activities import FailingActivities
from tests.supervision.scenario import WHO, Company
from tests.support.attempts import attempts
from tests.support.run_control import until

DECLINED_TWICE = [(1, "declined"), (2, "declined")]
# Due while the collection stands still.
SOON: dict[str, Any] = {"declined_after": ["PT5M", "P3D"], "local_hour": None}


@pytest.mark.slow
async def test_the_cards_that_were_tried_and_the_planned_attempt_are_the_same_after_a_fault(
    company: Company, failing: FailingActivities
) -> None:
    handle = await declined_cards(company, "acc-tried", attempts=2)
    before = await _status(handle)

    await _suspend(company, failing, handle)
    await _go_on(company)
    after = await _status(handle)

    assert await attempts(company.merchant, "acc-tried") == DECLINED_TWICE
    assert (after.next_action, after.next_action_at) == (before.next_action, before.next_action_at)


@pytest.mark.slow
async def test_a_collection_whose_workflow_was_stopped_tries_no_card_again_and_counts_its_declines_once(
    company: Company,
) -> None:
    handle = await declined_cards(company, "acc-stopped", attempts=2)
    before = await _status(handle)

    await handle.terminate()
    again = await company.duly.start_collection("acc-stopped")
    await _is_planned(again)

    assert await attempts(company.merchant, "acc-stopped") == DECLINED_TWICE
    assert (await _status(again)).next_action == before.next_action


@pytest.mark.slow
async def test_a_page_that_is_opened_while_a_fault_suspends_a_collection_stays_open_under_grace_given_before_it(
    company: Company, failing: FailingActivities
) -> None:
    handle = await declined_cards(company, "acc-page-open", attempts=1)
    await _suspend(company, failing, handle)
    until_then = await company.duly.environment.get_current_time() + GRACE
    await handle.execute_update("extend_grace", GraceCommand("maria", "as agreed", until_then))
    url = await handle.execute_update("open_page", result_type=str)

    await _go_on(company)
    status = await _status(handle)

    assert (status.stage, status.attempt) == (Stage.WAITING_FOR_CUSTOMER, 2)
    assert await handle.execute_update("open_page", result_type=str) == url
    assert await attempts(company.merchant, "acc-page-open") == [(1, "declined"), (2, "processing")]


@pytest.mark.slow
async def test_what_was_accepted_comes_before_an_attempt_that_was_due_while_a_fault_suspended_its_collection(
    company: Company, failing: FailingActivities
) -> None:
    handle = await declined_cards(company, "acc-due", attempts=1, **SOON)
    await _suspend(company, failing, handle)
    await handle.execute_update("give_up", WHO)

    await _go_on(company)

    assert (await handle.result()).reason == "operator_gave_up"
    assert await attempts(company.merchant, "acc-due") == [(1, "declined")]


async def _suspend(company: Company, failing: FailingActivities, handle: WorkflowHandle[Any, Any]) -> None:
    failing.only("is_owed")
    await company.signal(handle.id, "receivable_changed")
    await until_suspended(company, handle.id)


async def _go_on(company: Company) -> None:
    with suppress(RPCError):
        await company.duly.environment.sleep(A_WHILE)


async def _status(handle: WorkflowHandle[Any, Any]) -> CollectionStatus:
    status: CollectionStatus = await handle.query("status", result_type=CollectionStatus)
    return status


async def _is_planned(handle: WorkflowHandle[Any, Any]) -> None:
    async def is_planned() -> bool:
        return (await _status(handle)).stage is Stage.DUNNING

    await until(is_planned)
