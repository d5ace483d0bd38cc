"""What the gateway books after its answer reaches the ledger once: fees, refunds, disputes, other currencies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.events import SweepRequest
from models.workflow_ids import WORKFLOW_QUEUE, mailing_id, movements_id, sweep_id
from sandbox.reconciliation import clearing_balances
from sandbox.stripe.control.client import STRIPES_DELAYS, AccountSettings, SandboxControl
from tests.fixtures.refunds import RefundClient
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.invariants import day_ends
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.events.event_sweep import EventSweep
from workflows.events.targets import target_of
from workflows.gateway.movements import GATHERING

FEE_MINOR = 103
DOLLARS = AccountSettings(settlement_currency="usd", exchange_rates={"eur": 1.1})


async def paid(duly: RunningDuly, merchant: Merchant, accounts: int = 3) -> None:
    """Let customers pay 25.00 EUR each, which the gateway has not booked yet."""
    for _ in range(accounts):
        account = await merchant.account(owes_minor=2500)
        await (await duly.start_collection(account)).execute_update("first_outcome")


async def fees(merchant: Merchant) -> list[tuple[Any, ...]]:
    """Return every fee in the ledger: whether its payment is known, amount, currency."""
    rows = await merchant.run(
        "select payment_id is not null, amount_minor, currency from duly.gateway_bookings"
        " where kind = 'fee' order by id"
    )
    return [tuple(row) for row in rows]


async def deliver(duly: RunningDuly, gateway: StripeGateway, inbox: EventInbox, sandbox: SandboxControl) -> None:
    """Receive all of the gateway's events and deliver them."""
    since = datetime.fromtimestamp(sandbox.now(), UTC) - timedelta(days=1)
    await inbox.receive(*[event async for event in gateway.events(since)])
    await EventDelivery(inbox, duly.client, target_of).deliver_waiting()


async def gathered(duly: RunningDuly, merchant: Merchant) -> None:
    """Let the time pass in which events are gathered, and wait until nothing is open."""
    await duly.environment.sleep(GATHERING)

    async def is_booked() -> bool:
        return bool(
            await merchant.value("select not exists (select from duly.gateway_expectations where movement is null)")
        )

    await until(is_booked)
    described = await duly.client.get_workflow_handle(movements_id("stripe")).describe()
    assert described.search_attributes.get("Provider") == ["stripe"]


async def gateway_balances(sandbox: SandboxControl) -> dict[str, int]:
    totals = sandbox.movements().totals
    return {total.currency.upper(): total.balance_minor for total in totals if total.balance_minor}


async def test_fees_that_are_booked_later_reach_the_ledger_by_their_event(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    inbox: EventInbox,
    stripe_sandbox: SandboxControl,
) -> None:
    await paid(duly, merchant)
    at_first = await fees(merchant)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)

    await deliver(duly, gateway, inbox, stripe_sandbox)
    await gathered(duly, merchant)

    assert at_first == []
    assert await fees(merchant) == [(True, FEE_MINOR, "EUR")] * 3
    assert await merchant.value("select count(*) from duly.gateway_expectations where movement is null") == 0


async def test_a_fee_whose_event_was_lost_is_found_by_the_sweep_and_booked_once(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    inbox: EventInbox,
    stripe_sandbox: SandboxControl,
    database: Database,
) -> None:
    await paid(duly, merchant)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)

    swept = await duly.client.execute_workflow(
        EventSweep.run, SweepRequest("stripe"), id=sweep_id("stripe"), task_queue=WORKFLOW_QUEUE
    )
    await deliver(duly, gateway, inbox, stripe_sandbox)
    await gathered(duly, merchant)
    again = await day_ends(stripe_sandbox, database, gateway)

    assert swept.delivered.put_off == 0
    assert (again.booked, again.open) == (0, 0)
    assert await fees(merchant) == [(True, FEE_MINOR, "EUR")] * 3


async def test_what_is_listed_too_early_for_the_mark_is_looked_up_by_the_sweep_when_it_is_due(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    await paid(duly, merchant)
    async with owner_engine.begin() as owner:
        # The list has been read beyond the moment that the movements will bear.
        await owner.execute(text("insert into duly.movement_marks values ('stripe', now() + interval '9 years')"))
        await owner.execute(text("update duly.gateway_expectations set due_at = now()"))
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)

    await duly.client.execute_workflow(
        EventSweep.run, SweepRequest("stripe"), id=sweep_id("stripe"), task_queue=WORKFLOW_QUEUE
    )

    assert await fees(merchant) == [(True, FEE_MINOR, "EUR")] * 3


async def test_a_movement_that_never_comes_is_alerted_once_and_listed(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
    database: Database,
    owner_engine: AsyncEngine,
    cli: CommandLine,
) -> None:
    await paid(duly, merchant, accounts=2)
    async with owner_engine.begin() as owner:
        late = (
            "update duly.gateway_expectations set object = 'ch_gone_' || payment_id, overdue_at = now(), due_at = now()"
        )
        await owner.execute(text(late))

    first = await day_ends(stripe_sandbox, database, gateway)
    second = await day_ends(stripe_sandbox, database, gateway)

    assert (first.overdue, second.overdue) == (2, 2)
    alerts = await merchant.run("select audience, parameters from duly.messages where kind = 'movements_overdue'")
    assert [(alert.audience, alert.parameters["failures"]) for alert in alerts] == [("operator", 2)]
    listed = (await cli.json("movements", "list", "--overdue"))["movements"]
    assert [(each["kind"], each["amount_minor"], each["is_overdue"]) for each in listed] == [("charge", 2500, True)] * 2
    assert "2 that the gateway should have made" in (await cli("doctor", "--json")).stdout


async def test_a_sweep_finds_what_is_overdue_and_has_operators_notified(
    duly: RunningDuly, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    await paid(duly, merchant, accounts=1)
    async with owner_engine.begin() as owner:
        await owner.execute(
            text("update duly.gateway_expectations set object = 'ch_gone', overdue_at = now(), due_at = now()")
        )

    with duly.environment.auto_time_skipping_disabled():
        handle = await duly.client.start_workflow(
            EventSweep.run, SweepRequest("stripe"), id=sweep_id("stripe"), task_queue=WORKFLOW_QUEUE
        )
        await handle.result()
    began = (await handle.describe()).start_time
    mailing = duly.client.get_workflow_handle(mailing_id(f"events/stripe/{began:%Y-%m-%dT%H}"))

    assert await merchant.value("select count(*) from duly.messages where kind = 'movements_overdue'") == 1
    assert (await mailing.describe()).workflow_type == "Mailing"


async def test_refunds_that_go_and_come_back_and_disputes_meet_their_movements(refunds: RefundClient) -> None:
    payment, other = await refunds.paid(2500, 4000)
    refund = await refunds.start(payment, 1000)
    refunds.sandbox.fail_refund(refund.gateway_reference)
    await refunds.deliver_events()
    charge = await refunds.merchant.value(
        "select object from duly.gateway_expectations where payment_id = :id", id=other
    )
    refunds.sandbox.create_dispute(charge)
    refunds.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await refunds.deliver_events()
    await refunds.duly.environment.sleep(1)

    assert await refunds.wrong() == []
    expected = await refunds.merchant.run(
        "select kind, amount_minor, settled_minor, fee_minor from duly.gateway_expectations order by kind, amount_minor"
    )
    assert [tuple(row) for row in expected] == [
        ("charge", 2500, 2500, FEE_MINOR),
        ("charge", 4000, 4000, 146),
        ("dispute", -4000, -4000, 1500),
        ("refund", -1000, -1000, 0),
        ("refund_failure", 1000, 1000, 0),
    ]


async def test_money_that_is_settled_in_another_currency_is_converted_and_the_balance_agrees(
    refunds: RefundClient,
) -> None:
    refunds.sandbox.set_account_settings(DOLLARS)
    payment, other = await refunds.paid(2500, 4000)
    # The rate of the day of the refund is another one.
    refunds.sandbox.set_account_settings(AccountSettings(settlement_currency="usd", exchange_rates={"eur": 1.2}))
    await refunds.start(payment, 1000)
    await day_ends(refunds.sandbox, refunds.database, refunds.gateway)
    charge = await refunds.merchant.value(
        "select object from duly.gateway_expectations where payment_id = :id", id=other
    )
    refunds.sandbox.create_dispute(charge)
    refunds.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await refunds.deliver_events()
    await refunds.duly.environment.sleep(1)

    clearing = await clearing_balances(refunds.database, "stripe")

    assert {currency: left for currency, left in clearing.items() if left} == await gateway_balances(refunds.sandbox)
    conversion = await refunds.merchant.run(
        "select currency, sum(debit_minor - credit_minor)::bigint as left_minor from duly.ledger_entries"
        " where ledger_account = 'currency_conversion:stripe' group by 1 order by 1"
    )
    # 25.00 and 40.00 EUR came at 1.1, 10.00 and 40.00 EUR went at 1.2.
    assert [tuple(row) for row in conversion] == [("EUR", 1500), ("USD", -1150)]
    assert {currency for _, _, currency in await fees(refunds.merchant)} == {"USD"}
    assert await refunds.merchant.run("select * from duly.invariant_violations") == []


async def test_what_an_older_release_posted_is_given_its_expectations(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
    database: Database,
    owner_engine: AsyncEngine,
) -> None:
    await paid(duly, merchant)
    async with owner_engine.begin() as owner:
        await owner.execute(text("delete from duly.gateway_expectations"))
        await owner.execute(text("update duly.installation set functions_applied_at = now() - interval '2 minutes'"))

    booked = await day_ends(stripe_sandbox, database, gateway)

    assert (booked.booked, booked.open) == (3, 0)
    assert await fees(merchant) == [(True, FEE_MINOR, "EUR")] * 3
    assert await merchant.value("select is_done from duly.expectation_backfill") is True


@pytest.mark.parametrize("copies", [1, 2])
async def test_the_same_page_of_movements_books_once(
    duly: RunningDuly,
    merchant: Merchant,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
    database: Database,
    copies: int,
) -> None:
    await paid(duly, merchant, accounts=1)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    since = datetime.fromtimestamp(stripe_sandbox.now(), UTC) - timedelta(hours=1)
    [moved] = [movement async for movement in gateway.movements(since)]
    page = [{"kind": "charge", **moved.as_booked()}] * copies

    counts = [
        await database.call("book_movements", provider_id="stripe", movements={"movements": page}) for _ in range(2)
    ]

    assert counts == [1, 0]
    assert len(await fees(merchant)) == 1


async def test_a_movement_in_a_currency_that_nobody_has_any_more_holds_no_other_up(
    refunds: RefundClient,
) -> None:
    refunds.sandbox.set_account_settings(AccountSettings(settlement_currency="bgn", exchange_rates={"eur": 1.95583}))
    await refunds.paid(2500)
    refunds.sandbox.set_account_settings(AccountSettings())
    await refunds.paid(4000)

    booked = await day_ends(refunds.sandbox, refunds.database, refunds.gateway)

    assert (booked.booked, booked.open) == (1, 1)
    assert await fees(refunds.merchant) == [(True, 146, "EUR")]
