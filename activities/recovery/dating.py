"""What dates documents or lets money expire is not begun while the database's clock is wrong; it goes on by itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.database import Database
from activities.gateway.clocks import DATABASE, GATEWAY, Clocks
from models.collections.collection import CollectionClosing
from models.collections.dunning import GiveUpAction
from models.gateway.clocks import CLOCKS_DIFFER

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
            reason = await self._database.call("why_not_dated")
            if reason is not None:
                log.error("nothing_is_dated", activity=name, reason=reason, advice="duly doctor")
                raise WrongDayError(reason)
        return await super().execute_activity(input)


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
