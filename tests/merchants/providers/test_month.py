"""A month of a platform and three merchants on their own accounts: each one's books add up alone, whatever happens."""

from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from models.gateway.events import SweepRequest
from models.reconciliation.reconciliation import ReconciliationCertificate, ReconciliationRequest
from models.workflow_ids import WORKFLOW_QUEUE, reconciliation_id, sweep_id
from sandbox.stripe.control.client import AT_ONCE, STRIPES_DELAYS, Fault, FaultKind
from tests.fixtures.refunds import RefundClient
from tests.merchants.providers.conftest import Platform, connected
from tests.runs.test_who_is_due import define
from tests.support.attempts import quiet_period_passes
from workflows.events.event_sweep import EventSweep
from workflows.reconciliation.reconciliation import Reconciliation

OWES = (1000, 2500, 700)


async def customers(client: RefundClient, period: str) -> list[str]:
    """Customers of a merchant, or of the platform, who owe something."""
    accounts = []
    for number, amount in enumerate(OWES):
        accounts.append(await client.merchant.account(f"{client.provider}-{number}-{period}", owes_minor=amount))
    return accounts


async def all_paid(platform: Platform, client: RefundClient, accounts: Sequence[str]) -> None:
    """Let every collection look again at once, until nobody owes anything."""
    for account in accounts:
        handle = platform.duly.collection(account, platform.period)
        while await client.merchant.balance(account):
            await quiet_period_passes(client.owner_engine)
            with suppress(RPCError):
                if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                    await handle.signal("gateway_event")


async def reconciled(platform: Platform, client: RefundClient) -> ReconciliationCertificate:
    await platform.duly.client.execute_workflow(
        EventSweep.run, SweepRequest(client.provider), id=sweep_id(client.provider), task_queue=WORKFLOW_QUEUE
    )
    day = datetime.fromtimestamp(platform.sandbox.now(), UTC).date()
    return await platform.duly.client.execute_workflow(
        Reconciliation.run,
        ReconciliationRequest(client.provider, day, 0),
        id=reconciliation_id(client.provider, f"{day}"),
        task_queue=WORKFLOW_QUEUE,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        FaultKind.RESPONSE_LOST,
        pytest.param(FaultKind.STORED_500_AFTER_EFFECT, marks=pytest.mark.nightly),
        pytest.param(None, marks=pytest.mark.nightly),
    ],
)
async def test_a_platform_and_three_merchants_reconcile_each_alone(platform: Platform, fault: FaultKind | None) -> None:
    platform.sandbox.set_delays(AT_ONCE)
    async with AsyncExitStack() as stack:
        merchants = [
            await stack.enter_async_context(connected(platform, f"{name}-{platform.period}"))
            for name in ("bar", "cafe", "shop")
        ]
        clients = [platform.own, *(each.client for each in merchants)]
        owing = {client.provider: await customers(client, platform.period) for client in clients}
        for number, each in enumerate(merchants):
            await define(each.client.merchant, f"due-{number}", provider_id=each.id)
        if fault is not None:
            platform.sandbox.add_fault(Fault(operation="POST /v1/payment_intents", kind=fault, probability=0.4, seed=7))
        runs = [
            await platform.duly.start_run(name, platform.period)
            for name in ("monthly", *(f"due-{number}" for number in range(len(merchants))))
        ]
        for run in runs:
            await run.result()
        platform.sandbox.clear_faults()
        for client in clients:
            await all_paid(platform, client, owing[client.provider])
        payment = await merchants[0].client.merchant.value(
            "select transaction_id from duly.gateway_requests where account_id = :id and kind = 'payment'",
            id=owing[merchants[0].id][1],
        )
        await merchants[0].client.start(payment, 300)
        certificates = {client.provider: await reconciled(platform, client) for client in clients}

        for each in merchants:
            [total] = platform.sandbox.movements(account=each.account).totals
            assert (total.charges.count, total.charges.amount_minor) == (3, sum(OWES))
        [own] = platform.sandbox.movements().totals
        assert (own.charges.count, own.refunds.count) == (3, 0)
        for certificate in certificates.values():
            assert certificate.open_discrepancies == 0
            assert [one.difference_minor for one in certificate.balances] == [0]
        for client in clients:
            assert await client.wrong() == []
    platform.sandbox.set_delays(STRIPES_DELAYS)
