"""What a reader of the page has: a PostgreSQL and a Temporal server of his own, with nothing of ours in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from sandbox.servers.postgres import DATABASE, OWNER, RUNTIME, RUNTIME_GROUP, SUPERUSER, Passwords, running_postgres
from sandbox.servers.postgres_home import binaries_for, temporary_home
from sandbox.servers.processes import choose_port
from sandbox.servers.temporal import running_temporal
from tests.walkthrough.shell import Places

# The page's addresses. What stands for them here has as many characters, so that nothing is wrapped otherwise.
POSTGRESQL, TEMPORAL = "postgresql:5432", "mytemporal:7233"
SANDBOX, WEBHOOK, MAIL = "127.0.0.1:12111", "127.0.0.1:18000", "127.0.0.1:10025"


@dataclass(frozen=True)
class Servers:
    """Where they are, the password of PostgreSQL's superuser, and the folder of its programs."""

    places: Places
    password: str
    programs: Path


@asynccontextmanager
async def bare_servers(logs: Path) -> AsyncIterator[Servers]:
    """Run both as they are before anybody has heard of Duly."""
    passwords = Passwords.random()
    with temporary_home(in_memory=True) as home:
        async with (
            running_postgres(passwords, home=home, log=logs / "postgres.log") as postgres,
            running_temporal(log=logs / "temporal.log", database=None, ui=False) as temporal,
        ):
            _forget_duly(postgres.port, passwords.superuser)
            here = {
                POSTGRESQL: f"127.0.0.1:{postgres.port}",
                TEMPORAL: temporal.address,
                SANDBOX: f"127.0.0.1:{choose_port('Stripe sandbox', 0)}",
                WEBHOOK: f"127.0.0.1:{choose_port('Webhook', 0)}",
                MAIL: f"127.0.0.1:{choose_port('Mail server', 0)}",
            }
            # The port of an address may stand alone, behind an option.
            ports = {
                page.split(":")[1]: found.split(":")[1]
                for page, found in here.items()
                if page in (SANDBOX, WEBHOOK, MAIL)
            }
            yield Servers(Places({**here, **ports}), passwords.superuser, binaries_for(home))


def _forget_duly(port: int, password: str) -> None:
    """Drop what the embedded server is made with: the page makes it."""
    with psycopg.connect(
        host="127.0.0.1", port=port, user=SUPERUSER, password=password, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier(DATABASE)))
        for role in (OWNER, RUNTIME, RUNTIME_GROUP):
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
