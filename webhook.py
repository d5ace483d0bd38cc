"""The gateway's way in: verify the signature, store the event once, answer, hint the workflow. No business rule."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Annotated

import structlog
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError

from activities.database import Database, DatabaseUnavailableError, create_engine
from activities.events.inbox import EventInbox
from activities.gateway.stripe_events import verified_event
from migrations.source import functions_hash
from models.gateway.events import UntrustedEventError
from settings import Settings, configure_logging, load_settings
from workflows.client import connect
from workflows.events.delivery import EventDelivery
from workflows.visibility import card_id as card_workflow_id
from workflows.visibility import collection_id

log = structlog.get_logger(__name__)

BODY_BYTES_MAX = 256 * 1024

# A crash between storing and hinting leaves an event behind: every so often the inbox is looked through again.
LEFT_BEHIND_SECONDS = 15.0


# A customer waits in front of a browser: after this they are asked to come back.
PAGE_TIMEOUT = timedelta(seconds=20)


class Webhook:
    """One receiver: its inbox, its connection to the workflows, and what it has counted."""

    def __init__(self, inbox: EventInbox, client: Client, secrets: tuple[str, ...], *, is_live: bool = False) -> None:
        self._inbox = inbox
        self._client = client
        self._delivery = EventDelivery(inbox, client)
        self._secrets = secrets
        self._is_live = is_live
        self._stored = asyncio.Event()
        self.counts: Counter[str] = Counter()

    async def receive(self, request: Request) -> Response:
        """Answer 200 once the event is stored, 400 to anything unsigned or stale, 413 to anything too large."""
        body = await _read(request)
        if body is None:
            self.counts["too_large"] += 1
            return Response(status_code=413)
        try:
            event = verified_event(
                body, request.headers.get("stripe-signature", ""), self._secrets, is_live=self._is_live
            )
        except UntrustedEventError as error:
            self.counts[f"untrusted_{error}"] += 1
            return Response(status_code=400)
        is_new = await self._inbox.receive(event) == 1
        self.counts["stored" if is_new else "repeated"] += 1
        if is_new:
            self._stored.set()
        return Response(status_code=200)

    async def deliver_for_ever(self) -> None:
        """Hint the workflows of what has come in, and of what an earlier crash left behind."""
        while True:
            self._stored.clear()
            try:
                done = await self._delivery.deliver_waiting()
                self.counts["delivered"] += done.taken
                self.counts["of_nobody_yet"] += done.put_off
            except (DatabaseUnavailableError, RPCError) as error:
                log.warning("events_not_delivered", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stored.wait(), LEFT_BEHIND_SECONDS)

    async def pay(self, request: Request) -> Response:
        """Take a customer from the link in a message to a page on which they can pay."""
        receivable = await self._inbox.receivable_of(request.path_params["token"])
        if receivable is None:
            return PlainTextResponse("There is nothing to pay here any more.", status_code=404)
        return await self._lead_to_page(
            collection_id(*receivable), otherwise="A payment is under way. Please come back in a minute."
        )

    async def card(self, request: Request) -> Response:
        """Take a card's holder from the link in a message to the page on which they are waited for."""
        card_id = await self._inbox.card_of(request.path_params["token"])
        if card_id is None:
            return PlainTextResponse("There is nothing to confirm here any more.", status_code=404)
        return await self._lead_to_page(
            card_workflow_id(card_id), otherwise="Nothing needs to be done about this card now."
        )

    async def _lead_to_page(self, workflow_id: str, *, otherwise: str) -> Response:
        """Ask a workflow where its customer must go, and send them there."""
        handle: WorkflowHandle[object, object] = self._client.get_workflow_handle(workflow_id)
        try:
            url = await handle.execute_update("open_page", result_type=str, rpc_timeout=PAGE_TIMEOUT)
        except WorkflowUpdateFailedError:
            return PlainTextResponse(otherwise, status_code=409)
        except RPCError:
            return PlainTextResponse("Please come back in a minute.", status_code=503)
        return RedirectResponse(url, status_code=303)

    async def saved(self, _request: Request) -> Response:
        """Thank a card's holder; whether the card is good is for the gateway to say."""
        return PlainTextResponse("Thank you. Your card is being checked.")

    async def paid(self, _request: Request) -> Response:
        """Thank a customer; whether they paid is for the gateway to say."""
        return PlainTextResponse("Thank you. You will receive a receipt by e-mail.")

    async def health(self, _request: Request) -> Response:
        """Say that the process is alive, and what it has counted."""
        return JSONResponse({"status": "alive", "events": dict(self.counts)})

    async def readiness(self, _request: Request) -> Response:
        """Say whether events can be stored now."""
        try:
            await self._inbox.to_deliver(limit=1)
        except DatabaseUnavailableError:
            return JSONResponse({"status": "database unavailable"}, status_code=503)
        return JSONResponse({"status": "ready"})


async def _read(request: Request) -> bytes | None:
    """Read a body up to the limit; None when it is larger."""
    chunks, size = [], 0
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                return None
            chunks.append(chunk)
    return b"".join(chunks)


def build_app(webhook: Webhook) -> Starlette:
    """Make the web application around a receiver."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        delivery = asyncio.create_task(webhook.deliver_for_ever())
        yield
        delivery.cancel()
        with suppress(asyncio.CancelledError):
            await delivery

    routes = [
        Route("/webhooks/stripe", webhook.receive, methods=["POST"]),
        Route("/pay/{token:str}", webhook.pay),
        Route("/paid", webhook.paid),
        Route("/cards/{token:str}", webhook.card),
        Route("/saved", webhook.saved),
        Route("/health", webhook.health),
        Route("/ready", webhook.readiness),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


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
    key = settings.temporal_api_key
    client = await connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        tls=settings.temporal_tls,
        api_key=key.get_secret_value() if key else None,
    )
    secrets = tuple(secret.get_secret_value() for secret in settings.stripe_webhook_secrets)
    inbox = EventInbox(database, settings.provider)
    app = build_app(Webhook(inbox, client, secrets, is_live=settings.is_live))
    # What is loaded by now stays: collecting garbage need not walk through it while somebody waits for an answer.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)
    await uvicorn.Server(config).serve()
    await database.dispose()


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Receive the gateway's events until told to stop."""
    settings = load_settings()
    configure_logging(settings)
    if not settings.stripe_webhook_secrets:
        raise typer.BadParameter("STRIPE_WEBHOOK_SECRET is needed to trust an event")
    asyncio.run(serve(settings, host, port))


if __name__ == "__main__":
    typer.run(main)
