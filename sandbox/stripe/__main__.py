"""`python -m sandbox.stripe`: the sandbox as a process, until SIGTERM or Ctrl-C."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from sandbox.stripe.app import build_app
from sandbox.stripe.control.messages import AT_ONCE, STRIPES_DELAYS, WebhookEndpoint
from sandbox.stripe.core import SandboxConfig
from sandbox.stripe.server import server_for

DEFAULTS = SandboxConfig()


def main(
    port: Annotated[int, typer.Option(help="0 takes a free port.")] = 0,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    api_key: Annotated[
        str, typer.Option(envvar="STRIPE_API_KEY", help="The secret key that clients must use.")
    ] = DEFAULTS.api_key,
    webhook_secret: Annotated[
        str, typer.Option(envvar="STRIPE_WEBHOOK_SECRET", help="Signs the webhooks.")
    ] = DEFAULTS.webhook_secret,
    webhook_url: Annotated[list[str] | None, typer.Option(help="Where events go; may be repeated.")] = None,
    state_file: Annotated[Path | None, typer.Option(help="Keeps what the sandbox knows, for the next start.")] = None,
    delays: Annotated[
        bool, typer.Option(help="Book charges, withdraw disputed money, make funds available later, as Stripe does.")
    ] = DEFAULTS.delays == STRIPES_DELAYS,
    address_file: Annotated[Path | None, typer.Option(help="Gets the base URL once it is bound.")] = None,
) -> None:
    """Serves the Stripe sandbox."""
    without = AT_ONCE.model_copy(update={"funds": 0})
    app = build_app(
        SandboxConfig(api_key, webhook_secret, STRIPES_DELAYS if delays else without), state_file=state_file
    )
    endpoints = app.state.sandbox.webhooks.endpoints
    endpoints.extend(WebhookEndpoint(url=url) for url in webhook_url or ())
    server, listening = server_for(app, host, port)
    base_url: str = app.state.sandbox.base_url
    print(base_url, flush=True)
    if address_file is not None:
        address_file.write_text(f"{base_url}\n")
    _expect_many_objects()
    server.run(sockets=[listening])


def _expect_many_objects() -> None:
    """Objects live as long as the sandbox and make no cycles: looking through all of them for garbage is waste."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


if __name__ == "__main__":
    typer.run(main)
