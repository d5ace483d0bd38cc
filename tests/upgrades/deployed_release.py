"""A kept release as it is deployed: its data in real servers, and processes of its own code on it."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client

from sandbox.data_folder import Credentials, DataFolder
from sandbox.environment import Values, variables
from sandbox.servers.mail import running_mailbox
from sandbox.servers.postgres import PostgresServer, running_postgres
from sandbox.servers.postgres_home import temporary_home
from sandbox.servers.processes import Command, choose_port, running
from sandbox.servers.temporal import client_of, running_temporal
from sandbox.stack import Stack
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.house.source import ROOT
from tests.support.command_line import CommandLine
from tests.upgrades.kept_release import KeptRelease
from tests.upgrades.postgres_tools import restore


@dataclass(frozen=True)
class DeployedRelease:
    """The servers of a kept release with its data, where its code is, and connections to all of it."""

    code: Path
    stack: Stack
    postgres: PostgresServer
    client: Client
    control: SandboxControl

    async def command(self, code: Path, *words: str) -> Any:
        """Run `starter.py` of a release, and return its document; it must end well.

        That of today runs in this process: to start one takes longer than most commands do.
        """
        if code == ROOT:
            return await CommandLine(self.stack.environment).json(*words)
        argv = (str(code / "starter.py"), *words, "--json")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *argv,
            env=dict(self.stack.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        written, errors = await process.communicate()
        assert process.returncode == 0, f"starter.py {' '.join(words)}: {errors.decode() or written.decode()}"
        return json.loads(written)

    async def prepare(self, code: Path) -> None:
        """Bring database and namespace to a release, as docs/upgrading.md does before its workers start."""
        await self.command(code, "migrate")
        await self.command(code, "namespace", "prepare")

    def worker_of(self, code: Path) -> tuple[str, ...]:
        """Return the program of a worker in every role."""
        return (sys.executable, str(code / "worker.py"), "--role=all")


@contextlib.asynccontextmanager
async def deployed(release: KeptRelease, folder: Path) -> AsyncIterator[DeployedRelease]:
    """Start PostgreSQL, Temporal, the sandbox and a mail server with what a release had written into them."""
    code, data, secrets = release.unpack(folder), DataFolder(folder, is_kept=True), Credentials.random()
    data.logs.mkdir()
    async with contextlib.AsyncExitStack() as up:
        home = up.enter_context(temporary_home(in_memory=True))
        postgres = await up.enter_async_context(running_postgres(secrets.postgres, home=home, log=data.log("postgres")))
        await restore(postgres, folder / release.database.stem)
        temporal = await up.enter_async_context(
            running_temporal(log=data.log("temporal"), database=data.temporal_database, ui=False)
        )
        mailbox = await up.enter_async_context(running_mailbox(port=0, folder=None))
        stripe = await up.enter_async_context(sandbox_of(code, data, secrets))
        values: Values = {
            "database_url": postgres.runtime_url(),
            "migration_database_url": postgres.owner_url(),
            "temporal_address": temporal.address,
            "stripe_api_base": stripe,
            "stripe_api_key": secrets.stripe_api_key,
            "smtp_url": mailbox.url,
        }
        settings, started = Settings(**values), variables(values)  # type: ignore[arg-type]
        stack = Stack(settings, {**os.environ, **started}, started, data, stripe, mailbox)
        with SandboxControl(stripe) as control:
            yield DeployedRelease(code, stack, postgres, await client_of(settings), control)


@contextlib.asynccontextmanager
async def sandbox_of(code: Path, data: DataFolder, secrets: Credentials) -> AsyncIterator[str]:
    """Run the sandbox of the release itself: the gateway does not change when we deploy."""
    port, state = choose_port("Stripe sandbox", 0), data.path / "stripe-state"
    address = data.path / "stripe-address"
    argv = ("-m", "sandbox.stripe", f"--port={port}", f"--address-file={address}", f"--state-file={state}")
    environment: Mapping[str, str] = {
        **os.environ,
        "STRIPE_API_KEY": secrets.stripe_api_key,
        "STRIPE_WEBHOOK_SECRET": secrets.stripe_webhook_secret,
    }

    async def ready() -> bool:
        return address.exists() and address.read_text().endswith("\n")

    command = Command("Stripe sandbox", (sys.executable, *argv), data.log("stripe"), code, environment)
    async with running(command, ready):
        yield address.read_text().strip()
