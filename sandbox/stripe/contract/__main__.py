"""`python -m sandbox.stripe.contract`: what the sandbox does beside what Stripe's own test mode does."""

import contextlib
import os
from typing import Annotated

import typer

from sandbox.stripe.contract.calls import LIMIT, Calls
from sandbox.stripe.contract.report import document_table, report, run
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from sandbox.stripe.core import SandboxConfig
from sandbox.stripe.server import running_sandbox

STRIPE = "https://api.stripe.com"
NO_KEY = """STRIPE_TEST_KEY is not set. Make an account at Stripe, open its test mode, take the secret key, and:

    STRIPE_TEST_KEY=sk_test_... make contract
"""


def main(
    address: Annotated[str, typer.Option(help="Where Stripe's API is; another sandbox does for a try.")] = STRIPE,
    limit: Annotated[int, typer.Option(min=1, help="The most requests that are sent there.")] = LIMIT,
    table: Annotated[bool, typer.Option("--table", help="Print the table of docs/sandbox.md and ask nobody.")] = False,
) -> None:
    """Ask both the same and report where they differ; leaves with 1 if they do, with 2 without a key."""
    if table:
        print(document_table())
        return
    key = os.environ.get("STRIPE_TEST_KEY", "")
    if not key:
        print(NO_KEY)
        raise typer.Exit(2)
    if not key.startswith(("sk_test_", "rk_test_")):
        print("STRIPE_TEST_KEY is no key of the test mode (sk_test_...): nothing was sent.")
        raise typer.Exit(2)
    if compared(address, key, limit):
        raise typer.Exit(1)


def compared(address: str, key: str, limit: int) -> int:
    """Print the report; the number of differences."""
    config = SandboxConfig(delays=STRIPES_DELAYS)
    with contextlib.ExitStack() as running:
        ours = running.enter_context(running_sandbox(config))
        control = running.enter_context(SandboxControl(ours))
        theirs = None if address == STRIPE else running.enter_context(SandboxControl(address))
        sandbox = running.enter_context(Calls(ours, config.api_key, control))
        other = running.enter_context(Calls(address, key, theirs, limit))
        seen = run(sandbox, other)
        print(report(seen, calls=other.count))
    return sum(each.differs for each in seen)


if __name__ == "__main__":
    typer.run(main)
