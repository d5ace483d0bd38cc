"""Builds the ASGI application of the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.stripe.api.errors import unknown_url
from sandbox.stripe.api.operation import Operation
from sandbox.stripe.api.operations import OPERATIONS
from sandbox.stripe.control import routes as control_api
from sandbox.stripe.core import Sandbox, SandboxConfig
from sandbox.stripe.pages import routes as pages
from sandbox.stripe.state.persistence import StateFile, load_sandbox

TICK_SECONDS = 0.05


KEEP_SECONDS = 2.0


def build_app(config: SandboxConfig | None = None, *, state_file: Path | None = None) -> Starlette:
    """The sandbox as an application; `app.state.sandbox` is what its endpoints share.

    With a state file it goes on with what an earlier start kept there.
    """
    config = config or SandboxConfig()
    sandbox = load_sandbox(state_file, config) if state_file else Sandbox(config)
    stored = StateFile(sandbox, state_file) if state_file else None

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        background = [asyncio.create_task(_tick(sandbox))]
        if stored:
            background.append(asyncio.create_task(_save_regularly(stored)))
        yield
        for task in background:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if stored:
            stored.save()
        await sandbox.webhooks.close()

    app = Starlette(routes=_routes(sandbox), lifespan=lifespan, exception_handlers={HTTPException: _unknown_url})
    app.router.redirect_slashes = False
    app.state.sandbox = sandbox
    return app


async def _tick(sandbox: Sandbox) -> None:
    """Does due work although nobody asks for anything."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        sandbox.clock.run_due()


async def _save_regularly(stored: StateFile) -> None:
    """Loses a few seconds at most when the process is killed."""
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        stored.save()


def _routes(sandbox: Sandbox) -> list[BaseRoute]:
    api = [
        Route(template, Operation(sandbox, method, template, handler, typed_dict), methods=[method])
        for method, template, handler, typed_dict in OPERATIONS
    ]
    return [*api, *control_api.routes(sandbox), *pages.routes(sandbox)]


async def _unknown_url(request: Request, _error: Exception) -> Response:
    error = unknown_url(request.method, request.url.path)
    return Response(orjson.dumps(error.body()), error.status, media_type="application/json")
