"""What belongs to one provider is asked of no other: absence at the wrong one would be proof of nothing."""

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ActivityError, ApplicationError

from models.cards.card import CardRequest
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.operator_command import OperatorCommand
from models.workflow_ids import WORKFLOW_QUEUE, card_id
from tests.runs.providers.conftest import TwoProviders
from tests.support.attempts import charged, never_answer
from tests.support.run_control import until
from workflows.cards.card_lifecycle import CardLifecycle


def rule_of(error: BaseException | None) -> str:
    """The rule that a failure names."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return str(getattr(cause, "type", ""))


async def test_a_refund_of_another_providers_payment_is_refused_and_nothing_is_written(two: TwoProviders) -> None:
    [payment] = await two.second.paid(2500)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await two.first.start(payment, 500, name="rf_astray")

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "provider_of_payment"
    assert await two.first.merchant.value("select count(*) from duly.gateway_requests where id = 'rf_astray'") == 0
    assert (await two.second.start(payment, 500, name="rf_astray_2")).amount_minor == 500


async def test_what_nobody_knows_at_one_provider_is_never_charged_through_another(two: TwoProviders) -> None:
    account = await two.first.merchant.account(owes_minor=2500)
    never_answer(two.first.sandbox)
    handle = await two.duly.start_collection(account, two.period)
    unknown = await handle.execute_update("first_outcome", result_type=CollectResult)
    await handle.terminate("pressed by an operator")

    with pytest.raises(WorkflowFailureError) as refused:
        await (await two.duly.start_collection(account, two.period, provider="other")).result()
    two.first.sandbox.clear_faults()
    await two.duly.start_collection(account, two.period)
    stage = await two.settled(account)

    assert unknown.outcome is CollectOutcome.UNKNOWN
    assert rule_of(refused.value.cause) == "provider_of_receivable"
    assert stage == "settled"
    assert (charged(two.first.sandbox), charged(two.second.sandbox)) == ((1, 2500), (0, 0))


def validations(two: TwoProviders) -> list[int]:
    return [one.sandbox.request_counts().get("POST /v1/setup_intents", 0) for one in (two.first, two.second)]


async def test_a_card_is_validated_by_its_own_provider_whatever_a_start_names(two: TwoProviders) -> None:
    account = await two.second.merchant.account()
    card = str(await two.second.merchant.value("select id from duly.cards where account_id = :id", id=account))
    handle = await two.duly.client.start_workflow(
        CardLifecycle.run, CardRequest(card, "stripe"), id=card_id(card), task_queue=WORKFLOW_QUEUE
    )

    async def is_loaded() -> bool:
        return (await handle.query(CardLifecycle.status)).card is not None

    await until(is_loaded)
    await handle.execute_update("revalidate", OperatorCommand("maria", "as agreed"))

    async def is_validated() -> bool:
        return sum(validations(two)) > 0

    await until(is_validated)
    assert validations(two) == [0, 1]
