"""A restored database is known by what others remember, and sends nothing."""

import asyncio
from datetime import timedelta

import pytest
import stripe
from aiolimiter import AsyncLimiter
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.fence import Fence
from activities.recovery.temporal_memory import TemporalMemory
from activities.recovery.watch import RestoreWatch
from activities.refunds.refunds import RefundActivities
from models.gateway.gateway_request import CollectOutcome
from models.refunds.refund import RefundAttempt, RefundOrder
from models.workflow_ids import witness_schedule
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.recovery.conftest import Backup, Watching
from tests.recovery.steps import rule_of, state
from tests.support.attempts import CHARGES, attempts, charged, request_for
from tests.support.builders import Merchant


async def test_a_database_that_only_goes_on_is_not_held(
    merchant: Merchant, database: Database, watching: Watching
) -> None:
    for _ in range(3):
        await watching(database).compare()

    assert (await database.call("recovery_view", provider_id="stripe"))["state"] == "open"


async def test_a_process_that_works_on_notices_that_its_database_was_restored(
    merchant: Merchant, database: Database, gateway: StripeGateway, backup: Backup
) -> None:
    bring_back = await backup()
    watch = RestoreWatch(database, "stripe", gateway, None)
    await watch.compare()
    await watch.compare()
    books = await bring_back()
    watch._database = books.database  # as if it had connected again

    await watch.compare()

    assert await state(books) == "held"


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("forgetful", ["nobody", "the gateway", "Temporal"])
async def test_a_process_that_starts_on_a_restored_database_holds_it_by_what_others_remember(
    merchant: Merchant, database: Database, watching: Watching, backup: Backup, forgetful: str,
    stripe_client: stripe.StripeClient, gateway: StripeGateway, temporal_server: Client,
) -> None:  # fmt: skip
    bring_back = await backup()
    await watching(database).compare()
    await watching(database).compare()
    books = await bring_back()
    if forgetful == "the gateway":
        for customer in (await stripe_client.v1.customers.list_async()).data:
            await stripe_client.v1.customers.delete_async(customer.id)
    temporal = None if forgetful == "Temporal" else TemporalMemory(temporal_server)

    await RestoreWatch(books.database, "stripe", gateway, temporal).compare()

    assert await state(books) == "held"
    assert await merchant.value("select count(*) from duly.sending") == 0
    alerts = await books.merchant.run("select parameters ->> 'provider' as provider from duly.messages")
    assert [row.provider for row in alerts] == ["stripe"]


@pytest.mark.nightly
async def test_a_gap_that_is_shorter_than_a_beat_is_noticed_by_payments_without_rows(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    gateway: StripeGateway,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    await watching(database).compare()
    bring_back = await backup()
    await collecting.collect(request_for(account))
    books = await bring_back()

    await RestoreWatch(books.database, "stripe", gateway, None).compare()

    assert await state(books) == "held"


async def test_a_server_whose_log_ends_before_what_this_process_has_seen_of_it_is_held(
    merchant: Merchant, database: Database
) -> None:
    async def compared_after(log_seen: int) -> str:
        await watch.compare(log_seen=log_seen)
        return str((await database.call("recovery_view", provider_id="stripe"))["state"])

    watch = RestoreWatch(database, "stripe", None, None)
    seen = (await database.call("counted"))["log_position"]

    assert await compared_after(seen) == "open"
    assert await compared_after(seen + 10**9) == "held"


async def test_a_temporal_that_has_forgotten_is_noticed_and_holds_nothing(
    merchant: Merchant, database: Database, gateway: StripeGateway, temporal_server: Client
) -> None:
    memory = TemporalMemory(temporal_server)
    await RestoreWatch(database, "stripe", gateway, memory).compare()
    await RestoreWatch(database, "stripe", gateway, memory).compare()
    noticed_before = await merchant.value("select count(*) from duly.messages")
    installation = await merchant.value("select id from duly.installation")
    await temporal_server.get_schedule_handle(witness_schedule(installation)).delete()

    await RestoreWatch(database, "stripe", gateway, memory).compare()
    await RestoreWatch(database, "stripe", gateway, memory).compare()

    assert noticed_before == 0
    assert [row.kind for row in await merchant.run("select kind from duly.messages")] == ["temporal_forgot"]
    assert (await database.call("recovery_view", provider_id="stripe"))["state"] == "open"


@pytest.mark.nightly
async def test_what_is_held_sends_nothing_and_changes_nothing(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    stripe_sandbox: SandboxControl,
) -> None:  # fmt: skip
    paid = await merchant.account(owes_minor=1000)
    account = await merchant.account(owes_minor=2500)
    await collecting.collect(request_for(paid))
    bring_back = await backup()
    await watching(database).compare()
    books = await bring_back()
    await watching(books.database).compare()
    fence = Fence(books.database, lambda: None)
    await fence.compared((await books.database.call("fence_state"))["server"])
    books.gateway.send_only_if(fence.require_open)
    posts = {name: count for name, count in stripe_sandbox.request_counts().items() if not name.startswith("GET")}
    payment = await books.merchant.value("select transaction_id from duly.gateway_requests")
    refunds = RefundActivities(
        books.database, books.gateway, Clocks(books.database, books.gateway), AsyncLimiter(1000, 1), "stripe"
    )

    refused = [
        await rule_of(books.collecting.collect(request_for(account))),
        await rule_of(books.pages.open_page(request_for(account))),
        await rule_of(refunds.refund(RefundAttempt(RefundOrder("rf_1", payment, 100, is_acknowledged=True)))),
        await rule_of(books.database.call("require_sending", provider_id="")),
    ]
    with pytest.raises(Exception, match="sending_is_held"):
        await books.gateway.create_customer("acc_9", installation="i", idempotency_key="k")

    after = {name: count for name, count in stripe_sandbox.request_counts().items() if not name.startswith("GET")}
    assert refused == ["sending_is_held"] * 4
    assert after == posts
    assert await attempts(books.merchant, account) == []


async def test_what_is_refused_while_held_is_tried_again_by_itself(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(owes_minor=2500)
    await database.call("hold_sending", provider_id="stripe", reason="a test", forgot_since="2026-11-01T00:00:00Z")

    with pytest.raises(ApplicationError) as refused:
        await collecting.collect(request_for(account))

    assert not refused.value.non_retryable
    assert refused.value.next_retry_delay == timedelta(minutes=1)


async def test_nothing_is_sent_before_the_database_was_compared(
    gateway: StripeGateway, database: Database, merchant: Merchant
) -> None:
    gateway.send_only_if(Fence(database, lambda: None).require_open)

    with pytest.raises(Exception, match="not_compared_yet"):
        await gateway.create_customer("acc_9", installation="i", idempotency_key="k")


@pytest.mark.nightly
async def test_charges_that_were_being_sent_when_a_database_was_held_are_booked_and_nothing_new_is_sent(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    accounts = [await merchant.account(owes_minor=2500) for _ in range(8)]
    other = await merchant.account(owes_minor=900)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.SLOW_ANSWER, delay_seconds=1.0))
    window = asyncio.gather(*(collecting.collect(request_for(each)) for each in accounts))
    while charged(stripe_sandbox)[0] < len(accounts):  # noqa: ASYNC110
        await asyncio.sleep(0.05)

    await database.call("hold_sending", provider_id="stripe", reason="a test", forgot_since="2026-11-01T00:00:00Z")
    answered = await window
    refused = await rule_of(collecting.collect(request_for(other)))

    assert {one.outcome for one in answered} == {CollectOutcome.SETTLED}
    assert [await merchant.balance(each) for each in accounts] == [0] * 8
    assert (refused, charged(stripe_sandbox)) == ("sending_is_held", (8, 20000))
