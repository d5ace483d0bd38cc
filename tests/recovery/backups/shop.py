"""A whole Duly on servers of its own, which are backed up, lost and restored while its workers go on."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import stripe
from pydantic import SecretStr
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database, create_engine
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.guard import RestoreGuard
from activities.supervision.supervision import Progress, Supervision
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.recovery.backups.archived_postgres import ArchivedPostgres
from tests.recovery.backups.own_temporal import OwnTemporal
from tests.support.builders import API_KEY, Merchant
from tests.support.command_line import CommandLine
from tests.support.invariants import complaints
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from worker import gateway_worker, mail_worker, workflow_worker
from workflows.supervision.resumption import resumable_of

# So slowly that a moment in the middle of a run is met.
PAYMENTS_A_SECOND = 6

# The invoices that customers have not paid, and what became of each account's newest payment.
UNPAID = """
select t.id, t.account_id, i.amount_minor - i.allocated_minor as left_minor, r.id as request, r.state, r.error_code
from duly.open_items i join duly.financial_transactions t on t.id = i.transaction_id left join lateral (
    select * from duly.gateway_requests q where q.account_id = t.account_id and q.kind = 'payment'
    order by q.created_at desc limit 1) r on true
where t.classification = 'invoice' and i.allocated_minor < i.amount_minor and t.account_id <> 'acc_cafe' order by t.id
"""


@dataclass
class Shop:
    """What a company has: a database with its archive, a Temporal server, an account at the gateway."""

    postgres: ArchivedPostgres
    temporal: OwnTemporal
    client: Client
    gateway: StripeGateway
    sandbox: SandboxControl
    stripe: stripe.StripeClient
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def owner(self) -> AsyncEngine:
        """The owner's connections, each a new one: the server goes away and comes back."""
        return create_async_engine(self.postgres.running.owner_url(), poolclass=NullPool)

    @property
    def merchant(self) -> Merchant:
        """The merchant, on whatever database there is now."""
        return Merchant(self.owner, self.stripe, self.sandbox, self.numbers)

    @property
    def settings(self) -> Settings:
        """The settings of its workers."""
        return Settings(
            database_url=self.postgres.running.runtime_url(),
            temporal_address=self.temporal.address,
            stripe_api_key=SecretStr(API_KEY),
            stripe_api_base=self.sandbox.base_url,
            gateway_rate=PAYMENTS_A_SECOND,
        )

    @property
    def cli(self) -> CommandLine:
        """The command line of its operators."""
        return CommandLine(
            {
                "DULY_DATABASE_URL": self.postgres.running.runtime_url(),
                "DULY_MIGRATION_DATABASE_URL": self.postgres.running.owner_url(),
                "DULY_TEMPORAL_ADDRESS": self.temporal.address,
                "STRIPE_API_KEY": API_KEY,
                "STRIPE_API_BASE": self.sandbox.base_url,
                "DULY_SMTP_URL": "",
                "DULY_LOG_LEVEL": "ERROR",
            }
        )

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[RunningDuly]:
        """Its workers, guarded as those of `worker.py` are."""
        settings = self.settings
        engine = create_engine(settings.database_url, pool=8)
        guarded = Database(engine, timeout_seconds=5)
        guard = RestoreGuard(guarded, self.client, settings.provider, self.gateway)
        messages = Database(engine, timeout_seconds=5)
        guard.lend_for_messages(messages)
        await guard.begin()
        watching = asyncio.create_task(guard.run())
        try:
            async with (
                workflow_worker(self.client, guarded),
                gateway_worker(self.client, guarded, self.gateway, settings),
                mail_worker(self.client, messages, settings),
            ):
                yield RunningDuly(WorkflowEnvironment.from_client(self.client))
        finally:
            watching.cancel()
            await engine.dispose()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The database as it is now, as commands see it."""
        database = Database(create_engine(self.settings.database_url, pool=2), timeout_seconds=5)
        yield database
        await database.dispose()

    async def now(self) -> datetime:
        """The moment that it is for the database, with something committed after it."""
        moment: datetime = await self.merchant.value("select clock_timestamp()")
        await asyncio.sleep(0.01)
        await self.merchant.run("select duly.raise_beat()")
        return moment

    async def is_held(self) -> None:
        """Wait until the workers have noticed that their database has forgotten something."""

        async def held() -> bool:
            return bool(await self.merchant.value("select count(*) from duly.sending where state = 'held'"))

        async with asyncio.timeout(180):
            await until(held)

    async def recover(self) -> dict[str, Any]:
        """Go through the protocol on the command line; return what the first reading came to."""
        await self.cli.json("recover", "declare", "--reason", "the disk was lost")
        await self._ago(minutes=16)
        first = await self.cli.json("recover", "read")
        await self._ago(minutes=11)
        await self.cli.json("recover", "read")
        await self.cli.json("recover", "release", "--reason", "all is known")
        read: dict[str, Any] = first["reads"][0]
        return read

    async def _ago(self, *, minutes: int) -> None:
        async with self.owner.begin() as connection:
            await connection.execute(
                text(
                    "update duly.sending set declared_at = declared_at - make_interval(mins => :by), reads = coalesce(("
                    "select jsonb_agg(r || jsonb_build_object('read_at', (r ->> 'read_at')::timestamptz"
                    " - make_interval(mins => :by))) from jsonb_array_elements(reads) r), '[]')"
                ),
                {"by": minutes},
            )

    async def supervise(self) -> Sequence[Supervised]:
        """Let everything that is open go on from its row, as young as it may be."""
        async with self.database() as database:
            supervision = Supervision(database, self.client, resumable_of, young=timedelta(0), left_alone=timedelta(0))
            return [
                await supervision.compare(
                    kind, SupervisionRequest(), begun=Progress((), Supervised(kind)), beat=lambda _: None
                )
                for kind in ObjectKind
            ]

    async def all_paid(self) -> None:
        """Wait until customers have paid all their invoices."""
        unpaid: Sequence[Row[Any]] = ()

        async def none_is_left() -> bool:
            nonlocal unpaid
            unpaid = await self.merchant.run(UNPAID)
            return not unpaid

        try:
            async with asyncio.timeout(180):
                await until(none_is_left)
        except TimeoutError:
            pytest.fail(f"not paid: {[tuple(row) for row in unpaid]}")

    async def wrong(self) -> list[str]:
        """What the gateway's books, the ledger and its laws say against us."""
        async with self.database() as database:
            return await complaints(self.sandbox, database, self.gateway)

    async def unequal(self) -> list[tuple[str, int, int]]:
        """Customers who were charged other than what they were invoiced; account, invoiced, charged."""
        groups = self.sandbox.movements(group_by=("duly_account",)).groups
        charged = {book.metadata["duly_account"]: book.charges.amount_minor for book in groups}
        rows = await self.merchant.run(
            "select account_id, sum(total_minor)::bigint as invoiced from duly.financial_transactions"
            " where classification = 'invoice' and state = 'posted' and account_id <> 'acc_cafe' group by 1 order by 1"
        )
        pairs = [(row.account_id, row.invoiced, charged.get(row.account_id, 0)) for row in rows]
        return [pair for pair in pairs if pair[1] != pair[2]]

    def refunded(self) -> int:
        """What has really gone back, in minor units."""
        return sum(total.refunds.amount_minor for total in self.sandbox.movements().totals)

    def changes(self) -> int:
        """How many requests the gateway has had that may change something."""
        harmless = ("GET", "POST /v1/checkout/sessions/{id}/expire", "POST /v1/payment_intents/{id}/cancel")
        counts = self.sandbox.request_counts()
        return sum(count for name, count in counts.items() if not name.startswith(harmless))
