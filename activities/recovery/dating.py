"""What dates documents or lets money expire is not begun while the database's clock is wrong; it goes on by itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import exists, func, select
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.database import Database
from activities.gateway.clocks import DATABASE, GATEWAY, THIS_MACHINE, Clocks, ObservedClock, elapsed
from models.collections.collection import CollectionClosing
from models.collections.dunning import GiveUpAction
from models.gateway.clocks import CLOCKS_DIFFER, ClockComparison, ClockVerdict
from models.tables.operations import ClockReadingRow

log = structlog.get_logger(__name__)

# Activities that give documents the day of the database's clock, or choose by that day whom they are about. All of them
# are tried again for ever by their workflows.
DATED = frozenset(
    {
        "freeze_billing_run",
        "bill_page",
        "certify_billing_run",
        "freeze_payment_run",
        "freeze_refund_run",
        "write_reminders",
        "credit_reduction",
        "close_collection",
    }
)
# A clock is compared twice a minute.
_AGAIN_AFTER = timedelta(seconds=60)
# What is older was seen by nobody who is still there.
_LATELY = timedelta(minutes=10)


class WrongDayError(ApplicationError):
    """Nothing was begun, because the database's clock is wrong; the same call may be repeated."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, type=CLOCKS_DIFFER, next_retry_delay=_AGAIN_AFTER)


class RightDay(Interceptor):
    """Lets no activity begin that dates documents while the database's clock is wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap a worker's activities."""
        return _Dating(next, self._database)


class _Dating(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, database: Database) -> None:  # noqa: A002
        super().__init__(next)
        self._database = database

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        name = activity.info().activity_type
        if name in DATED and _does_date(input.args):
            reason = await why_not_dated(self._database)
            if reason is not None:
                log.error("nothing_is_dated", activity=name, reason=reason, advice="duly doctor")
                raise WrongDayError(reason)
        return await super().execute_activity(input)


async def why_not_dated(database: Database) -> str | None:
    """Return why nothing may be dated by the database's clock now; None where it may. Raises DatabaseUnavailableError.

    Where no worker has compared it with a gateway's lately (cash and bank files have none), it is compared with this
    machine's: of two clocks that are apart nobody knows which is right, and somebody has to look.
    """
    reason: str | None = await database.call("why_not_dated")
    if reason is not None:
        return reason
    found, is_compared = await compare_with_this_machine(database)
    return str(found) if found.verdict is ClockVerdict.TOO_FAR and not is_compared else None


async def compare_with_this_machine(database: Database) -> tuple[ClockComparison, bool]:
    """Compare the database's clock with this machine's; say whether a gateway's was compared within ten minutes."""
    clock, sent = ObservedClock(), elapsed()
    now = func.clock_timestamp()
    lately = exists().where(ClockReadingRow.noted_at > now - _LATELY)
    (row,) = await database.read(select(now.label("now"), lately.label("is_compared")))
    clock.note(row.now, row.now, sent=sent, received=elapsed())
    offset = clock.offset()
    return ClockComparison({(DATABASE, THIS_MACHINE): offset} if offset else {}), row.is_compared


def _does_date(args: Sequence[Any]) -> bool:
    """Whether a call dates something: a collection that ends does where its account is written off, say."""
    closing = args[0] if args else None
    return not isinstance(closing, CollectionClosing) or closing.action is not GiveUpAction.NOTHING


async def note_clocks(database: Database, provider: str, clocks: Clocks) -> None:
    """Compare the clocks, and keep what was seen for everybody who dates something. Raises DatabaseUnavailableError."""
    found = await clocks.compare()
    of_database = found.offsets.get((DATABASE, GATEWAY))
    await database.call(
        "note_clocks",
        provider_id=provider,
        apart_seconds=abs(found.worst[1].seconds) if found.worst else 0,
        database_seconds=of_database.seconds if of_database else 0,
        culprit=found.culprit,
        reason=str(found),
    )
