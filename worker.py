"""The composition root: settings to engine, gateway and activities, to workers. The only file that knows everyone."""

import gc

# What is imported stays: to look for garbage in it would take a quarter of the start.
gc.disable()

import asyncio
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Protocol

import structlog
import typer
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.bank.bank_refunds import BankRefundActivities
from activities.cards.rows import CardRowActivities
from activities.collections.collect import CollectActivities
from activities.collections.ownership import CollectionActivities
from activities.configuration.providers import ProviderActivities
from activities.database import Database, DatabaseUnavailableError, SchemaMismatchError, create_engine
from activities.disputes.disputes import DisputeActivities, DisputeRowActivities
from activities.events.delivery import EventDelivery, EventDeliveryActivities
from activities.events.inbox import EventInbox
from activities.events.movements import MovementActivities
from activities.events.sweep import EventFeedActivities
from activities.gateway.bank_debits.bank_debit_gateway import BankDebitGateway
from activities.gateway.clocks import Clocks, SendingLimits
from activities.gateway.mode import CONNECT, account_of, adapter_of, require_mode, why_not_connected
from activities.gateway.pace import GatewayPace
from activities.gateway.retries import why_unanswered
from activities.interceptors import BatchedCompletions, Heartbeats
from activities.merchants.accounts import MerchantAccountActivities
from activities.merchants.connections import MerchantConnectionActivities
from activities.messages.mailing import MailingActivities
from activities.messages.outbox import MessageActivities
from activities.messages.reminders import ReminderActivities
from activities.messages.rendering import MessageRenderer, Sender
from activities.messages.smtp import Mailer
from activities.payments.families import payment_families
from activities.payments.payment_requests import PaymentRequestActivities
from activities.printouts.attaching import DocumentAttachments
from activities.readiness import is_ready
from activities.reconciliation.books import GatewayWithBooks
from activities.reconciliation.families import book_families, ledger_families
from activities.recovery.dating import RightDay
from activities.recovery.generation import GenerationOfActivities
from activities.recovery.guard import RestoreGuard
from activities.reductions.reductions import ReductionActivities
from activities.refunds.refunds import RefundActivities
from activities.reports.delivering import ReportActivities
from activities.runs.families import run_families
from activities.supervision.command_log import CommandLines
from activities.supervision.stops import StopActivities
from activities.supervision.supervision import SupervisionActivities
from migrations.source import functions_hash
from models.disputes.dispute import DisputeGateway
from models.gateway.cards import CardGateway
from models.gateway.charges import Gateway
from models.gateway.errors import GatewayAccessError, GatewayError
from models.gateway.events import Delivered
from models.gateway.refunds import RefundGateway
from models.merchants.transfer import MerchantGateway
from models.tables.configuration import BANK_DEBITS
from models.workflow_ids import MAIL_QUEUE, WORKFLOW_QUEUE, gateway_queue
from settings import Settings, configure_logging, load_settings
from telemetry.process import observed
from workflows.client import connect
from workflows.events.targets import target_of
from workflows.namespace import unprepared
from workflows.options import MONTHLY
from workflows.registered import WORKFLOWS
from workflows.supervision.resumption import resumable_of
from workflows.supervision.unknown_workflow import UnknownWorkflow

gc.freeze()
gc.enable()

log = structlog.get_logger(__name__)

# Workflows kept at hand, at a sixth of a MiB each: the largest run's 64 shards and what is busy. Others are read back.
WORKFLOW_CACHE_SIZE = 100
# In-flight calls get this long to finish on a deploy; what does not is repeated under the same key.
SHUTDOWN_TIMEOUT = timedelta(seconds=30)
PREPARE, KEY = "run `duly namespace prepare`", "set STRIPE_API_KEY to a key of this account"


class FullGateway(Gateway, CardGateway, RefundGateway, DisputeGateway, MerchantGateway, GatewayWithBooks, Protocol):
    """All that a gateway's worker asks of one."""


class Role(StrEnum):
    """What a process does: gateway calls have their own processes, so that nothing delays them (decision 0014)."""

    ALL = "all"
    WORKFLOW = "workflow"
    GATEWAY = "gateway"


def workflow_worker(client: Client, database: Database, *, rate: float = 20.0) -> Worker:
    """Make the worker of workflows and of activities that only need the database. `rate` is gateway calls a second."""

    async def deliver(provider: str) -> Delivered:
        return await EventDelivery(EventInbox(database, provider), client, target_of).deliver_waiting()

    families = (
        ProviderActivities(database),
        *run_families(database, rate=rate),
        CollectionActivities(database),
        CardRowActivities(database),
        PaymentRequestActivities(database),
        MerchantConnectionActivities(database),
        ReductionActivities(database),
        DisputeRowActivities(database),
        BankRefundActivities(database),
        *ledger_families(database),
        ReminderActivities(database),
        ReportActivities(database),
        MailingActivities(),
        StopActivities(database),
        SupervisionActivities(database, resumable_of),
        EventDeliveryActivities(deliver),
    )
    return Worker(
        client,
        task_queue=WORKFLOW_QUEUE,
        workflows=(*WORKFLOWS, UnknownWorkflow),
        activities=[one for family in families for one in family.all()],
        max_concurrent_workflow_tasks=20,
        max_cached_workflows=WORKFLOW_CACHE_SIZE,
        max_concurrent_activities=50,
        interceptors=[GenerationOfActivities(), RightDay(database), Heartbeats()],
        graceful_shutdown_timeout=SHUTDOWN_TIMEOUT,
    )


def mail_worker(client: Client, database: Database, settings: Settings) -> Worker:
    """Make the worker that sends messages. A mail server that hangs takes up its slots and nobody else's."""
    ui = f"{settings.temporal_ui_url}/namespaces/{settings.temporal_namespace}" if settings.temporal_ui_url else ""
    head = Sender(settings.mail_from, settings.operators_mail, settings.public_url, ui, settings.portal_url)
    mailer = Mailer(settings.smtp_url) if settings.smtp_url else None
    return Worker(
        client,
        task_queue=MAIL_QUEUE,
        activities=MessageActivities(database, MessageRenderer(head), mailer, DocumentAttachments(database)).all(),
        max_concurrent_activities=8,
        disable_eager_activity_execution=True,
        graceful_shutdown_timeout=SHUTDOWN_TIMEOUT,
    )


def gateway_worker(client: Client, database: Database, gateway: FullGateway, settings: Settings) -> Worker:
    """Make the worker of one provider's calls, paced by its queue and smoothed in the process."""
    # Spreads what the queue lets through: twice its rate in a first second, whose calls would else stand here for good.
    pace = GatewayPace(settings.gateway_rate * 1.1)
    clocks = Clocks(database, gateway)
    families = (
        *payment_families(database, gateway, clocks, pace, settings.public_url),
        RefundActivities(database, gateway, clocks, pace, settings.provider),
        DisputeActivities(database, gateway),
        MerchantAccountActivities(database, gateway, pace, settings.public_url),
        MovementActivities(database, gateway),
        *book_families(database, gateway),
        EventFeedActivities(EventInbox(database, settings.provider), gateway),
    )
    return _worker_of_calls(client, settings, families)


def debit_worker(client: Client, database: Database, settings: Settings) -> Worker:
    """Make the worker of a provider of bank debits: it calls nobody, and answers come by files."""
    gateway, pace = BankDebitGateway(database, settings.provider), GatewayPace(settings.gateway_rate * 1.1)
    clocks = Clocks(database, gateway)
    refunds = RefundActivities(database, gateway, clocks, pace, settings.provider)
    return _worker_of_calls(client, settings, (CollectActivities(database, gateway, clocks, pace), refunds))


def _worker_of_calls(client: Client, settings: Settings, families: tuple[Any, ...]) -> Worker:
    rate = settings.gateway_rate
    return Worker(
        client,
        task_queue=gateway_queue(settings.provider),
        activities=[one for family in families for one in family.all()],
        max_concurrent_activities=settings.gateway_slots,
        max_task_queue_activities_per_second=rate,
        interceptors=[GenerationOfActivities(), SendingLimits(), Heartbeats(), BatchedCompletions(MONTHLY, rate)],
        disable_eager_activity_execution=True,
        graceful_shutdown_timeout=SHUTDOWN_TIMEOUT,
    )


async def run_worker(settings: Settings, role: Role) -> None:
    """Work until SIGTERM or SIGINT, then finish what is in flight. Raises when a connection is refused.

    What can be mended meanwhile is waited for: a namespace without our search attributes, and a gateway that is away.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(observed(settings, role, stop))
        engine = create_engine(
            settings.database_url,
            pool=settings.database_pool,
            timeout_seconds=settings.database_timeout_seconds,
            gateway_mode="" if role is Role.WORKFLOW else settings.gateway_mode,
        )
        stack.push_async_callback(engine.dispose)
        database = Database(engine, timeout_seconds=settings.database_timeout_seconds)
        if not await database.verify(functions_hash()):
            log.warning("schema_differs", advice="migrate with the newer release, then restart the older workers")
        if role is not Role.WORKFLOW:
            await require_mode(database, settings.provider, settings.gateway_mode)
        client = telemetry.watch(await connect(**settings.temporal_connection, **telemetry.connection), database)
        if await is_ready("namespace_not_prepared", partial(unprepared, client), stop, advice=PREPARE):
            guarded = partial(Database, engine, timeout_seconds=settings.database_timeout_seconds)
            if role in {Role.ALL, Role.WORKFLOW}:
                await _begin_workflows(settings, client, database, guarded(), stack)
            if role in {Role.ALL, Role.GATEWAY}:
                await _begin_gateway_calls(settings, client, database, guarded(), stack, stop)
        # To the SDK a pause of 2 s is a deadlock: collecting garbage does not walk through what stays.
        gc.collect()
        gc.freeze()
        if not stop.is_set():
            log.info("worker_started", role=role, provider=settings.provider)
        await stop.wait()
        log.info("worker_stopping", role=role)


async def _begin_workflows(
    settings: Settings, client: Client, database: Database, guarded: Database, stack: AsyncExitStack
) -> None:
    guard = RestoreGuard(guarded, client, settings.provider)
    # Messages to operators go out while a restored database is held; customers' wait.
    guard.lend_for_messages(database)
    stack.callback(await guard.watch())
    stack.callback(CommandLines(database).begin().cancel)
    workflows = workflow_worker(client, guarded, rate=settings.gateway_rate)
    for worker in (workflows, mail_worker(client, database, settings)):
        await stack.enter_async_context(worker)


async def _begin_gateway_calls(
    settings: Settings, client: Client, database: Database, fenced: Database, stack: AsyncExitStack, stop: asyncio.Event
) -> None:
    if await adapter_of(database, settings.provider) == BANK_DEBITS:
        stack.callback(await RestoreGuard(fenced, client, settings.provider).watch())
        await stack.enter_async_context(debit_worker(client, fenced, settings))
        return
    unbound = partial(why_not_connected, database, settings.provider)
    if not await is_ready("merchant_not_connected", unbound, stop, advice=CONNECT):
        return
    from activities.gateway.stripe_gateway import StripeGateway  # no worker of workflows loads it (decision 0250)

    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.gateway_timeout_seconds,
        account=await account_of(database, settings.provider) or "",
    )
    stack.push_async_callback(gateway.close)
    guard = RestoreGuard(fenced, client, settings.provider, gateway, clocks := Clocks(database, gateway))
    if await is_ready("gateway_away", partial(why_unanswered, clocks.measure, guard.begin), stop):
        stack.callback(asyncio.create_task(guard.run()).cancel)
        await stack.enter_async_context(gateway_worker(client, fenced, gateway, settings))


def main(role: Annotated[Role, typer.Option(help="What this process does.")] = Role.ALL) -> None:
    """Run a Duly worker until it is told to stop."""
    settings = load_settings()
    configure_logging(settings)
    try:
        asyncio.run(run_worker(settings, role))
    except GatewayAccessError as error:
        log.error("gateway_refuses_key", role=role, reason=error.code, advice=KEY)  # noqa: TRY400
        _leave(1)
    except (GatewayError, DatabaseUnavailableError, SchemaMismatchError, RPCError, RuntimeError) as error:
        # A refusal to start is told in one line: its traceback says nothing that the operator can mend.
        log.error("worker_not_started", role=role, error=type(error).__name__, reason=str(error))  # noqa: TRY400
        _leave(1)
    _leave(0)


def _leave(code: int) -> None:
    # A loaded interpreter can abort while it tears down the SDK's threads, after everything is safely finished.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    typer.run(main)
