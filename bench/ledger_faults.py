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
from bench.faults.killable_server import MortalServer, mortal_server
from bench.faults.reply_dropping_proxy import swallowing_proxy
from bench.faults.writers import Tally, Verdict, judge, open_accounts, writing
from bench.machine import Machine, machine_of

SWALLOWED_SHARE = 0.2
FILLING_SECONDS = 4.0
CALM_SECONDS = 1.5
# For each strike of the other faults; ten make more than the thousand lost replies that the plan asks for.
LOSING_SECONDS = 8.0
# Without an answer: a lost reply costs a time-out, and a full disk as long as it is full and one more.
LOST_GAP_SECONDS, FULL_GAP_SECONDS = 4.0, 10.0


@dataclass(frozen=True)
class Struck:
    """A fault, how often it struck, and what was found afterwards. `row` is its place in the reliability plan.

    `gap_seconds_max` is for how long writers may go without an answer.
    """

    row: int
    fault: str
    strikes: int
    gap_seconds_max: float
    verdict: Verdict


@dataclass(frozen=True)
class LedgerFaults:
    """All faults of one run, and those that this machine does not allow to be made, with the reason."""

    machine: Machine
    struck: tuple[Struck, ...]
    left_out: tuple[str, ...]


async def measure_ledger_faults(*, strikes: int, faults: tuple[Fault, ...] = FAULTS, seed: int = 7) -> LedgerFaults:
    """Strike so often with each fault while eight writers post, and judge the ledger after each."""
    # The driver would report each call that was cut off: that is the point here.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    rng, struck, left_out = random.Random(seed), [], []
    with tempfile.TemporaryDirectory() as logs:
        for fault in faults:
            async with loaded_server(Path(logs)) as mortal:
                struck.append(await strike(mortal, fault, strikes, rng))
        async with loaded_server(Path(logs)) as mortal:
            struck.append(await swallow_replies(mortal, seconds=strikes * LOSING_SECONDS, seed=seed))
            machine = await machine_of(mortal.server.runtime_url())
        if os.geteuid() == 0:
            async with loaded_server(Path(logs)) as mortal:
                struck.append(await fill_the_disk(mortal, strikes))
        else:
            left_out.append("11: a disk can only be filled by root, who may mount a small one")
    return LedgerFaults(machine, tuple(sorted(struck, key=lambda found: found.row)), tuple(left_out))


@asynccontextmanager
async def loaded_server(logs: Path) -> AsyncIterator[MortalServer]:
    """Run a server with accounts to pay on."""
    async with mortal_server(logs / "postgres.log") as mortal:
        await open_accounts(mortal.server.runtime_url())
        yield mortal


async def strike(mortal: MortalServer, fault: Fault, strikes: int, rng: random.Random) -> Struck:
    """Strike with a fault under load, each time after a moment of calm, and judge."""
    async with writing(mortal.server.runtime_url(), str(fault.row)) as tally:
        for _ in range(strikes):
            await asyncio.sleep(CALM_SECONDS * rng.uniform(0.5, 1.0))
            await fault.strike(mortal, rng)
        await _until_answered(tally)
    return Struck(
        fault.row, fault.name, strikes, fault.gap_seconds_max, await judge(mortal.server.runtime_url(), tally)
    )


async def swallow_replies(mortal: MortalServer, *, seconds: float, seed: int) -> Struck:
    """Lose a fifth of the replies after the commit; each is asked for again with its key."""
    async with swallowing_proxy(mortal.server.port, share=SWALLOWED_SHARE, seed=seed) as (proxy, port):
        url = mortal.server.runtime_url().replace(f":{mortal.server.port}/", f":{port}/")
        async with writing(url, "9") as tally:
            proxy.is_swallowing = True
            await asyncio.sleep(seconds)
            proxy.is_swallowing = False
        verdict = await judge(mortal.server.runtime_url(), tally)
    return Struck(
        9, f"{SWALLOWED_SHARE:.0%} of replies lost after the commit", proxy.swallowed, LOST_GAP_SECONDS, verdict
    )


async def fill_the_disk(mortal: MortalServer, strikes: int) -> Struck:
    """Fill the disk that holds the tables, and free it again; the server is not restarted."""
    async with mortal.on_a_small_disk() as disk:
        url = mortal.server.runtime_url()
        async with writing(url, "11") as tally:
            for _ in range(strikes):
                await asyncio.sleep(CALM_SECONDS)
                filler = disk / "filler"
                await asyncio.to_thread(_fill, filler)
                await asyncio.sleep(FILLING_SECONDS)
                filler.unlink()
            await _until_answered(tally)
        verdict = await judge(url, tally)
    return Struck(11, f"Disk full for {FILLING_SECONDS:g} s", strikes, FULL_GAP_SECONDS, verdict)


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
