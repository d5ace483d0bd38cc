"""One measured payment run: how fast, at what cost, and what the gateway was asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench import process_costs
from bench.merchant import Merchant
from bench.rates import plateau_rate, rate, steady_rate
from models.runs.process_run import Certificate, ItemOutcome

TOO_MANY_REQUESTS = 429

_MOMENTS = """
    select extract(epoch from a.started_at)::float8 as started, extract(epoch from a.finished_at)::float8 as finished
    from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id
    where r.run_id = :run_id and a.outcome = 'succeeded'"""


@dataclass(frozen=True)
class MeasuredRun:
    """What one run over some accounts came to. CPU is in milliseconds per payment, by part of the stack."""

    payments: int
    not_charged: int
    seconds: float
    per_second: float
    steady_per_second: float
    cpu_ms: dict[str, float]
    foreign_cores: float
    gateway_requests: int
    refused_busy: int
    events_per_payment: float
    plateau_per_second: float = 0.0

    def cpu_ms_of(self, *names: str) -> float:
        """Return CPU milliseconds per payment of some parts together."""
        return round(sum(self.cpu_ms[name] for name in names), 2)


async def measured(merchant: Merchant, collect: Callable[[], Awaitable[Certificate]]) -> MeasuredRun:
    """Run one collection and measure it. Everyone in it can pay: an account that was not charged is a finding."""
    requests, busy, before = _requests(merchant), _busy(merchant), process_costs.read()
    certificate = await collect()
    after = process_costs.read()
    started, finished = await _moments(merchant, certificate.run_id)
    used = process_costs.cost(before, after)
    cpu_ms = used.per_payment_ms(len(finished))
    return MeasuredRun(
        payments=len(finished),
        not_charged=certificate.members - _charged(certificate),
        seconds=round(after.at - before.at, 1),
        per_second=round(rate(finished, min(started)), 1),
        steady_per_second=round(steady_rate(finished, min(started)), 2),
        cpu_ms=cpu_ms,
        foreign_cores=used.foreign_cores,
        gateway_requests=_requests(merchant) - requests,
        refused_busy=_busy(merchant) - busy,
        events_per_payment=round(await _events(merchant, certificate.run_id) / len(finished), 2),
        plateau_per_second=round(plateau_rate(finished), 2),
    )


async def _moments(merchant: Merchant, run_id: str) -> tuple[list[float], list[float]]:
    rows = await merchant.database.rows(_MOMENTS, run_id=run_id)
    return [row.started for row in rows], [row.finished for row in rows]


async def _events(merchant: Merchant, run_id: str) -> int:
    """Count the events of a run's shards. A plain loop has none."""
    events = 0
    async for execution in merchant.client.list_workflows(
        f"WorkflowType = 'PaymentRunShard' and ProcessRunId = '{run_id}'"
    ):
        handle = merchant.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        events += (await handle.describe()).history_length
    return events


def _charged(certificate: Certificate) -> int:
    return sum(total.members for total in certificate.totals if total.outcome is ItemOutcome.CHARGED)


def _requests(merchant: Merchant) -> int:
    return sum(merchant.control.request_counts().values())


def _busy(merchant: Merchant) -> int:
    return merchant.control.status_counts().get(TOO_MANY_REQUESTS, 0)
