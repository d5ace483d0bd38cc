"""Payments that were made in the gateway's dashboard: what was captured counts, and who collects it looks again."""

import pytest

from models.collections.collection import Stage
from models.gateway.gateway_request import CollectResult
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay_in_the_dashboard
from tests.reconciliation.test_found_by_events import deliver, until_found
from tests.support.builders import declined


async def found(reconciling: ReconciliationClient, how: str) -> None:
    """Let what has happened be found by its events, or by the reconciliation of the day."""
    if how == "event":
        await deliver(reconciling)
        await until_found(reconciling, "unbooked_charge")
    else:
        await reconciling.reconcile()


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("how", ["event", "day"])
async def test_of_a_payment_that_was_captured_in_part_that_part_is_booked(
    reconciling: ReconciliationClient, how: str
) -> None:
    account = await reconciling.merchant.account()
    await pay_in_the_dashboard(reconciling, account, 4000, capture_method="manual")
    held = (await reconciling.stripe.v1.payment_intents.list_async({"limit": 1})).data[0]
    await reconciling.reconcile()
    before = await reconciling.discrepancies()
    await reconciling.stripe.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 1700})

    await found(reconciling, how)
    await reconciling.reconcile()

    assert before == []
    assert [(one.kind, one.amount_minor) for one in await reconciling.discrepancies()] == [("unbooked_charge", 1700)]
    assert await reconciling.merchant.balance(account) == -1700
    assert await reconciling.wrong() == []


@pytest.mark.parametrize("how", ["event", "day"])
async def test_a_receivable_in_dunning_that_such_a_payment_settles_is_over_at_once(
    reconciling: ReconciliationClient, period: str, how: str
) -> None:
    account = await reconciling.merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await reconciling.duly.start_collection(account, period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await pay_in_the_dashboard(reconciling, account, 2500)

    await found(reconciling, how)
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.SETTLED, "nothing_owed")
    assert await reconciling.merchant.balance(account) == 0
    assert await reconciling.wrong() == []
