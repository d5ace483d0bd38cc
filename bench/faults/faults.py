"""The faults, each a way to harm a server while writers work; an injection ends when the server could serve again."""

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psutil
import psycopg

from activities.database import Database, DatabaseUnavailableError, create_engine
from bench.faults.killable_server import KillableServer
from bench.ledger.client import plain

FREEZE_SECONDS = 6.0
HUNG_SECONDS = 8.0
DEADLOCK_SECONDS = 4.0
TERMINATIONS = 40

Injection = Callable[[KillableServer, random.Random], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A fault by the row of the reliability plan, and how long its writers may go without an answer."""

    row: int
    name: str
    inject: Injection
    gap_seconds_max: float


async def kill_backend(server: KillableServer, rng: random.Random) -> None:
    """Kill one backend: the server throws all others out and recovers by itself."""
    if backends := server.backends():
        with contextlib.suppress(psutil.NoSuchProcess):
            rng.choice(backends).kill()


async def kill_postmaster(server: KillableServer, _: random.Random) -> None:
    """Kill the first process only; its children notice and end."""
    server.postmaster().kill()
    await server.restart()


async def kill_everything(server: KillableServer, _: random.Random) -> None:
    """Kill every process of the server at once."""
    server.signal_all(signal.SIGKILL)
    await server.restart()


async def shut_down_immediately(server: KillableServer, _: random.Random) -> None:
    """Make the server leave without a checkpoint."""
    server.postmaster().send_signal(signal.SIGQUIT)
    await server.restart()


async def freeze(server: KillableServer, _: random.Random) -> None:
    """Stop every process where it is, and let them go on later."""
    server.signal_all(signal.SIGSTOP)
    await asyncio.sleep(FREEZE_SECONDS)
    server.signal_all(signal.SIGCONT)


async def hang_on_a_lock(server: KillableServer, _: random.Random) -> None:
    """Take an account's lock and send nothing more; the server ends the session that does not go on."""
    engine = create_engine(server.postgres.runtime_url(), pool=1)
    holder = Database(engine, timeout_seconds=HUNG_SECONDS * 4)
    with contextlib.suppress(DatabaseUnavailableError):
        async with holder.transaction() as connection:
            await connection.exec_driver_sql(f"set idle_in_transaction_session_timeout = '{int(HUNG_SECONDS)}s'")
            await connection.exec_driver_sql("select duly.set_account_state('acc_0', 'active')")
            await asyncio.sleep(HUNG_SECONDS + 1)
            await connection.exec_driver_sql("select 1")
    await engine.dispose()


async def deadlock(server: KillableServer, rng: random.Random) -> None:
    """Take accounts' locks in any order, so that writers are drawn into deadlocks, which the server breaks."""
    ends_at = asyncio.get_running_loop().time() + DEADLOCK_SECONDS
    await asyncio.gather(*(_lock_pairs(server.postgres.runtime_url(), rng, ends_at) for _ in range(4)))


async def terminate_backends(server: KillableServer, rng: random.Random) -> None:
    """Terminate one session after the other, as an administrator may."""
    for _ in range(TERMINATIONS):
        if backends := server.backends():
            with contextlib.suppress(psutil.NoSuchProcess):
                rng.choice(backends).terminate()
        await asyncio.sleep(0.05)


async def _lock_pairs(url: str, rng: random.Random, ends_at: float) -> None:
    while asyncio.get_running_loop().time() < ends_at:
        with contextlib.suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(plain(url)) as connection:
                for account in rng.sample(range(4), 2):
                    await connection.execute("select duly.set_account_state(%s, 'active')", [f"acc_{account}"])
                    await asyncio.sleep(0.05)


FAULTS = (
    Fault(1, "One backend killed", kill_backend, 10.0),
    Fault(2, "The first process killed", kill_postmaster, 30.0),
    Fault(3, "Every process killed", kill_everything, 30.0),
    Fault(4, "Immediate shutdown", shut_down_immediately, 30.0),
    Fault(10, f"Server frozen for {FREEZE_SECONDS:g} s", freeze, 20.0),
    Fault(12, f"An account's lock held for {HUNG_SECONDS:g} s by a silent session", hang_on_a_lock, 20.0),
    Fault(13, "Locks taken in any order: deadlocks", deadlock, 10.0),
    Fault(23, f"{TERMINATIONS} sessions terminated", terminate_backends, 10.0),
)
