"""Beside live traffic: rounds that run while money moves raise no alarm, and the next one matches what is left."""

import asyncio

import pytest
from sqlalchemy import text

from sandbox.stripe.control.client import Delays, Fault, FaultKind
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay_in_the_dashboard
from tests.support.attempts import CHARGES
from tests.support.run_control import shape

ACCOUNTS = 30


@pytest.mark.nightly
async def test_rounds_beside_a_run_with_late_fees_and_lost_answers_raise_no_alarm(
    reconciling: ReconciliationClient, period: str
) -> None:
    sandbox, merchant = reconciling.sandbox, reconciling.merchant
    await shape(merchant, window=4)
    for number in range(ACCOUNTS):
        await merchant.account(f"acc-{period}-{number:02}", owes_minor=1000 + number)
    sandbox.set_delays(Delays(balance_transaction=1))
    sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.RESPONSE_LOST, probability=0.2, seed=3))
    run = asyncio.create_task(reconciling.duly.run(period=period))

    meanwhile = []
    while not run.done():
        meanwhile.append(await reconciling.reconcile())
    await run
    sandbox.advance(2)
    last = await reconciling.reconcile()

    assert {one.open_discrepancies for one in meanwhile} == {0}
    assert (last.open_discrepancies, await reconciling.discrepancies()) == (0, [])
    assert {total.state for total in last.totals} == {"matched"}
    assert await reconciling.wrong() == []


async def test_what_is_young_at_the_gateway_is_left_for_the_next_round(reconciling: ReconciliationClient) -> None:
    account = await reconciling.merchant.account(owes_minor=2500)
    await pay_in_the_dashboard(reconciling, account, 2500)

    young = await reconciling.reconcile(young_minutes=15)

    assert ([total.state for total in young.totals], await reconciling.discrepancies()) == (["open"], [])
    assert [one.difference_minor for one in young.balances] == [0]


@pytest.mark.nightly
async def test_what_is_booked_and_missing_at_the_gateway_is_found_a_day_later(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)
    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(
            text(
                "update duly.gateway_expectations set object = 'ch_forged',"
                " expected_at = expected_at - interval '25 hours' where kind = 'charge'"
            )
        )

    certificate = await reconciling.reconcile()

    kinds = [(one.kind, one.object, one.state) for one in await reconciling.discrepancies()]
    assert ("missing_charge", "ch_forged", "open") in kinds
    assert certificate.open_discrepancies == len(kinds)
