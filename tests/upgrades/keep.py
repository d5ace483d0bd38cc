"""Freezes the revisions of this release and keeps it for the tests of later ones: `make release`."""

import asyncio
import contextlib
import lzma
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from activities.configuration.definitions import Definitions
from activities.configuration.document import Policy
from activities.database import Database, create_engine
from migrations.frozen import freeze
from migrations.run import VERSION
from sandbox.customers.gateway_customers import GatewayCustomers, stripe_client
from sandbox.customers.generation import generate
from sandbox.customers.load import load
from sandbox.customers.merchant import BILLING_DEFINITION, MERCHANT, PAYMENT_DEFINITION, POLICY, configure
from sandbox.demo.returns import give_back
from sandbox.servers.postgres import PostgresServer
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.stripe.control.client import SandboxControl
from sandbox.workers import running_worker
from tests.house.source import ROOT
from tests.upgrades.kept_release import CODE, DEPLOYMENT, LARGEST_BYTES, KeptRelease, keep_histories, pack
from tests.upgrades.postgres_tools import dump
from tests.upgrades.release_check import tagged, unready

ACCOUNTS, SEED, PERIOD = 40, 7, "2026-10"
# As in production: a declined payment waits for days, so that the data has collections with a workflow under way.
PATIENT = replace(
    POLICY,
    declined_after=(timedelta(days=3), timedelta(days=5), timedelta(days=7)),
    technical_after=(timedelta(hours=1), timedelta(hours=6)),
    customer_deadline=timedelta(days=14),
)


async def keep(release: KeptRelease) -> None:
    """Run a month of this release on an embedded stack, and write what every server has of it."""
    release.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="duly-keep-") as made:
        folder = Path(made)
        await asyncio.to_thread(folder.chmod, 0o711)
        async with running_stack(StackOptions(data=folder / "data", ui=False)) as stack:
            async with running_worker(stack, "workflow"), running_worker(stack, "gateway"):
                await _month(stack)
            await dump(_server_of(stack), folder / "database.sql")
        pack(folder / "database.sql", release.database)
        pack(folder / "data" / "temporal.db", release.temporal)
        pack(folder / "data" / "stripe-state", release.stripe)
    _keep_code(release)
    keep_histories(release)
    for path in release.files():
        if path.stat().st_size > LARGEST_BYTES:
            sys.exit(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST_BYTES}")


async def _month(stack: Stack) -> None:
    """Bill and collect a month, give money back, lose a dispute: every family of tables has rows."""
    async with contextlib.AsyncExitStack() as open_until_done:
        database = Database(create_engine(stack.settings.database_url, pool=2), timeout_seconds=60)
        open_until_done.push_async_callback(database.dispose)
        control = open_until_done.enter_context(SandboxControl(stack.control))
        stripe = await open_until_done.enter_async_context(stripe_client(stack))
        await configure(database)
        await Definitions(database).apply(MERCHANT.model_copy(update={"dunning_policies": (Policy(policy=PATIENT),)}))
        people = generate(ACCOUNTS, SEED)
        await load(people, GatewayCustomers(stripe, control), database, stack.folder.path / "customers")
        for words in (("billing", "start", BILLING_DEFINITION), ("runs", "start", PAYMENT_DEFINITION)):
            argv = (sys.executable, str(ROOT / "starter.py"), *words, PERIOD, "--wait")
            process = await asyncio.create_subprocess_exec(*argv, env=dict(stack.environment))
            if await process.wait():
                sys.exit(f"starter.py {' '.join(words)} did not end well")
        await give_back(await client_of(stack.settings), database, control, PERIOD)
        if not (await database.rows("select count(*) from duly.collections where stage = 'collecting'"))[0][0]:
            sys.exit("no collection is under way: there would be no workflow to upgrade")


def _server_of(stack: Stack) -> PostgresServer:
    credentials = stack.folder.credentials().postgres
    port = stack.settings.database_url.rpartition(":")[2].partition("/")[0]
    return PostgresServer(int(port), credentials)


def _keep_code(release: KeptRelease) -> None:
    for names, packed in ((CODE, release.code), (DEPLOYMENT, release.deployment)):
        archived = subprocess.run(
            ("git", "archive", "--format=tar", "HEAD", *names), cwd=ROOT, check=True, capture_output=True
        )
        packed.write_bytes(lzma.compress(archived.stdout, preset=9))


if __name__ == "__main__":
    # A release that was kept once is what later ones are tested against: nothing is written over it by accident.
    if not_yet := [*unready(ROOT, VERSION), *tagged(ROOT, VERSION)]:
        sys.exit("\n".join(not_yet))
    freeze(VERSION)
    asyncio.run(keep(KeptRelease(VERSION)))
