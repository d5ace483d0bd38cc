"""Reset, in the UI, on a collection that has let its receivable go: it stays let go, and can be collected again."""

from dataclasses import replace

import pytest

from models.collections.collection import CANCELLED, Stage
from models.gateway.gateway_request import CollectResult
from models.operator_command import OperatorCommand
from sandbox.stripe.control.client import SandboxControl
from tests.supervision.pressing import Button, press
from tests.support.attempts import charged
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly

WHO = OperatorCommand("maria", "pays otherwise")
MESSAGES = "select count(*) from duly.messages where audience = 'customer'"


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("how", ["cancelled", "given up", "no card"])
async def test_it_ends_as_it_had_and_charges_nothing(
    standing_duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, period: str, how: str
) -> None:
    cards = [] if how == "no card" else ["pm_card_visa"]
    account = await merchant.account(
        f"acc-{period}", cards=cards, answers=[declined("insufficient_funds")][: len(cards)], owes_minor=2500
    )
    handle = await standing_duly.start_collection(account, period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    if how == "cancelled":
        await handle.cancel(reason="a mistake")
    else:
        await handle.execute_update("give_up", WHO)
    ended = await handle.result()
    written = await merchant.value(MESSAGES)
    if how == "no card":
        await merchant.card(account, "pm_card_visa")

    await press(standing_duly.client, Button.RESET, handle.id)
    again = await standing_duly.collection(account, period).result()

    assert replace(again, attempts=ended.attempts) == ended
    assert (charged(stripe_sandbox)[0], await merchant.value(MESSAGES)) == (0, written)
    assert await merchant.value("select count(*) from duly.collections where closed_at is null") == 0
    if how == "cancelled":
        assert ended.reason == CANCELLED
        result = await (await standing_duly.start_collection(account, period)).result()
        assert (result.stage, charged(stripe_sandbox)) == (Stage.SETTLED, (1, 2500))
