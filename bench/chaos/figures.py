"""Figure: months of a company whose every part is harmed again and again, and what the oracle finds afterwards."""

import asyncio
import contextlib
import logging
import math
import os
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from bench.chaos.company import BrittleCompany, CompanyOptions, running_company
from bench.chaos.families.families import configured
from bench.chaos.gateway_records import read_gateway
from bench.chaos.injections import INJECTIONS, Harmer, in_rounds, possible_injections
from bench.chaos.oracle import Acknowledged, Oracle, OracleVerdict
from bench.chaos.persistence import until_answered
from bench.chaos.returning import Returning
from bench.chaos.settling import Leftovers, Settling
from bench.chaos.traffic import Traffic
from bench.ledger.client import plain
from bench.machine import Machine, this_machine
from models.period import Period

SEED = 7
FIRST_PERIOD = "2026-01"
# Of the calls and of the events so many go wrong, in every way that the sandbox has.
CALLS_WRONG, EVENTS_WRONG = 0.05, 0.2
MONTHS_AT_ONCE = 2
SLOW_SECONDS = 3.0

_OUTCOMES = """
select extract(epoch from started_at)::float8 as started, extract(epoch from finished_at)::float8 as finished
from duly.gateway_attempts where finished_at is not null order by finished_at
"""
_COLLECTIONS = """
select count(*) from (select account_id, period from duly.gateway_requests where kind = 'payment'
    union select account_id, period from duly.collections) x
"""


@dataclass(frozen=True)
class ChaosOptions:
    """How much is harmed for how long; `pause_seconds` lie between faults, `settle_seconds` bound the wait afterwards.

    So many `injections_min` are made even if the collections are through sooner, unless `minutes_max` have passed, and
    no more than `injections_max`, if that is not 0: on a busy machine faults would come for as long as it takes. With
    `kinds`, each of them comes once a round, and no other.
    """

    accounts: int
    collections: int
    seed: int = SEED
    minutes_max: float = 120.0
    pause_seconds: float = 4.0
    freeze_seconds: float = 10.0
    settle_seconds: float = 900.0
    missed_seconds: float = 0
    injections_min: int = 0
    injections_max: int = 0
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class InjectedKind:
    """A kind of fault: how often, how long until what was harmed served again, and until the next outcome was known."""

    name: str
    times: int
    is_kill: bool
    back_seconds: tuple[float, ...]
    next_outcome_seconds: tuple[float, ...]


@dataclass(frozen=True)
class ChaosFigures:
    """What was harmed, what it cost, and what was found."""

    machine: Machine
    seed: int
    collections: int
    counted: dict[str, int]
    seconds: float
    settling_seconds: float
    certainty_seconds: tuple[float, float, float]
    injected: tuple[InjectedKind, ...]
    call_faults: dict[str, int]
    event_faults: dict[str, int]
    left: Leftovers
    verdict: OracleVerdict
    # Of the whole machine, which other programs may have used as well; 0 where it was not measured.
    load_average: float = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether anything is wrong in the end."""
        return bool(self.verdict.findings or self.left.stuck)

    @property
    def kills(self) -> int:
        """How often a process was killed."""
        return sum(one.times for one in self.injected if one.is_kill)

    @property
    def per_second(self) -> float:
        """Collections a second while everything was harmed."""
        return round(self.collections / self.seconds, 2)


@dataclass
class InjectionLog:
    """When which fault was injected, and how long until what was harmed could serve again."""

    moments: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(len(each) for each in self.moments.values())

    @contextlib.contextmanager
    def noted(self, name: str) -> Iterator[None]:
        """Note one."""
        began = time.time()
        yield
        self.moments[name].append((began, time.time()))


async def measure_chaos(options: ChaosOptions) -> ChaosFigures:
    """Run months under faults, wait until everything is over or waits for a person, and ask the oracle."""
    # Drivers report each call that was cut off: that is the point here.
    for name in ("asyncio", "psycopg", "sqlalchemy.pool", "temporalio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    company_options = CompanyOptions(
        options.accounts, options.seed, missed_seconds=options.missed_seconds, configured=configured()
    )
    async with running_company(company_options) as company:
        return await harm_and_judge(company, options)


async def harm_and_judge(company: BrittleCompany, options: ChaosOptions) -> ChaosFigures:
    """Harm a running company, and judge it."""
    traffic = Traffic(company, options.seed, Returning(company))
    await traffic.families.debits.set_up(options.accounts)
    settling, log = Settling(company, traffic), InjectionLog()
    company.control.mixed_faults(CALLS_WRONG, seed=options.seed, delay_seconds=SLOW_SECONDS)
    company.control.mixed_event_faults(EVENTS_WRONG, seed=options.seed)
    began = time.monotonic()
    async with _harming(company, options, log), _going(settling):
        collections = await _months(traffic, options, log, began)
    seconds = time.monotonic() - began
    call_faults, event_faults = company.control.faults_injected(), company.control.event_faults_injected()
    company.control.clear_faults()
    company.control.clear_event_faults()
    await company.fleet.make_ordinary()
    left = await settling.until_over(options.settle_seconds)
    outcomes = [(row.started, row.finished) for row in await company.database.rows(_OUTCOMES)]
    return ChaosFigures(
        machine=await this_machine(company.database),
        seed=options.seed,
        collections=collections,
        counted=dict(sorted((traffic.counted + traffic.returning.counted + traffic.families.counted).items())),
        seconds=round(seconds, 1),
        settling_seconds=round(time.monotonic() - began - seconds, 1),
        certainty_seconds=_certainty([finished - started for started, finished in outcomes]),
        injected=_injected(log, [finished for _, finished in outcomes]),
        call_faults={str(kind): count for kind, count in sorted(call_faults.items())},
        event_faults={str(kind): count for kind, count in sorted(event_faults.items())},
        left=left,
        verdict=await judge(
            company,
            Acknowledged(frozenset(traffic.paid), traffic.from_bank, traffic.families.acknowledged),
        ),
        load_average=round(os.getloadavg()[2], 1),
    )


async def judge(company: BrittleCompany, acknowledged: Acknowledged) -> OracleVerdict:
    """Ask the oracle, in a thread of its own."""
    settings = company.stack.settings
    records = await asyncio.to_thread(read_gateway, company.stack.control, settings.stripe_api_key.get_secret_value())
    oracle = Oracle(plain(settings.migration_database_url), records, acknowledged)
    return await asyncio.to_thread(oracle.judge)


async def _months(traffic: Traffic, options: ChaosOptions, log: InjectionLog, began: float) -> int:
    """Run months until so much was collected, or the time is over; return how many receivables there were.

    The next one begins while the last members of the one before wait for their second try, as it is in a company.
    """
    period, collections, running = Period.parse(FIRST_PERIOD), 0, set[asyncio.Task[None]]()
    ends = began + options.minutes_max * 60
    async with asyncio.TaskGroup() as group:
        while collections < options.collections and time.monotonic() < ends:
            is_through = asyncio.Event()
            running.add(group.create_task(traffic.month(str(period), is_through)))
            await is_through.wait()
            if len(running) >= MONTHS_AT_ONCE:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            period, collections = period.next(), await _so_far(traffic, log, began, collections)
    collections = await _so_far(traffic, log, began, collections)
    while log.total < options.injections_min and time.monotonic() < ends:  # noqa: ASYNC110  # whoever injects knows of no event
        await asyncio.sleep(0.5)
    return collections


async def _so_far(traffic: Traffic, log: InjectionLog, began: float, before: int) -> int:
    """Count the receivables, and say how far it is and what has taken how long."""
    rows = await until_answered(lambda: traffic.company.database.rows(_COLLECTIONS), seconds=60)
    collections = int(rows[0][0]) if rows else before
    parts = ", ".join(f"{part} {seconds:.0f}" for part, seconds in traffic.seconds.items())
    so_far = f"{time.monotonic() - began:.0f} s: {collections:,} collections, {log.total} faults"
    print(f"{so_far} (seconds so far: {parts})", flush=True)
    return collections


@contextlib.asynccontextmanager
async def _harming(company: BrittleCompany, options: ChaosOptions, log: InjectionLog) -> AsyncIterator[None]:
    """Inject one fault after the other meanwhile; the last one is seen through."""
    stop = asyncio.Event()
    harming = asyncio.create_task(_harm(company, options, log, stop))
    try:
        yield
    finally:
        stop.set()
        await harming


@contextlib.asynccontextmanager
async def _going(settling: Settling) -> AsyncIterator[None]:
    """Sweep and supervise meanwhile."""
    going = asyncio.create_task(settling.keep_going())
    try:
        yield
    finally:
        going.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await going


async def _harm(company: BrittleCompany, options: ChaosOptions, log: InjectionLog, stop: asyncio.Event) -> None:
    rng = Random(options.seed)
    harmer = Harmer(company, rng, options.freeze_seconds)
    possible = possible_injections()
    chosen = tuple(replace(one, times=1) for one in possible if one.name in options.kinds) or possible
    for injection in in_rounds(chosen, rng):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), options.pause_seconds * rng.uniform(0.5, 1.5))
        if stop.is_set() or 0 < options.injections_max <= log.total:
            return
        with log.noted(injection.name):
            await injection.harm(harmer)


def _injected(log: InjectionLog, outcomes: Sequence[float]) -> tuple[InjectedKind, ...]:
    """Say of each kind how long it took; `outcomes` are the moments at which any outcome was known, in order."""
    kills = {one.name for one in INJECTIONS if one.is_kill}
    found = []
    for name, moments in sorted(log.moments.items()):
        following = [(began, bisect_right(outcomes, began)) for began, _ in moments]
        found.append(
            InjectedKind(
                name=name,
                times=len(moments),
                is_kill=name in kills,
                back_seconds=tuple(round(ended - began, 2) for began, ended in moments),
                next_outcome_seconds=tuple(
                    round(outcomes[place] - began, 2) for began, place in following if place < len(outcomes)
                ),
            )
        )
    return tuple(found)


def _certainty(seconds: list[float]) -> tuple[float, float, float]:
    """Return median, 99th percentile and maximum."""
    ordered = sorted(seconds) or [0.0]
    places = [math.ceil(share * len(ordered)) - 1 for share in (0.5, 0.99, 1.0)]
    return (round(ordered[places[0]], 2), round(ordered[places[1]], 2), round(ordered[places[2]], 2))
