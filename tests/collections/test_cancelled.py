"""Cancel, the UI's blue button, on a collection: the receivable is let go once no attempt is outstanding."""

import pytest
from temporalio.client import WorkflowFailureError

from models.collections.collection import CANCELLED, PaidOutsideCommand, RetryCommand, Stage
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.operator_command import OperatorCommand
from sandbox.stripe.control.client import SandboxControl
from tests.support.attempts import charged, never_answer
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly


async def stops(merchant: Merchant) -> list[tuple[str, str]]:
    return [(row.how, row.reason) for row in await merchant.run("select how, reason from duly.workflow_stops")]


async def cancelled(duly: RunningDuly, merchant: Merchant) -> str:
    """Return an account whose collection was cancelled after a decline."""
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await handle.cancel(reason="a mistake")
    await handle.result()
    return account


async def test_between_attempts_the_receivable_is_let_go_and_it_is_kept_who_asked(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)

    await handle.cancel(reason="a mistake")
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, CANCELLED)
    assert await merchant.value("select count(*) from duly.owned_invoices") == 0
    assert await stops(merchant) == [("cancel_asked", "a mistake")]


async def test_an_outstanding_answer_is_waited_for_and_booked(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    never_answer(stripe_sandbox)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)

    await handle.cancel(reason="it hangs")
    stripe_sandbox.clear_faults()
    result = await handle.result()

    assert (result.stage, charged(stripe_sandbox)) == (Stage.SETTLED, (1, 2500))
    assert await merchant.balance(account) == 0


async def test_what_was_cancelled_can_be_collected_again_in_its_period(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await cancelled(duly, merchant)

    again = await (await duly.start_collection(account)).result()

    assert (again.stage, again.attempts) == (Stage.SETTLED, 2)
    assert charged(stripe_sandbox) == (1, 2500)


@pytest.mark.parametrize("how", ["give_up", "mark_paid_outside", "cancel", "deadline"])
async def test_what_was_cancelled_and_opened_again_ends_though_nothing_more_could_be_tried(
    duly: RunningDuly, merchant: Merchant, how: str
) -> None:
    account = await cancelled(duly, merchant)
    await merchant.run(
        "update duly.cards set state = :state where account_id = :account", state="removed", account=account
    )

    again = await duly.start_collection(account)
    first = await again.execute_update("first_outcome", result_type=CollectResult)
    if how == "give_up":
        await again.execute_update("give_up", OperatorCommand("maria", "they have left"))
    elif how == "mark_paid_outside":
        await again.execute_update("mark_paid_outside", PaidOutsideCommand("maria", "by bank", reference="stmt-42"))
    elif how == "cancel":
        await again.cancel(reason="again")
    result = await again.result()

    assert first.outcome == CollectOutcome.NO_CARD
    assert result.stage == (Stage.SETTLED if how == "mark_paid_outside" else Stage.GIVEN_UP)
    assert await merchant.value("select state from duly.gateway_requests") == "rejected"


async def test_one_that_was_terminated_goes_on_from_its_rows_and_does_not_charge_at_once(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await handle.terminate("a mistake")
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    again = await duly.start_collection(account)
    first = await again.execute_update("first_outcome", result_type=CollectResult)

    assert (first.outcome, first.attempt, charged(stripe_sandbox)) == ("declined", 1, (0, 0))
    await again.execute_update("retry_now", RetryCommand("maria", "the card is good by now"))
    assert (await again.result()).stage == Stage.SETTLED
