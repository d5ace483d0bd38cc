"""Activities of a payment run in the database: freezing its members, paging through them, certifying the end."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.business_events import announce
from activities.database import Database, RuleBrokenError
from activities.runs.queries import RunQueries
from models.money import Money
from models.operations.business_events import RunEnded, RunStarted
from models.operations.event_names import RunSort
from models.period import InvalidPeriodError, Period
from models.runs.process_run import (
    Certificate,
    CountedShards,
    DueMember,
    DuePage,
    ItemOutcome,
    PageRequest,
    RunPlan,
    RunRequest,
    ShardProgress,
)
from models.runs.run_control import RunDecisions, RunSteering
from models.runs.run_period import RunPeriod
from models.runs.window import WINDOW_MOST, shards_for

SWEEP_SECONDS = 25 * 60.0

# So many accounts are locked in one commit while an aborted run lets its members go: a second at most for a payment
# of one of them that comes in meanwhile.
RELEASE_PAGE = 1000

PLAN = TypeAdapter(RunPlan)
CERTIFICATE = TypeAdapter(Certificate)


class RunActivities:
    """Reads and commits of payment runs, at a rate of gateway calls a second; each is safe to repeat."""

    def __init__(self, database: Database, *, rate: float) -> None:
        self._database = database
        self._rate = rate

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [
            self.freeze_payment_run,
            self.due_page,
            self.progress_of_shards,
            self.steer_run,
            self.record_run_decisions,
            self.release_members,
            self.certify_run,
        ]

    @activity.defn
    async def freeze_payment_run(self, request: RunRequest) -> RunPlan:
        """Fix who is in the run, once.

        Raises RuleBrokenError: definition unknown or not effective, period run, not due, or over nobody.
        """
        info = activity.info()
        if request.is_shadow:
            only: dict[str, Any] = {"execution": info.workflow_run_id}
        else:
            await require_due(self._database, request)
            only = {"supplement": request.supplement, "over_nobody": request.over_nobody}
        plan = await self._database.call(
            "freeze_shadow_run" if request.is_shadow else "freeze_payment_run",
            timeout_seconds=SWEEP_SECONDS,
            run_id=info.workflow_id,
            definition_id=request.definition_id,
            period=request.period,
            ends_on=run_period_of(request.period).ends_on,
            shards=shards_for(math.ceil(self._rate)),
            window=WINDOW_MOST,
            **only,
        )
        frozen = PLAN.validate_python(plan)
        announce(RunStarted(RunSort.SHADOW if request.is_shadow else RunSort.PAYMENT, frozen.run_id, frozen.members))
        return frozen

    @activity.defn
    async def due_page(self, page: PageRequest) -> DuePage:
        """Read the next members of a shard that have no outcome yet."""
        rows = await self._database.rows(
            "select * from duly.due_page(:run_id, :shard, :after, :limit)",
            run_id=page.run_id,
            shard=page.shard,
            after=page.after,
            limit=page.limit,
        )
        return DuePage(
            tuple(
                DueMember(
                    row.member_id,
                    f"{row.member_id}: {Money(row.amount_minor, row.currency)}, {row.card_label}",
                )
                for row in rows
            )
        )

    @activity.defn
    async def progress_of_shards(self, run_id: str) -> CountedShards:
        """Count what a run's shards have come to, from its members' rows: those that ended early did not report it."""
        rows = await self._database.rows(
            "select * from duly.progress_of_shards(:run_id)", timeout_seconds=SWEEP_SECONDS, run_id=run_id
        )
        tallies: dict[int, Counter[str]] = defaultdict(Counter)
        charged: dict[int, Counter[str]] = defaultdict(Counter)
        for row in rows:
            tallies[row.shard][row.outcome] += row.members
            if row.outcome == ItemOutcome.CHARGED:
                charged[row.shard][row.currency] += row.settled_minor
        return CountedShards(
            tuple(ShardProgress(shard, dict(tallies[shard]), dict(charged[shard])) for shard in sorted(tallies))
        )

    @activity.defn
    async def steer_run(self, steered: RunSteering) -> None:
        """Keep that a run is paused, aborted, or goes on: no attempt of one that stands still is begun after it."""
        await self._database.call("steer_run", run_id=steered.run_id, steering=steered.steering)

    @activity.defn
    async def record_run_decisions(self, made: RunDecisions) -> None:
        """Keep what operators decided about a run: its certificate holds it."""
        await self._database.call(
            "record_run_decisions",
            run_id=made.run_id,
            decisions=list(made.decisions),
            is_aborted=made.is_aborted,
        )

    @activity.defn
    async def release_members(self, run_id: str) -> None:
        """Let every member of an aborted run go for whom nothing was sent to the gateway, page by page."""
        after = ""
        while True:
            after = await self._database.call("release_members", run_id=run_id, after=after, limit=RELEASE_PAGE)
            if not after:
                return

    @activity.defn
    async def certify_run(self, run_id: str) -> Certificate:
        """Close the run. Raises RuleBrokenError when its members and the ledger do not add up to the same money."""
        certificate = CERTIFICATE.validate_python(
            await self._database.call("certify_run", timeout_seconds=SWEEP_SECONDS, run_id=run_id)
        )
        announce(run_ended(RunSort.SHADOW if certificate.comparison else RunSort.PAYMENT, certificate))
        return certificate


async def require_due(database: Database, request: RunRequest) -> None:
    """Refuse to begin a run before its calendar's moment, unless that is asked for; one that began goes on.

    Raises RuleBrokenError (period_is_due).
    """
    if request.not_due_yet or request.supplement:
        return
    _ = run_period_of(request.period)
    records = RunQueries(database)
    if await records.run_of(request.definition_id, request.period) is not None:
        return
    early = await records.early(request.definition_id, request.period, activity.info().scheduled_time)
    if early is not None:
        raise RuleBrokenError(early.rule, f"period: {early.message}; not_due_yet runs it all the same")


def period_of(text: str) -> Period:
    """Read the month of a request; a wrong one is refused for good."""
    try:
        return Period.parse(text)
    except InvalidPeriodError as error:
        raise RuleBrokenError("period_is_a_month", str(error)) from error


def run_period_of(text: str) -> RunPeriod:
    """Read the period of a payment run: a month, a week or a day; a wrong one is refused for good."""
    try:
        return RunPeriod.parse(text)
    except InvalidPeriodError as error:
        raise RuleBrokenError("period_is_a_month", str(error)) from error


def run_ended(sort: RunSort, certificate: Certificate) -> RunEnded:
    """Return what a certificate says in one line: members by outcome, and the money of those charged or billed."""
    outcomes: Counter[str] = Counter()
    money: Counter[str] = Counter()
    for total in certificate.totals:
        outcomes[total.outcome] += total.members
        if total.outcome in {ItemOutcome.BILLED, ItemOutcome.CHARGED}:
            money[total.currency] += total.amount_minor
    amounts = tuple(Money(amount, currency) for currency, amount in sorted(money.items()))
    return RunEnded(sort, certificate.run_id, certificate.members, outcomes, amounts)
