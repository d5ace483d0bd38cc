"""`python -m sandbox.stripe.contract`: what the sandbox does beside what Stripe's own test mode does."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import httpx
import typer

from sandbox.stripe.contract.calls import LIMIT, PERSON_SECONDS, RUN_SECONDS
from sandbox.stripe.contract.deliveries import Deliveries, receiving
from sandbox.stripe.contract.key_check import KeyRefusedError, check_form, check_with_stripe
from sandbox.stripe.contract.report import document_table, report, run
from sandbox.stripe.contract.side import Side
from sandbox.stripe.contract.visitors import Person
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from sandbox.stripe.core import SandboxConfig
from sandbox.stripe.server import running_sandbox

STRIPE = "https://api.stripe.com"


@dataclass(frozen=True)
class OtherSide:
    """Where and how the other side is asked. `waits`: it is no sandbox whose clock could be moved."""

    address: str = STRIPE
    key: str = ""
    limit: int = LIMIT
    waits: bool = True
    pages: bool = False
    webhook_url: str = ""
    listen: int = 0


def main(
    address: Annotated[str, typer.Option(help="Where Stripe's API is; another sandbox does for a try.")] = STRIPE,
    limit: Annotated[int, typer.Option(min=1, help="The most requests that are sent there.")] = LIMIT,
    webhook_url: Annotated[str, typer.Option(help="A public address that leads to --listen of this machine.")] = "",
    listen: Annotated[int, typer.Option(min=0, max=65535, help="The port on which webhooks arrive here.")] = 4242,
    *,
    pages: Annotated[bool, typer.Option("--pages", help="Ask you to open the pages that only a person can.")] = False,
    table: Annotated[bool, typer.Option("--table", help="Print the table of docs/sandbox.md and ask nobody.")] = False,
) -> None:
    """Ask both the same and report where they differ; leaves with 1 if they do, with 2 if the key is of no use."""
    if table:
        print(document_table())
        return
    key = os.environ.get("STRIPE_TEST_KEY", "")
    target = OtherSide(address, key, limit, pages=pages, webhook_url=webhook_url, listen=listen)
    try:
        check_form(key)
        differences = compared(target)
    except KeyRefusedError as error:
        print(error)
        raise typer.Exit(2) from error
    except httpx.TransportError as error:
        print(f"{address} cannot be reached from here: {error}")
        raise typer.Exit(2) from error
    raise typer.Exit(1 if differences else 0)


def compared(target: OtherSide) -> int:
    """Print the report; the number of differences."""
    with contextlib.ExitStack() as running:
        ours = running.enter_context(_sandbox())
        theirs = running.enter_context(_other(target))
        check_with_stripe(theirs)
        found = run(ours, theirs, print)
        for side in (ours, theirs):
            side.take_away()
        print(report(found))
    return found.differences


@contextlib.contextmanager
def _sandbox() -> Iterator[Side]:
    """A sandbox of this run's own, whose clock it moves."""
    config = SandboxConfig(delays=STRIPES_DELAYS)
    with (
        running_sandbox(config) as address,
        SandboxControl(address) as control,
        receiving(0) as deliveries,
        Side(address, config.api_key, control, limit=10 * LIMIT, deliveries=deliveries) as side,
    ):
        yield side


@contextlib.contextmanager
def _other(target: OtherSide) -> Iterator[Side]:
    with contextlib.ExitStack() as running:
        control = None if target.waits else running.enter_context(SandboxControl(target.address))
        deliveries: Deliveries | None = None
        if target.webhook_url or control:
            deliveries = running.enter_context(receiving(target.listen, target.webhook_url))
        side = Side(target.address, target.key, control, target.limit, deliveries=deliveries)
        if target.pages:
            side.visitor, side.seconds = Person(print), RUN_SECONDS + PERSON_SECONDS
            side.ends_at = time.monotonic() + side.seconds
        yield running.enter_context(side)


if __name__ == "__main__":
    typer.run(main)
