"""Money of every kind that moved in one gap: after the recovery each account stands where it stood before."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.gateway.stripe_gateway import StripeGateway
from activities.supervision.supervision import Progress, Supervision
from models.collections.collection import RetryCommand
from models.gateway.gateway_request import CollectResult
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import AT_ONCE, SandboxControl
from settings import Settings
from tests.fixtures.reconciling import ReconciliationClient
from tests.fixtures.refunds import RefundClient
from tests.payments.paying_by_link import make, submit, terms
from tests.reconciliation.dashboard import pay_in_the_dashboard
from tests.recovery.conftest import Backup, Books, Watching
from tests.recovery.steps import owner_of, recovered
from tests.recovery.test_restored_months import at_work
from tests.support.builders import Merchant, declined
from tests.support.invariants import complaints
from tests.support.run_control import duly_at, until
from tests.support.running_duly import RunningDuly
from workflows.events.targets import target_of
from workflows.supervision.resumption import resumable_of

BALANCES = "select account_id, balance_minor from duly.account_balances where account_id like 'gap%' order by 1"
PAYMENT = "select transaction_id from duly.gateway_requests where account_id = :a and kind = 'payment'"
NOTHING = timedelta(0)


async def standing(merchant: Merchant) -> dict[str, int]:
    return {row.account_id: int(row.balance_minor) for row in await merchant.run(BALANCES)}


async def deliver(
    database: Database, duly: RunningDuly, gateway: StripeGateway, owner: AsyncEngine, now: float
) -> None:
    """Receive every event of two days and deliver it, through its first pauses."""
    inbox, since = EventInbox(database, "stripe"), datetime.fromtimestamp(now, UTC) - timedelta(days=2)
    for _ in range(2):
        await inbox.receive(*[event async for event in gateway.events(since)])
        await EventDelivery(inbox, duly.client, target_of).deliver_waiting()
        async with owner.begin() as connection:
            await connection.execute(text("update duly.gateway_events set next_try_at = now() where state = 'waiting'"))


async def supervise(books: Books, duly: RunningDuly) -> None:
    supervision = Supervision(books.database, duly.client, resumable_of, young=NOTHING, left_alone=NOTHING)
    for kind in ObjectKind:
        begun = Progress((), Supervised(kind))
        await supervision.compare(kind, SupervisionRequest(), begun=begun, beat=lambda _: None)


async def charged(duly: RunningDuly, account: str, period: str) -> str:
    handle = await duly.start_collection(account, period)
    first: CollectResult = await handle.execute_update("first_outcome", result_type=CollectResult)
    return first.gateway_reference


async def move_everything(
    refunds: RefundClient, client: stripe.StripeClient, paid: dict[str, str], names: dict[str, str], page: str
) -> str:
    """Refunds that fail, money of the dashboard, a page, a retry and a charge; return the dispute that was opened."""
    sandbox, duly, period = refunds.sandbox, refunds.duly, names["period"]
    await refunds.start(await refunds.merchant.value(PAYMENT, a=names["refunded"]), 1000, name=f"gap-{period}")
    for name in ("refunded", "before"):
        made = await client.v1.refunds.list_async({"payment_intent": paid[name]})
        sandbox.fail_refund(made.data[0].id)
    dispute = sandbox.create_dispute(
        str((await client.v1.payment_intents.retrieve_async(paid["disputed"])).latest_charge)
    )
    await client.v1.refunds.create_async({"payment_intent": paid["dashboard"], "amount": 500})
    dashboard = ReconciliationClient(
        duly, refunds.merchant, refunds.database, refunds.gateway, client, refunds.owner_engine, sandbox
    )
    await pay_in_the_dashboard(dashboard, names["twice"], 700)
    await submit(page)
    await duly.collection(names["declined"], period).execute_update("retry_now", RetryCommand("maria", "now"))
    await charged(duly, names["late"], period)
    return str(dispute["id"])


@pytest.mark.nightly
@pytest.mark.slow
async def test_every_account_stands_where_it_stood_before_the_restore(
    *, merchant: Merchant, temporal_server: Client, stripe_sandbox: SandboxControl, gateway: StripeGateway,
    database: Database, settings: Settings, backup: Backup, watching: Watching, postgres_server: PostgresServer,
    owner_engine: AsyncEngine, stripe_client: stripe.StripeClient, period: str,
) -> None:  # fmt: skip
    stripe_sandbox.set_delays(AT_ONCE)
    names = {"period": period}
    for name in ("refunded", "disputed", "dashboard", "twice", "declined", "before", "late"):
        answers = [declined("insufficient_funds")] if name == "declined" else []
        names[name] = await merchant.account(f"gap-{name}-{period}", owes_minor=5000, answers=answers)
    payer = await merchant.account(f"gap-page-{period}", cards=[])
    environment = WorkflowEnvironment.from_client(temporal_server)
    async with duly_at(environment, database, gateway, settings) as duly:
        refunds = RefundClient(duly, merchant, database, gateway, owner_engine, stripe_sandbox)
        paid = {name: await charged(duly, names[name], period) for name in names if name not in {"period", "late"}}
        await refunds.start(await merchant.value(PAYMENT, a=names["before"]), 800, name=f"before-{period}")
        request, _ = await make(duly, f"course-{period}", terms(payer))
        page = await request.execute_update("open_page", result_type=str)
        bring_back = await backup()
        await watching(database).compare()
        dispute = await move_everything(refunds, stripe_client, paid, names, page)
        await deliver(database, duly, gateway, owner_engine, stripe_sandbox.now())
        stripe_sandbox.close_dispute(dispute, won=False)
        moved = dict.fromkeys((names[name] for name in paid), 0) | {names["disputed"]: 5000, names["dashboard"]: 500}
        moved = {**moved, names["twice"]: -700, payer: -2500}
        await until_right(
            merchant,
            moved,
            lambda: deliver(database, duly, gateway, owner_engine, stripe_sandbox.now()),
        )
        before = await standing(merchant)
        assert await complaints(stripe_sandbox, database, gateway) == []
    books = await bring_back()
    await watching(books.database).compare()
    await recovered(books, owner_of(books, postgres_server))
    owner = create_async_engine(owner_of(books, postgres_server))
    async with at_work(books, temporal_server, stripe_sandbox) as duly:

        async def go_on() -> None:
            await supervise(books, duly)
            await deliver(books.database, duly, gateway, owner, stripe_sandbox.now())

        await until_right(books.merchant, before, go_on)
        assert await books.wrong() == []
    await owner.dispose()


async def until_right(merchant: Merchant, expected: dict[str, int], help_on: Callable[[], Awaitable[None]]) -> None:
    """Help on until accounts stand where they should."""

    async def is_right() -> bool:
        await help_on()
        found = await standing(merchant)
        return all(found.get(account) == balance for account, balance in expected.items())

    async with asyncio.timeout(90):
        await until(is_right)
