"""The Stripe sandbox as a process of the stack."""

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.servers.processes import Command, choose_port, running

SERVICE = "Stripe sandbox"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class StripeAccount:
    """What the sandbox's one account lets in: its API key, and the secret its webhooks are signed with."""

    api_key: str
    webhook_secret: str


@contextlib.asynccontextmanager
async def running_stripe(
    account: StripeAccount,
    *,
    folder: Path,
    log: Path,
    port: int = 0,
    options: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[str]:
    """Run the sandbox, keeping what it knows in `folder`, and yield its base address.

    `options` are its own, and so is what `environment` adds to ours.
    """
    address_file = folder / "stripe-address"
    address_file.unlink(missing_ok=True)
    chosen = choose_port(SERVICE, port)
    argv = (sys.executable, "-m", "sandbox.stripe", f"--port={chosen}", f"--address-file={address_file}", *options)
    secrets = {"STRIPE_API_KEY": account.api_key, "STRIPE_WEBHOOK_SECRET": account.webhook_secret}

    async def ready() -> bool:
        return address_file.exists() and address_file.read_text().endswith("\n")

    async with running(Command(SERVICE, argv, log, ROOT, {**os.environ, **secrets, **(environment or {})}), ready):
        yield address_file.read_text().strip()
