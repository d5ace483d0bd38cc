"""`python -m bench.console.pages`: what each page of the console costs where tables are large, in CPU time.

The rows are those of `bench.ledger.list_pages`, and some more, made by SQL in a scratch database in memory. Every list
is asked for: its first page, the one behind it, and narrowed by each word of each filter; and the pages of an account
with its parts, of other objects, the first page and the search. What counts is CPU time, of the web process and of the
database's servers: other work on the machine does not change it. Nothing is kept.
"""

import asyncio
import os
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import psycopg
import typer

from activities.console.approvals import Approvals
from activities.console.forms import ConsoleForms
from activities.console.mass_actions import MassActions
from activities.console.passkeys import Passkeys
from activities.console.saved_views import SavedViews
from activities.console.users import Users
from activities.database import Database, create_engine
from bench.ledger.list_pages import fill
from models.console.roles import ConsoleRole
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import DATABASE, SUPERUSER, Passwords, PostgresServer, running_postgres
from sandbox.servers.postgres_home import temporary_home
from settings import Settings
from web.app import build_app
from web.assets import own_assets
from web.context import Web
from web.rendering import Pages
from web.serving import READ_SECONDS
from web.sign_in_limits import SignInLimits
from web.views.listing import ListOfNoun
from web.views.record_lists import LISTS

URL, PASSWORD = "http://127.0.0.1:8010", "correct horse battery"
ROWS = Path(__file__).with_name("rows.sql")
REPEATS = 10
# By name: what a filter without words is given, of which there are rows.
GIVEN: Mapping[str, str] = {
    "account": "a77",
    "assigned": "me",
    "run": "run/daily/2029-12-31",
    "card": "c77",
    "currency": "EUR",
    "definition": "daily",
    "type": "charge.succeeded",
    "kind": "missing_in_ledger",
    "by": "bench",
    "command": "runs start",
    "user": "bench",
    "provider": "stripe",
    "reference": "pi_77",
    "error": "card_declined",
    "segment": "none",
    "classification": "none",
    "month": "2026-10",
    "batch": "DDB-1",
}
SEARCHES = ("müll a77", "a77@shop", "a77", "ft_77", "R77", "pi_77", "4242", "9.99", "1.190,00 EUR", "2026-10-01", "zzz")
_LINK = re.compile(r'href="(/[^"?]*)"')
_PARTS = re.compile(r'hx-get="([^"]+)" hx-trigger="load"')
_OLDER = re.compile(r'rel="next" href="([^"]+)"')
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


@dataclass
class Cost:
    """What a page costs in milliseconds of CPU: the web process and the database's servers, each time."""

    name: str
    status: int = 0
    web_ms: list[float] = field(default_factory=list)
    database_ms: list[float] = field(default_factory=list)

    @property
    def all_ms(self) -> list[float]:
        """Both together, the fastest first."""
        return sorted(map(sum, zip(self.web_ms, self.database_ms, strict=True)))

    @property
    def p95_ms(self) -> float:
        """The 95th of a hundred."""
        return self.all_ms[min(len(self.web_ms) - 1, round(0.95 * len(self.web_ms)))]


@dataclass
class Bench:
    """A console over a scratch database, and the servers that work for it."""

    client: httpx.AsyncClient
    database: Database
    token: str = ""
    pids: Sequence[int] = ()

    async def sign_in(self, users: Users) -> None:
        """Become an administrator."""
        await users.add("bench", ConsoleRole.ADMINISTRATOR, PASSWORD)
        answer = await self._send("/sign-in", user="bench", password=PASSWORD, to="/")
        self.token = _TOKEN.findall((await self.client.get("/")).text)[0]
        if answer.status_code != 303:
            raise RuntimeError("not signed in")

    async def cost(self, name: str, path: str = "", **fields: str) -> tuple[Cost, str]:
        """Ask for a page a few times; return what it costs, and the page."""
        found, text = Cost(name), ""
        for _ in range(REPEATS + 2):
            await self._read_pids()
            database, web = self._database_ns(), time.process_time_ns()
            answer = await (self._send("/search", **fields) if fields else self.client.get(path))
            web, database = time.process_time_ns() - web, self._database_ns() - database
            found.web_ms.append(web / 1e6)
            found.database_ms.append(database / 1e6)
            found.status, text = answer.status_code, answer.text
        # The first ones make plans and templates.
        del found.web_ms[:2], found.database_ms[:2]
        return found, text

    async def _send(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(
            path, data={"form_token": self.token, **fields}, headers={"sec-fetch-site": "same-origin"}
        )

    async def _read_pids(self) -> None:
        rows = await self.database.rows("select pid from pg_stat_activity where usename = current_user")
        self.pids = [row.pid for row in rows]

    def _database_ns(self) -> int:
        return sum(_on_cpu_ns(pid) for pid in self.pids)


def _on_cpu_ns(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])
    except OSError:
        return 0


@asynccontextmanager
async def console(server: PostgresServer) -> AsyncIterator[Bench]:
    """Build the console over a server, as `console.py` does, and sign in."""
    url = server.runtime_url(DATABASE)
    reading = create_engine(url, pool=4, timeout_seconds=READ_SECONDS, is_for_reading=True)
    writing = create_engine(url, pool=2)
    database = Database(writing)
    given: dict[str, Any] = {"database_url": url, "temporal_address": "127.0.0.1:9", "STRIPE_API_KEY": "sk_test_bench"}
    settings = Settings(**given, console_url=URL)
    users = Users(database)
    web = Web(
        *(settings, Database(reading, timeout_seconds=READ_SECONDS), users, Passkeys(database)),
        *(ConsoleForms(database), Approvals(database), SavedViews(database), MassActions(database)),
        *(Pages(assets := own_assets()), SignInLimits()),
    )
    transport = httpx.ASGITransport(app=build_app(web, assets))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=URL, timeout=60) as client:
            bench = Bench(client, database)
            await bench.sign_in(users)
            yield bench
    finally:
        await reading.dispose()
        await writing.dispose()


async def every_cost(bench: Bench) -> AsyncIterator[Cost]:
    """Yield what each page costs."""
    cost, _ = await bench.cost("home", "/")
    yield cost
    cost, _ = await bench.cost("home, money", "/home/money")
    yield cost
    objects: dict[str, str] = {"accounts": "/accounts/a77"}
    for of in LISTS.values():
        first = _addressed(of, {})
        cost, page = await bench.cost(of.noun, first)
        yield cost
        if of.noun not in objects and (link := _first_object(of.noun, page)):
            objects[of.noun] = link
        if older := _OLDER.findall(page):
            cost, _ = await bench.cost(f"{of.noun}, older", unescape(older[0]))
            yield cost
        for name, value in _narrowed(of):
            cost, _ = await bench.cost(f"{of.noun}?{name}={value}", _addressed(of, {name: value}))
            yield cost
    for noun, path in objects.items():
        cost, page = await bench.cost(f"{noun}: {path}", path)
        yield cost
        for part in _PARTS.findall(page):
            cost, _ = await bench.cost(f"{noun}, part: {part}", unescape(part))
            yield cost
    for words in SEARCHES:
        cost, _ = await bench.cost(f"search: {words}", words=words)
        yield cost


def _addressed(of: ListOfNoun, given: Mapping[str, str]) -> str:
    required = {of.required: GIVEN[of.required]} if of.required else {}
    return f"/{of.noun}?{urlencode({**required, **given})}"


def _narrowed(of: ListOfNoun) -> Iterator[tuple[str, str]]:
    for one in of.filters:
        if one.name != of.required:
            yield from ((one.name, word) for word in one.words or (GIVEN.get(one.name, "none"),))
    if of.has_days:
        yield "from", "2026-10-01"


def _first_object(noun: str, page: str) -> str:
    return next((unescape(one) for one in _LINK.findall(page) if one.startswith(f"/{noun}/")), "")


async def measured(accounts: int, payments: int) -> list[Cost]:
    """Fill a database and return what each page costs."""
    with temporary_home(in_memory=True) as home, TemporaryDirectory() as logs:
        async with running_postgres(Passwords.random(), home=home, log=Path(logs) / "postgres.log") as server:
            await migrate(server.owner_url(DATABASE))
            await asyncio.to_thread(fill, server, accounts, payments)
            await asyncio.to_thread(_more, server, accounts, payments)
            async with console(server) as bench:
                return [_noted(cost) async for cost in every_cost(bench)]


def _noted(cost: Cost) -> Cost:
    """Say on the standard error that a page was measured: all of them take minutes, and the table comes at the end."""
    sys.stderr.write(f"{cost.name}: {statistics.median(cost.all_ms):.1f} ms\n")
    return cost


def _more(server: PostgresServer, accounts: int, payments: int) -> None:
    rows = ROWS.read_text(encoding="utf-8").replace(":accounts", str(accounts)).replace(":payments", str(payments))
    password: Any = server.passwords.superuser
    with psycopg.connect(
        host="127.0.0.1", port=server.port, user=SUPERUSER, password=password, dbname=DATABASE, autocommit=True
    ) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(rows.encode())
        connection.execute("vacuum analyze")


def main(
    accounts: Annotated[int, typer.Option(help="Accounts, and rows of most lists.")] = 100_000,
    payments: Annotated[int, typer.Option(help="Payments, transactions and movements.")] = 300_000,
) -> None:
    """Print what each page costs, the dearest first."""
    found = sorted(asyncio.run(measured(accounts, payments)), key=lambda one: -one.p95_ms)
    sys.stdout.write(f"{accounts:,} accounts, {payments:,} payments; load {os.getloadavg()[0]:.1f}\n\n")
    sys.stdout.write("| Page | Status | Web p50, ms | Database p50, ms | Both p50, ms | p95, ms |\n")
    sys.stdout.write("|---|---:|---:|---:|---:|---:|\n")
    for one in found:
        web, database = statistics.median(one.web_ms), statistics.median(one.database_ms)
        cells = (web, database, statistics.median(one.all_ms), one.p95_ms)
        sys.stdout.write(f"| {one.name} | {one.status} | {' | '.join(f'{cell:.1f}' for cell in cells)} |\n")


if __name__ == "__main__":
    typer.run(main)
