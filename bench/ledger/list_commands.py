"""`python -m bench.ledger.list_commands`: how long each list of the command line takes where tables are large.

Every command with `--limit` is carried out as it is typed, for people, as JSON and as CSV, and behind the first page,
on a scratch database in memory whose rows are made by SQL. Nothing is kept. Temporal is away: it adds a call to a page.
With `--write` the table of docs/scale.md is written anew: on a machine that does nothing else.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import orjson
import typer
from typer.testing import CliRunner

from bench.ledger.list_pages import fill
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import DATABASE, Passwords, running_postgres
from sandbox.servers.postgres_home import temporary_home
from starter import app

REPEATS = 3
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
_MARKED = re.compile(r"(<!-- measured: lists -->)\n.*?(<!-- end -->)", re.DOTALL)
WAYS: Mapping[str, tuple[str, ...]] = {"shown": (), "JSON": ("--json",), "CSV": ("--csv",)}
# What narrows a list, with a value that the rows have, or that few or none have.
FILTERS = {
    "--account": ("a77",),
    "--state": (
        "open",
        "waiting",
        "sent",
        "failed",
        "settled",
        "posted",
        "paid",
        "won",
        "rejected",
        "draft",
        "in_force",
    ),
}
# Nobody answers there.
ENVIRONMENT = {"DULY_TEMPORAL_ADDRESS": "127.0.0.1:9", "STRIPE_API_KEY": "sk_test_bench", "COLUMNS": "200"}


def lists(group: Any, *words: str) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Yield each command that has pages, as it is typed, with its options."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from lists(command, *words, name)
        elif {"--limit", "--json"} <= (options := {word for one in command.params for word in one.opts}):
            yield (*words, name), options


async def measured(accounts: int, payments: int) -> list[tuple[str, Mapping[str, float]]]:
    """Return of each list, and of each narrowed one, what it takes in each way, in milliseconds: the best of three."""
    with temporary_home(in_memory=True) as home, TemporaryDirectory() as logs:
        async with running_postgres(Passwords.random(), home=home, log=Path(logs) / "postgres.log") as server:
            await migrate(server.owner_url(DATABASE))
            await asyncio.to_thread(fill, server, accounts, payments)
            return await asyncio.to_thread(lambda: list(_all_times(server.runtime_url(DATABASE))))


def _all_times(url: str) -> Iterator[tuple[str, Mapping[str, float]]]:
    runner = CliRunner(env={**ENVIRONMENT, "DULY_DATABASE_URL": url})
    for words, options in lists(typer.main.get_command(app)):
        ways = {way: given for way, given in WAYS.items() if set(given) <= options}
        times = {way: _best(runner, (*words, *given)) for way, given in ways.items()}
        following = _following(runner, words) if "--after" in options else None
        if following:
            times["behind"] = _best(runner, (*words, "--after", following))
        yield " ".join(words), times
        for option, values in FILTERS.items():
            for value in values if option in options else ():
                if (took := _best(runner, (*words, option, value, "--json"))) >= 0:
                    yield " ".join((*words, option, value)), {"JSON": took}


def _following(runner: CliRunner, words: Sequence[str]) -> str | None:
    following = orjson.loads(runner.invoke(app, [*words, "--json"]).stdout).get("next")
    return str(following) if following else None


def _best(runner: CliRunner, words: Sequence[str]) -> float:
    """Return the shortest time in milliseconds; -1: the list has no such word."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        result = runner.invoke(app, list(words))
        times.append((time.perf_counter() - began) * 1000)
        if result.exit_code:
            return -1
    return min(times)


def table_of(found: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """Return the table of what was measured."""
    lines = ["| List | Shown, ms | JSON, ms | CSV, ms | Behind the first page, ms |", "|---|---:|---:|---:|---:|"]
    for name, times in found:
        cells = (f"{times[way]:.0f}" if way in times else "" for way in (*WAYS, "behind"))
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(page: str, written: str) -> str:
    """Return a page whose table of lists is another one."""
    return _MARKED.sub(lambda found: f"{found[1]}\n\n{written}\n\n{found[2]}", page)


def main(
    accounts: Annotated[int, typer.Option(help="Accounts, and rows of most lists.")] = 100_000,
    payments: Annotated[int, typer.Option(help="Payments, transactions and movements.")] = 200_000,
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the table of docs/scale.md.")] = False,
) -> None:
    """Print what each list takes."""
    began = time.perf_counter()
    found = asyncio.run(measured(accounts, payments))
    load = f"load {os.getloadavg()[0]:.1f}, {time.perf_counter() - began:.0f} s"
    written = f"{accounts:,} accounts, {payments:,} payments; {load}\n\n{table_of(found)}"
    sys.stdout.write(f"{written}\n")
    if write:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), written), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
