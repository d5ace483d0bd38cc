"""The gateway's way in: verify the signature, store the event once, answer, hint the workflow. No business rule."""

import gc

# What is imported stays: to look for garbage in it would take a quarter of the start.
gc.disable()

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

import structlog
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError

from activities.database import (
    Database,
    DatabaseUnavailableError,
    SchemaMismatchError,
    SendingHeldError,
    create_engine,
)
from activities.events.bounded_http import Connections, HttpLimits, fitting, read_body
from activities.events.customer_links import CustomerLinks
from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.events.link_limits import BoundedLinks
from activities.events.receiver_clock import ReceiverClock
from activities.events.repeated_task import RepeatedTask
from activities.gateway.mode import require_mode
from activities.gateway.stripe_events import verified_event
from activities.gateway.stripe_gateway import StripeGateway
from activities.printouts.links import DocumentLinks
from activities.recovery.guard import RestoreGuard
from migrations.source import functions_hash
from models.gateway.events import GatewayEvent, StaleEventError, UntrustedEventError
from settings import Settings, configure_logging, load_settings
from telemetry.process import observed
from workflows.client import connect
from workflows.events.targets import target_of

gc.freeze()
gc.enable()

log = structlog.get_logger(__name__)

BODY_BYTES_MAX = 256 * 1024

# A crash between storing and hinting leaves an event behind: every so often the inbox is looked through again.
LEFT_BEHIND_SECONDS = 15.0

# What fails longer than this is not a hiccup: from then on /health says 503.
NOT_DELIVERING_SECONDS = 60.0

# How often our clock is held against the gateway's.
CLOCK_SECONDS = 3600.0


@dataclass(frozen=True)
class GuardedInbox:
    """The inbox from which is delivered: not before its database was compared, and not while it is held."""

    inbox: EventInbox
    guard: RestoreGuard


class Webhook:
    """One receiver: its inbox, its connection to the workflows, its clock, and what it has counted."""

    def __init__(
        self,
        inbox: EventInbox,
        client: Client,
        secrets: tuple[str, ...],
        clock: ReceiverClock,
        *,
        connections: Connections | None = None,
        guarded: GuardedInbox | None = None,
        is_live: bool = False,
        stall_seconds: float = NOT_DELIVERING_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._secrets = secrets
        self._is_live = is_live
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._connections = connections or Connections()
        self._delivery = EventDelivery(guarded.inbox if guarded else inbox, client, target_of)
        self._held = ""
        self.guard = guarded.guard if guarded else None
        self.delivering = RepeatedTask("delivery", self._deliver, every_seconds=LEFT_BEHIND_SECONDS)
        self.checking_clock = RepeatedTask("clock", clock.check, every_seconds=CLOCK_SECONDS)
        self.counts: Counter[str] = Counter()
        self.gate = BoundedLinks(self.counts)
        self.links = CustomerLinks(inbox, client, self.gate)
        self._documents = DocumentLinks(inbox.database)

    async def receive(self, request: Request) -> Response:
        """Answer 200 once the event is stored, 400 to what is unsigned, stale or no event, 413 to what is too large."""
        body = await read_body(request, BODY_BYTES_MAX)
        if body is None:
            self.counts["too_large"] += 1
            return Response(status_code=413, headers={"connection": "close"})
        try:
            event = await self._verified(body, request.headers.get("stripe-signature", ""))
        except UntrustedEventError as error:
            self.counts[f"untrusted_{error}"] += 1
            return Response(status_code=400)
        is_new = await self._inbox.receive(event) == 1
        self.counts["stored" if is_new else "repeated"] += 1
        if is_new:
            self.delivering.wake()
        return Response(status_code=200)

    async def _verified(self, body: bytes, signature: str) -> GatewayEvent:
        try:
            return self._event_of(body, signature)
        except StaleEventError:
            # Unless it is our clock that is wrong.
            await self._clock.check_again()
        return self._event_of(body, signature)

    def _event_of(self, body: bytes, signature: str) -> GatewayEvent:
        return verified_event(body, signature, self._secrets, is_live=self._is_live, now=self._clock.now())

    async def _deliver(self) -> None:
        """Hint the workflows of what has come in, and of what an earlier crash left behind.

        Into a database that was restored nothing is delivered: what is stored waits until it is recovered.
        """
        try:
            done = await self._delivery.deliver_waiting()
        except SendingHeldError as held:
            if not self._held:
                log.warning("delivery_held", reason=held.message, advice="duly recover show")
            self._held = held.message
            return
        self._held = ""
        self.counts["delivered"] += done.taken
        self.counts["of_nobody_yet"] += done.put_off

    async def document(self, request: Request) -> Response:
        """Give out the file behind a link to a document."""
        async with self.gate.lookups:
            return await self._documents.download(request)

    async def health(self, _request: Request) -> Response:
        """Say whether events are passed on, what the clock is worth, and what was counted; 503 when none are."""
        delivery = self.delivering.health()
        is_delivering = delivery.is_running and delivery.failing_for_seconds <= self._stall_seconds and not self._held
        document = {
            "status": self._held or ("alive" if is_delivering else "not delivering"),
            "delivery": asdict(delivery),
            "clock": {"verdict": self._clock.verdict, "ahead_of_gateway_seconds": self._clock.ahead_seconds},
            "events": dict(self.counts),
            "connections_closed": dict(self._connections.closed),
        }
        return JSONResponse(document, status_code=200 if is_delivering else 503)

    async def readiness(self, _request: Request) -> Response:
        """Say whether events can be stored now."""
        try:
            await self._inbox.to_deliver(limit=1)
        except (DatabaseUnavailableError, SchemaMismatchError) as error:
            state = "not migrated" if isinstance(error, SchemaMismatchError) else "unavailable"
            return JSONResponse({"status": f"database {state}"}, status_code=503)
        return JSONResponse({"status": "ready"})


async def _come_back(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("Please come back in a minute.", status_code=503)


def build_app(webhook: Webhook) -> Starlette:
    """Make the web application around a receiver."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        repeated = (webhook.delivering, webhook.checking_clock, webhook.guard)
        tasks = [asyncio.create_task(each.run()) for each in repeated if each is not None]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            # Unlike awaiting them, this lets a cancellation of our own through.
            await asyncio.wait(tasks)

    gated = webhook.gate.gated
    routes = [
        Route("/webhooks/stripe", webhook.receive, methods=["POST"]),
        Route("/pay/{token:str}", gated(webhook.links.pay), methods=["GET", "POST"]),
        Route("/pay/{token:str}/files/{place:int}", gated(webhook.links.file)),
        Route("/paid", gated(webhook.links.paid)),
        Route("/cards/{token:str}", gated(webhook.links.card)),
        Route("/connect/{token:str}", gated(webhook.links.connect), methods=["GET", "POST"]),
        Route("/connect/{token:str}/back", gated(webhook.links.connected)),
        Route("/saved", gated(webhook.links.saved)),
        Route("/documents/{token:str}", gated(webhook.document)),
        Route("/health", webhook.health),
        Route("/ready", webhook.readiness),
    ]
    handlers = dict.fromkeys((DatabaseUnavailableError, SchemaMismatchError), _come_back)
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    # It would lead to whatever host the request names.
    app.router.redirect_slashes = False
    return app


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(observed(settings, "webhook"))
        engine = create_engine(
            settings.database_url, pool=settings.database_pool, timeout_seconds=settings.database_timeout_seconds
        )
        stack.push_async_callback(engine.dispose)
        database = Database(engine, timeout_seconds=settings.database_timeout_seconds)
        if not await database.verify(functions_hash()):
            log.warning("schema_differs", advice="migrate with the newer release, then restart the older processes")
        await require_mode(database, settings.provider, settings.gateway_mode)
        client = telemetry.watch(await connect(**settings.temporal_connection, **telemetry.connection), database)
        gateway = StripeGateway(
            settings.stripe_api_key.get_secret_value(),
            api_base=settings.stripe_api_base,
            timeout_seconds=settings.gateway_timeout_seconds,
        )
        stack.push_async_callback(gateway.close)
        secrets = tuple(secret.get_secret_value() for secret in settings.stripe_webhook_secrets)
        inbox, connections = EventInbox(database, settings.provider), Connections(fitting(HttpLimits()))
        guard, guarded = RestoreGuard(database, client, settings.provider), database.another()
        guard.lend_to_process(guarded)
        await guard.begin()
        webhook = Webhook(
            inbox,
            client,
            secrets,
            ReceiverClock(gateway),
            connections=connections,
            guarded=GuardedInbox(EventInbox(guarded, settings.provider), guard),
            is_live=settings.is_live,
        )
        webhook.links.lead_back_to(settings.portal_url)
        telemetry.receive(webhook.counts, connections.closed)
        # What is loaded by now stays: collecting garbage need not walk through it while somebody waits for an answer.
        gc.collect()
        gc.freeze()
        config = uvicorn.Config(
            build_app(webhook), host=host, port=port, log_config=None, access_log=False, **connections.server_options()
        )
        await uvicorn.Server(config).serve()


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Receive the gateway's events until told to stop."""
    configure_logging(settings := load_settings())
    if not settings.stripe_webhook_secrets:
        raise typer.BadParameter("STRIPE_WEBHOOK_SECRET is needed to trust an event")
    try:
        asyncio.run(serve(settings, host, port))
    except (DatabaseUnavailableError, SchemaMismatchError, RPCError, RuntimeError) as error:
        log.error("receiver_not_started", error=type(error).__name__, reason=str(error))  # noqa: TRY400
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
