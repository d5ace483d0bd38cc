"""Figure: what is lost of the ledger when its server is killed, frozen or full, and when its replies are."""

import asyncio
import logging
import os
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.faults.faults import FAULTS, Fault
from bench.faults.killable_server import KillableServer, killable_server
from bench.faults.reply_dropping_proxy import reply_dropping_proxy
from bench.faults.writers import Tally, Verdict, open_accounts, verify, writing
from bench.machine import Machine, machine_of

DROPPED_SHARE = 0.2
FILLING_SECONDS = 4.0
QUIET_SECONDS = 1.5
# For each injection of the other faults; ten make more than the thousand lost replies that the plan asks for.
LOSING_SECONDS = 8.0
# Without an answer: a lost reply costs a time-out, and a full disk as long as it is full and one more.
LOST_GAP_SECONDS, FULL_GAP_SECONDS = 4.0, 10.0


@dataclass(frozen=True)
class FaultOutcome:
    """A fault, how often it was injected, and what was found afterwards. `row` is its place in the reliability plan.

    `gap_seconds_max` is for how long writers may go without an answer.
    """

    row: int
    fault: str
    injections: int
    gap_seconds_max: float
    verdict: Verdict


@dataclass(frozen=True)
class LedgerFaults:
    """All faults of one run, and those that this machine does not allow to be made, with the reason."""

    machine: Machine
    outcomes: tuple[FaultOutcome, ...]
    left_out: tuple[str, ...]


async def measure_ledger_faults(*, injections: int, faults: tuple[Fault, ...] = FAULTS, seed: int = 7) -> LedgerFaults:
    """Injection so often with each fault while eight writers post, and verify the ledger after each."""
    # The driver would report each call that was cut off: that is the point here.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    rng, outcomes, left_out = random.Random(seed), [], []
    with tempfile.TemporaryDirectory() as logs:
        for fault in faults:
            async with loaded_server(Path(logs)) as server:
                outcomes.append(await inject_repeatedly(server, fault, injections, rng))
        async with loaded_server(Path(logs)) as server:
            outcomes.append(await drop_replies(server, seconds=injections * LOSING_SECONDS, seed=seed))
            machine = await machine_of(server.postgres.runtime_url())
        if os.geteuid() == 0:
            async with loaded_server(Path(logs)) as server:
                outcomes.append(await fill_the_disk(server, injections))
        else:
            left_out.append("11: a disk can only be filled by root, who may mount a small one")
    return LedgerFaults(machine, tuple(sorted(outcomes, key=lambda found: found.row)), tuple(left_out))


@asynccontextmanager
async def loaded_server(logs: Path) -> AsyncIterator[KillableServer]:
    """Run a server with accounts to pay on."""
    async with killable_server(logs / "postgres.log") as server:
        await open_accounts(server.postgres.runtime_url())
        yield server


async def inject_repeatedly(server: KillableServer, fault: Fault, injections: int, rng: random.Random) -> FaultOutcome:
    """Injection with a fault under load, each time after a moment of calm, and verify."""
    async with writing(server.postgres.runtime_url(), str(fault.row)) as tally:
        for _ in range(injections):
            await asyncio.sleep(QUIET_SECONDS * rng.uniform(0.5, 1.0))
            await fault.inject(server, rng)
        await _until_answered(tally)
    return FaultOutcome(
        fault.row, fault.name, injections, fault.gap_seconds_max, await verify(server.postgres.runtime_url(), tally)
    )


async def drop_replies(server: KillableServer, *, seconds: float, seed: int) -> FaultOutcome:
    """Lose a fifth of the replies after the commit; each is asked for again with its key."""
    async with reply_dropping_proxy(server.postgres.port, share=DROPPED_SHARE, seed=seed) as (proxy, port):
        url = server.postgres.runtime_url().replace(f":{server.postgres.port}/", f":{port}/")
        async with writing(url, "9") as tally:
            proxy.is_dropping = True
            await asyncio.sleep(seconds)
            proxy.is_dropping = False
        verdict = await verify(server.postgres.runtime_url(), tally)
    return FaultOutcome(
        9, f"{DROPPED_SHARE:.0%} of replies lost after the commit", proxy.dropped, LOST_GAP_SECONDS, verdict
    )


async def fill_the_disk(server: KillableServer, injections: int) -> FaultOutcome:
    """Fill the disk that holds the tables, and free it again; the server is not restarted."""
    async with server.on_a_small_disk() as disk:
        url = server.postgres.runtime_url()
        async with writing(url, "11") as tally:
            for _ in range(injections):
                await asyncio.sleep(QUIET_SECONDS)
                filler = disk / "filler"
                await asyncio.to_thread(_fill, filler)
                await asyncio.sleep(FILLING_SECONDS)
                filler.unlink()
            await _until_answered(tally)
        verdict = await verify(url, tally)
    return FaultOutcome(11, f"Disk full for {FILLING_SECONDS:g} s", injections, FULL_GAP_SECONDS, verdict)


async def _until_answered(tally: Tally) -> None:
    """Wait until the server has answered somebody since now."""
    before = len(tally.acknowledged)
    async with asyncio.timeout(60.0):
        while len(tally.acknowledged) <= before:  # noqa: ASYNC110  # the writers know of no event
            await asyncio.sleep(0.05)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 8192):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
