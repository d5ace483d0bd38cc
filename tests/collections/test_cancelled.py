"""Cancel, the UI's blue button, on a collection: the receivable is let go once no attempt is outstanding."""

import pytest
from temporalio.client import WorkflowFailureError

from models.collections.collection import CANCELLED, RetryCommand, Stage
from models.gateway.gateway_request import CollectResult
from sandbox.stripe.control.client import SandboxControl
from tests.support.attempts import charged, never_answer
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly


async def stops(merchant: Merchant) -> list[tuple[str, str]]:
    return [(row.how, row.reason) for row in await merchant.run("select how, reason from duly.workflow_stops")]


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
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await handle.cancel(reason="a mistake")
    await handle.result()

    again = await (await duly.start_collection(account)).result()

    assert (again.stage, again.attempts) == (Stage.SETTLED, 2)
    assert charged(stripe_sandbox) == (1, 2500)


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
