"""The gateway's way in: verify the signature, store the event once, answer, hint the workflow. No business rule."""

import asyncio
import gc
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import structlog
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from temporalio.client import Client, RPCTimeoutOrCancelledError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database, DatabaseUnavailableError, SchemaMismatchError, create_engine
from activities.events.bounded_http import Connections, HttpLimits, fitting
from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.events.repeated_task import RepeatedTask
from activities.gateway.mode import require_mode
from activities.gateway.stripe_events import verified_event
from activities.gateway.stripe_gateway import StripeGateway
from migrations.source import functions_hash
from models.gateway.events import GatewayEvent, StaleEventError, UntrustedEventError
from models.workflow_ids import card_id as card_workflow_id
from models.workflow_ids import collection_id
from settings import Settings, configure_logging, load_settings
from workflows.client import connect
from workflows.events.targets import target_of

log = structlog.get_logger(__name__)

BODY_BYTES_MAX = 256 * 1024

# A crash between storing and hinting leaves an event behind: every so often the inbox is looked through again.
LEFT_BEHIND_SECONDS = 15.0

# What fails longer than this is not a hiccup: from then on /health says 503.
NOT_DELIVERING_SECONDS = 60.0

# How often our clock is held against the gateway's.
CLOCK_SECONDS = 3600.0

# What our links end in is made of these; anything else leads nowhere, and is not looked up.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")

# Why no page opens however often its customer comes back, and what they read then.
_NO_PAGE_AT_ALL = frozenset({"gateway_customer_exists", "gateway_takes_it"})
_NO_PAGE_TEXT = "No page can be opened for this. Please ask whoever sent you the link for another way."

# The provider is stopped: nobody knows for how long, and a later visit finds the page.
_STOPPED = "provider_is_effective"
_STOPPED_TEXT = "Payments are not taken at the moment. Please come back later: the link stays good."

# A workflow that was stopped is resumed after an hour, by a comparison that is made every quarter of an hour.
_LATER_TEXT = "This is being looked into. Please come back in two hours."

# A customer waits in front of a browser: after this they are asked to come back.
PAGE_TIMEOUT = timedelta(seconds=20)


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
        is_live: bool = False,
        stall_seconds: float = NOT_DELIVERING_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._client = client
        self._secrets = secrets
        self._is_live = is_live
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._connections = connections or Connections()
        self._delivery = EventDelivery(inbox, client, target_of)
        self.delivering = RepeatedTask("delivery", self._deliver, every_seconds=LEFT_BEHIND_SECONDS)
        self.checking_clock = RepeatedTask("clock", clock.check, every_seconds=CLOCK_SECONDS)
        self.counts: Counter[str] = Counter()

    async def receive(self, request: Request) -> Response:
        """Answer 200 once the event is stored, 400 to what is unsigned, stale or no event, 413 to what is too large."""
        body = await _read(request)
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
        """Hint the workflows of what has come in, and of what an earlier crash left behind."""
        done = await self._delivery.deliver_waiting()
        self.counts["delivered"] += done.taken
        self.counts["of_nobody_yet"] += done.put_off

    async def pay(self, request: Request) -> Response:
        """Take a customer from the link in a message to a page on which they can pay."""
        token = request.path_params["token"]
        receivable = await self._inbox.receivable_of(token) if _TOKEN.fullmatch(token) else None
        if receivable is None:
            return PlainTextResponse("There is nothing to pay with this link any more.", status_code=404)
        return await self._lead_to_page(
            collection_id(*receivable), otherwise="A payment is under way. Please come back in a minute."
        )

    async def card(self, request: Request) -> Response:
        """Take a card's holder from the link in a message to the page on which they are waited for."""
        token = request.path_params["token"]
        card_id = await self._inbox.card_of(token) if _TOKEN.fullmatch(token) else None
        if card_id is None:
            return PlainTextResponse("There is nothing to confirm here any more.", status_code=404)
        return await self._lead_to_page(
            card_workflow_id(card_id), otherwise="Nothing needs to be done about this card now."
        )

    async def _lead_to_page(self, workflow_id: str, *, otherwise: str) -> Response:
        """Ask a workflow where its customer must go, and send them there."""
        handle: WorkflowHandle[object, object] = self._client.get_workflow_handle(workflow_id)
        try:
            # The server ends a poll by itself, and the client begins the next: only this ends them all.
            async with asyncio.timeout(PAGE_TIMEOUT.total_seconds()):
                url = await handle.execute_update("open_page", result_type=str, rpc_timeout=PAGE_TIMEOUT)
        except WorkflowUpdateFailedError as error:
            rule = getattr(error.cause, "type", "")
            if rule in _NO_PAGE_AT_ALL:
                return PlainTextResponse(_NO_PAGE_TEXT, status_code=410)
            if rule == _STOPPED:
                return PlainTextResponse(_STOPPED_TEXT, status_code=503)
            return PlainTextResponse(otherwise, status_code=409)
        except (RPCError, RPCTimeoutOrCancelledError, TimeoutError) as error:
            # What somebody stopped goes on from its row, but not in a minute.
            is_gone = isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND
            return PlainTextResponse(_LATER_TEXT if is_gone else "Please come back in a minute.", status_code=503)
        return RedirectResponse(url, status_code=303)

    async def saved(self, _request: Request) -> Response:
        """Thank a card's holder; whether the card is good is for the gateway to say."""
        return PlainTextResponse("Thank you. Your card is being checked.")

    async def paid(self, _request: Request) -> Response:
        """Thank a customer; whether they paid is for the gateway to say."""
        return PlainTextResponse("Thank you. You will receive a receipt by e-mail.")

    async def health(self, _request: Request) -> Response:
        """Say whether events are passed on, what the clock is worth, and what was counted; 503 when none are."""
        delivery = self.delivering.health()
        is_delivering = delivery.is_running and delivery.failing_for_seconds <= self._stall_seconds
        document = {
            "status": "alive" if is_delivering else "not delivering",
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


async def _read(request: Request) -> bytes | None:
    """Read a body up to the limit; None when it is larger. One that is cut off is no body that anybody has signed."""
    chunks, size = [], 0
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                return None
            chunks.append(chunk)
    return b"".join(chunks)


async def _come_back(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("Please come back in a minute.", status_code=503)


def build_app(webhook: Webhook) -> Starlette:
    """Make the web application around a receiver."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each.run()) for each in (webhook.delivering, webhook.checking_clock)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            # Unlike awaiting them, this lets a cancellation of our own through.
            await asyncio.wait(tasks)

    routes = [
        Route("/webhooks/stripe", webhook.receive, methods=["POST"]),
        Route("/pay/{token:str}", webhook.pay),
        Route("/paid", webhook.paid),
        Route("/cards/{token:str}", webhook.card),
        Route("/saved", webhook.saved),
        Route("/health", webhook.health),
        Route("/ready", webhook.readiness),
    ]
    handlers = dict.fromkeys((DatabaseUnavailableError, SchemaMismatchError), _come_back)
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    database = Database(
        create_engine(
            settings.database_url, pool=settings.database_pool, timeout_seconds=settings.database_timeout_seconds
        ),
        timeout_seconds=settings.database_timeout_seconds,
    )
    if not await database.verify(functions_hash()):
        log.warning("schema_differs", advice="migrate with the newer release, then restart the older processes")
    await require_mode(database, settings.provider, settings.gateway_mode)
    client = await connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        tls=settings.temporal_tls,
        api_key=key.get_secret_value() if (key := settings.temporal_api_key) else None,
    )
    secrets = tuple(secret.get_secret_value() for secret in settings.stripe_webhook_secrets)
    inbox, connections = EventInbox(database, settings.provider), Connections(fitting(HttpLimits()))
    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.gateway_timeout_seconds,
    )
    webhook = Webhook(inbox, client, secrets, ReceiverClock(gateway), connections=connections, is_live=settings.is_live)
    app = build_app(webhook)
    # What is loaded by now stays: collecting garbage need not walk through it while somebody waits for an answer.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, **connections.server_options()
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        await gateway.close()
        await database.dispose()


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
    except (DatabaseUnavailableError, SchemaMismatchError, RuntimeError) as error:
        log.error("receiver_not_started", error=type(error).__name__, reason=str(error))  # noqa: TRY400
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
