"""What is open now, counted in the database and among the workflows: one reading for all, of bounded cost.

Every count goes by an index of what is open, and counts at most COUNTED_AT_MOST. One process at a time reads: it has
the advisory lock of its connection, and another one takes over when that ends.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from temporalio.client import Client

from activities.database import Database
from activities.expectations import IS_OVERDUE
from activities.operations.measured import Age, Measure, Measured
from activities.operations.regular_work import QUESTION_TIMEOUT, RegularWork, age_of, at_temporal
from models.collections.collection import ENDED, Stage
from models.disputes.dispute import DISPUTE_ENDED, DisputeState
from models.gateway.events import EventState
from models.gateway.gateway_request import RequestKind, RequestState
from models.messages.message import MessageState
from models.reconciliation.discrepancy import KINDS
from models.recovery.recovery import SendingState
from models.runs.process_run import RunState
from models.runs.run_control import RunStage
from models.tables.collecting import GatewayAttemptRow, GatewayEventRow, GatewayRequestRow, ProcessRunRow
from models.tables.configuration import ProviderRow
from models.tables.messages import MessageRow
from models.tables.movements import GatewayExpectationRow
from models.tables.operations import ClockReadingRow, SendingRow
from models.tables.reconciliation import DiscrepancyRow, ReconciliationRow
from models.tables.returns import DisputeRow, RefundRunRow

COUNTED_AT_MOST = 100_000

# "duly" and "open", as a key that nobody else locks.
_MEASURING = 0x64756C79_6F70656E

# A comparison of clocks is made twice a minute, by a gateway's worker.
LAST_SEEN_SECONDS = 600


class Measures:
    """Counts what is open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._regular = RegularWork(database)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers whose calls need a worker, as the last reading of the rows found them."""
        return self._regular.providers

    async def may_measure(self) -> bool:
        """Whether this process is the one that reads. Its database must have one connection, which keeps the lock."""
        ((is_ours,),) = await self._database.rows("select pg_try_advisory_lock(:key)", key=_MEASURING)
        return bool(is_ours)

    async def in_database(self) -> list[Measure]:
        """Count what is open by the rows. Raises DatabaseUnavailableError and SchemaMismatchError."""
        found = [measure async for measure in self._counts()]
        found += [measure async for measure in self._balances()]
        return found + [measure async for measure in self._regular.in_database()]

    async def _counts(self) -> AsyncIterator[Measure]:
        for provider in await self._database.read(select(ProviderRow.id)):
            for what, labels in _NOTHING_OPEN:
                yield Measure(what, (provider.id, *labels), 0)
        for what, query in _COUNTS:
            for row in await self._database.read(query):
                yield Measure(what, tuple(row[:-1]), float(row[-1]))
        for state in _UNSENT:
            (row,) = await self._database.read(_messages_in(state))
            yield Measure(Measured.OUTBOX_MESSAGES, (state,), row[0])
        (pending,) = await self._database.read(_OLDEST_PENDING)
        yield Measure(Measured.OUTBOX_LAG, (), float(pending[0]))

    async def _balances(self) -> AsyncIterator[Measure]:
        """Read how the last reconciliation of each provider has compared gateway and ledger."""
        for provider in await self._database.read(select(ProviderRow.id)):
            last = await self._database.read_first(
                select(ReconciliationRow.certificate)
                .where(ReconciliationRow.provider_id == provider.id, ReconciliationRow.certificate.is_not(None))
                .order_by(ReconciliationRow.day.desc())
                .limit(1)
            )
            if last is None:
                continue
            for balance in last.certificate["balances"]:
                gateway, ledger = balance["gateway_minor"], balance["ledger_minor"]
                labels = (provider.id, balance["currency"])
                yield Measure(Measured.GATEWAY_BALANCE, labels, gateway)
                yield Measure(Measured.CLEARING_BALANCE, labels, ledger)
                yield Measure(Measured.BALANCE_DIFFERENCE, labels, gateway - ledger - balance["unbooked_minor"])


async def among_workflows(client: Client, providers: Sequence[str]) -> list[Measure]:
    """Count running workflows by where they stand, as visibility knows it, and say who works. Raises RPCError."""
    running = "ExecutionStatus = 'Running'"
    asked: list[tuple[Measured, tuple[str, ...], str]] = [
        *(
            (Measured.OPEN_COLLECTIONS, (stage,), f"{running} AND WorkflowType = 'Collection' AND Stage = '{stage}'")
            for stage in Stage
            if stage not in ENDED
        ),
        *(
            (Measured.STANDING_RUNS, (stage,), f"{running} AND WorkflowType = 'PaymentRun' AND Stage = '{stage}'")
            for stage in (RunStage.HELD, RunStage.PAUSED)
        ),
        (Measured.NEEDS_REVIEW, (), f"{running} AND NeedsReview = true"),
    ]
    counts = await asyncio.gather(
        *(client.count_workflows(query, rpc_timeout=QUESTION_TIMEOUT) for _, _, query in asked)
    )
    standing = [Measure(what, labels, found.count) for (what, labels, _), found in zip(asked, counts, strict=True)]
    return standing + await at_temporal(client, providers)


# What was sent is no matter of the outbox any more.
_UNSENT = tuple(state for state in MessageState if state is not MessageState.SENT)


def _counts_by_provider() -> Iterable[tuple[Measured, Select[*tuple[Any, ...]]]]:
    event, run, refund_run = GatewayEventRow, ProcessRunRow, RefundRunRow
    waiting = event.state == EventState.WAITING
    open_run, open_refund_run = run.state == RunState.RUNNING, refund_run.completed_at.is_(None)
    dispute, found, movement = DisputeRow, DiscrepancyRow, GatewayExpectationRow
    yield Measured.UNKNOWN_ATTEMPTS, _unknown_attempts()
    for state in (EventState.WAITING, EventState.NEEDS_REVIEW):
        yield Measured.INBOX_EVENTS, _counted((event.provider_id, event.state), event.state == state)
    # What was put off to later is not late.
    lag = func.greatest(age_of(func.min(event.next_try_at)), 0)
    yield Measured.INBOX_LAG, select(event.provider_id, lag).where(waiting).group_by(event.provider_id)
    yield Measured.OPEN_RUNS, _counted((run.kind,), open_run)
    yield Measured.OPEN_RUNS, select(literal("refund"), func.count()).select_from(refund_run).where(open_refund_run)
    yield Measured.OLDEST_RUN, select(run.kind, age_of(func.min(run.started_at))).where(open_run).group_by(run.kind)
    oldest_refund_run = age_of(func.min(refund_run.started_at))
    yield Measured.OLDEST_RUN, select(literal("refund"), oldest_refund_run).where(open_refund_run)
    yield Measured.OPEN_DISPUTES, _counted((dispute.provider_id, dispute.state), dispute.closed_at.is_(None))
    yield Measured.OPEN_DISCREPANCIES, _counted((found.provider_id, found.kind), found.state == "open")
    yield Measured.OVERDUE_MOVEMENTS, _counted((movement.provider_id,), IS_OVERDUE)
    held = case((SendingRow.state == SendingState.OPEN, 0), else_=1)
    yield Measured.SENDING_HELD, select(SendingRow.provider_id, held)
    seen = ClockReadingRow
    culprit = func.coalesce(func.nullif(seen.culprit, ""), "nobody knows")
    # One that nobody has compared for ten minutes is no reading.
    lately = func.abs(age_of(seen.noted_at)) < LAST_SEEN_SECONDS
    yield Measured.CLOCKS_APART, select(seen.provider_id, culprit, seen.apart_seconds).where(lately)


def _unknown_attempts() -> Select[*tuple[Any, ...]]:
    attempt, request = GatewayAttemptRow, GatewayRequestRow
    age = func.now() - attempt.started_at
    bands = ((1, Age.UP_TO_1H), (6, Age.UP_TO_6H), (24, Age.UP_TO_24H))
    age_class = case(
        *((age <= timedelta(hours=hours), literal(band.value)) for hours, band in bands),
        else_=literal(Age.OVER_24H.value),
    )
    in_flight = attempt.outcome.is_(None) | attempt.outcome.in_(("processing", "unknown"))
    inner = (
        select(request.provider_id, request.kind, age_class.label("age_class"))
        .join(request, request.id == attempt.request_id)
        .where(in_flight, request.state == RequestState.UNKNOWN)
        .limit(COUNTED_AT_MOST)
        .subquery()
    )
    return select(inner.c.provider_id, inner.c.kind, inner.c.age_class, func.count()).group_by(
        inner.c.provider_id, inner.c.kind, inner.c.age_class
    )


def _counted(
    by: tuple[ColumnElement[Any], ...] | tuple[Any, ...], *filters: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    inner = select(*by).where(*filters).limit(COUNTED_AT_MOST).subquery()
    return select(*inner.c, func.count()).group_by(*inner.c)


def _messages_in(state: MessageState) -> Select[*tuple[Any, ...]]:
    inner = (
        select(literal(1)).select_from(MessageRow).where(MessageRow.state == state).limit(COUNTED_AT_MOST).subquery()
    )
    return select(func.count()).select_from(inner)


_COUNTS = tuple(_counts_by_provider())
# Nothing open is a number too: a gauge that is not shown was not read. What is read is added to these.
_NOTHING_OPEN: tuple[tuple[Measured, tuple[str, ...]], ...] = (
    *((Measured.UNKNOWN_ATTEMPTS, labels) for labels in product(RequestKind, Age)),
    *((Measured.INBOX_EVENTS, (state,)) for state in (EventState.WAITING, EventState.NEEDS_REVIEW)),
    (Measured.INBOX_LAG, ()),
    *((Measured.OPEN_DISPUTES, (state,)) for state in DisputeState if state not in DISPUTE_ENDED),
    *((Measured.OPEN_DISCREPANCIES, (kind,)) for kind in KINDS),
    (Measured.OVERDUE_MOVEMENTS, ()),
    (Measured.SENDING_HELD, ()),
    (Measured.CLOCKS_APART, ("nobody knows",)),
)
_OLDEST_PENDING = select(age_of(func.min(MessageRow.queued_at))).where(MessageRow.state == MessageState.PENDING)


def queries() -> list[Select[*tuple[Any, ...]]]:
    """Return every query of a reading, the balances' aside: one row of a provider."""
    return [*(query for _, query in _COUNTS), *(_messages_in(state) for state in _UNSENT), _OLDEST_PENDING]
