"""Refund runs: members frozen, paged through, and certified."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from temporalio import activity

from activities.business_events import announce
from activities.database import Database
from models.money import Money
from models.operations.business_events import RunEnded, RunStarted
from models.operations.event_names import RunSort
from models.runs.refund_run import RefundCertificate, RefundMember, RefundRunStart
from models.tables.returns import RefundRunRow

PAGE = 100
SWEEP_SECONDS = 10 * 60.0
# Reserving a page of refunds; shorter than the activity, which would begin it again.
PAGE_SECONDS = 45.0

_MEMBERS = TypeAdapter(list[RefundMember])
_CERTIFICATE = TypeAdapter(RefundCertificate)


class RefundRunActivities:
    """Activities of a refund run in the ledger. Each is one commit, and safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.freeze_refund_run, self.refund_page, self.certify_refund_run, self.refund_certificate]

    @activity.defn
    async def freeze_refund_run(self, start: RefundRunStart) -> int:
        """Fix who is in a run, once, and return how many they are. A second run of a day has the same members.

        Raises RuleBrokenError (somebody_is_due) when nobody is, unless that is asked for.
        """
        frozen = await self._database.call(
            "freeze_refund_run",
            run_id=start.run_id,
            provider_id=start.provider,
            day=start.day,
            over_nobody=start.over_nobody,
            timeout_seconds=SWEEP_SECONDS,
        )
        announce(RunStarted(RunSort.REFUND, start.run_id, int(frozen)))
        return int(frozen)

    @activity.defn
    async def refund_page(self, run_id: str, after: str) -> list[RefundMember]:
        """Return the next members behind one, their refunds reserved."""
        rows = await self._database.rows(
            "select * from duly.refund_page(:run, :after, :limit)",
            run=run_id,
            after=after,
            limit=PAGE,
            timeout_seconds=PAGE_SECONDS,
        )
        return _MEMBERS.validate_python([row._asdict() for row in rows])

    @activity.defn
    async def certify_refund_run(self, run_id: str) -> RefundCertificate:
        """Close a run and return its certificate."""
        certificate = _CERTIFICATE.validate_python(
            await self._database.call("certify_refund_run", run_id=run_id, timeout_seconds=SWEEP_SECONDS)
        )
        announce(_ended(certificate))
        return certificate

    @activity.defn
    async def refund_certificate(self, run_id: str) -> RefundCertificate | None:
        """Return the certificate of a run that is over, or None."""
        return await read_certificate(self._database, run_id)


async def read_certificate(database: Database, run_id: str) -> RefundCertificate | None:
    """Return the certificate of a run that is over, or None."""
    found = await database.read_first(select(RefundRunRow.certificate).where(RefundRunRow.id == run_id))
    return _CERTIFICATE.validate_python(found.certificate) if found and found.certificate else None


def _ended(certificate: RefundCertificate) -> RunEnded:
    outcomes: Counter[str] = Counter()
    money: Counter[str] = Counter()
    for total in certificate.totals:
        outcomes[total.outcome] += total.members
        money[total.currency] += total.refunded_minor
    amounts = tuple(Money(amount, currency) for currency, amount in sorted(money.items()))
    return RunEnded(RunSort.REFUND, certificate.run_id, certificate.members, outcomes, amounts)
