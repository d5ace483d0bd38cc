"""What happens when Stripe does not answer: an attempt is sent, looked for and given its outcome in one way.

Charges, card validations and refunds share it. The caller opens the attempt: its row holds the idempotency key
(duly.attempt_key) and every parameter before the first call. A final outcome is reported as it is stored. Else the
request is sent, and sent again under the same key after every call without an answer, unless a look shows that an
earlier one has succeeded. When the key can only repeat an error or may be forgotten, or while clocks are too far apart,
evidence is looked for instead. Absence proves that the attempt did not happen once the quiet period is over: on the
gateway's own clock, from the first call after the last sending that got no answer or found nothing. It is shorter after
a stored error, and while clocks are too far apart it neither begins nor ends. The caller records the outcome in one
commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from activities.business_events import announce
from activities.database import Database, RuleBrokenError
from activities.gateway.clocks import Clocks, SendingLimit, require_in_time, sent_within
from activities.gateway.pace import Pace
from activities.gateway.retries import retryable
from models.gateway.errors import (
    KEY_USED,
    GatewayError,
    GatewayInvalidRequestError,
    GatewayUnansweredError,
)
from models.gateway.gateway_request import FINAL_OUTCOMES, AttemptChannel, AttemptOutcome, RequestKind
from models.operations.business_events import AttemptUnanswered

log = structlog.get_logger(__name__)

# A request that was last sent this long ago has arrived or never will: only then does its absence prove anything.
QUIET_PERIOD = timedelta(minutes=3)
# One that was answered by a stored error has arrived: what it may have done is in the gateway's lists by then.
QUIET_AFTER_STORED_ERROR = timedelta(seconds=30)

# Nothing is sent later than this after its row was read: its activity is over by then, and a process that stood still
# (frozen, a paused machine) would send a key that the gateway has forgotten. Whoever tries again reads the row again.
SEND_WITHIN = timedelta(minutes=2)

# A look before a key is sent again takes this long at most. It leaves an activity's time-out room for the sending, also
# where a customer has so many payments that reading them takes minutes.
CHECK_SECONDS = 15.0

OutcomeFields = dict[str, Any]
Answer = TypeVar("Answer")
Find = Callable[[str], Awaitable[Answer | None]]


@dataclass(frozen=True)
class StoredAttempt:
    """What the rows of all attempts have: how far one has come, whether it may be sent, and since when it was not."""

    request_id: str
    number: int
    channel: AttemptChannel
    outcome: AttemptOutcome | None
    gateway_reference: str
    may_be_sent: bool
    quiet_since: datetime | None
    code: str
    was_unanswered: bool = False
    started_at: datetime | None = None
    limit: SendingLimit = field(default_factory=lambda: SendingLimit(SEND_WITHIN))

    @property
    def is_final(self) -> bool:
        """Whether the outcome is certain and never changes again."""
        return self.outcome in FINAL_OUTCOMES

    def why_absence_proves_nothing(self, now: datetime | None) -> str:
        """Return why what was not found may have happened all the same; empty when its absence is proof.

        Whoever used the key has made something, perhaps for another customer. The gateway may come to know of a request
        within the quiet period, by its own clock, where that is known. A reference shows that it has arrived; a stored
        error does not, for what it answered may be under way still.
        """
        if self.code == KEY_USED:
            return KEY_USED
        if self.gateway_reference:
            return ""
        quiet = QUIET_PERIOD if self.outcome is None else QUIET_AFTER_STORED_ERROR
        may_arrive = now is None or self.quiet_since is None or now - self.quiet_since < quiet
        return "too_early_to_tell" if may_arrive else ""


@dataclass(frozen=True)
class GatewayCalls(Generic[Answer]):
    """How one attempt is sent, found by reference or by listing, and given an outcome; without `send` only found.

    `outcome_from` takes None for proof of absence.
    """

    find: Find[Answer]
    outcome_from: Callable[[Answer | None], OutcomeFields]
    send: Callable[[], Awaitable[Answer]] | None = None


class GatewayAttempts:
    """Sends attempts at the gateway's pace, or looks for evidence of them."""

    def __init__(
        self, database: Database, clocks: Clocks, pace: Pace, kind: RequestKind = RequestKind.CARD_VALIDATION
    ) -> None:
        self._database = database
        self._clocks = clocks
        self._pace = pace
        self._kind = kind

    async def make(self, attempt: StoredAttempt, calls: GatewayCalls[Answer]) -> tuple[OutcomeFields, Answer | None]:
        """Return the outcome to record, and the answer that it was made of; None where there was none.

        Raises ApplicationError of type GatewayBusy or GatewayAccess (it did not happen) and GatewayUnanswered (nobody
        knows); the activity's retry is the same attempt.
        """
        try:
            answer = await self._answer(attempt, calls)
        except GatewayInvalidRequestError as error:
            return {"outcome": AttemptOutcome.INVALID_REQUEST, "code": error.code}, None
        except GatewayUnansweredError as error:
            await self._record_unanswered(attempt, error)
            raise retryable(error) from None
        except GatewayError as error:
            raise retryable(error) from None
        return calls.outcome_from(answer), answer

    async def _answer(self, attempt: StoredAttempt, calls: GatewayCalls[Answer]) -> Answer | None:
        if calls.send is None or not attempt.may_be_sent:
            return await self._found(attempt, calls.find)
        if attempt.was_unanswered and (found := await self._effect_of_earlier_call(attempt, calls)) is not None:
            return found
        with sent_within(attempt.limit):
            async with self._pace:
                # The gateway's client looks once more, last of all; a bank's has none.
                require_in_time()
                return await calls.send()

    async def _effect_of_earlier_call(self, attempt: StoredAttempt, calls: GatewayCalls[Answer]) -> Answer | None:
        """Look for what an earlier call has done whose answer was lost: its key may be refused as in use for a while.

        Only success is evidence so early. What looks declined may be under way still, and what is not there may arrive:
        an attempt with a new key after that could take the money twice. The same key is safe to send again, so it
        decides everything else, also where nobody can look.
        """
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                found = await calls.find(attempt.gateway_reference)
        except (GatewayError, TimeoutError):
            return None
        has_happened = found is not None and calls.outcome_from(found)["outcome"] is AttemptOutcome.SUCCEEDED
        return found if has_happened else None

    async def _found(self, attempt: StoredAttempt, find: Find[Answer]) -> Answer | None:
        checked_at = self._clocks.gateway.earliest_now
        try:
            found = await find(attempt.gateway_reference)
        except GatewayInvalidRequestError as error:
            # That we may not look says nothing about what happened: the key may be another account's by now.
            raise GatewayUnansweredError(error.code) from error
        if found is None:
            if not await self._clocks.are_close():
                raise GatewayUnansweredError("clocks_differ")
            if why := attempt.why_absence_proves_nothing(_earlier(checked_at, self._clocks.gateway.earliest_now)):
                raise GatewayUnansweredError(why)
        return found

    async def _record_unanswered(self, attempt: StoredAttempt, error: GatewayUnansweredError) -> None:
        log.warning(
            "gateway_unanswered",
            request_id=attempt.request_id,
            attempt=attempt.number,
            code=error.code,
            is_final=error.is_final,
        )
        await self._database.call(
            "record_unanswered",
            request_id=attempt.request_id,
            attempt=attempt.number,
            code=error.code,
            is_final=error.is_final,
            gateway_time=self._clocks.gateway.latest_now if await self._clocks.are_close() else None,
        )
        if self._kind is not RequestKind.CARD_VALIDATION and not attempt.was_unanswered:
            announce(AttemptUnanswered(self._kind, attempt.request_id, attempt.number, error.code))


def _earlier(before: datetime | None, now: datetime | None) -> datetime | None:
    """Return when the gateway was asked: a `Date` before it that was ahead has been corrected by its answers since."""
    return min(before, now) if before and now else None


async def confirmed(find: Find[Answer], gateway_reference: str) -> Answer | None:
    """Read what a person names as evidence of an attempt, where they name any.

    Raises RuleBrokenError (evidence_is_of_this_attempt) when it is another's.
    """
    if not gateway_reference:
        return None
    try:
        return await find(gateway_reference)
    except GatewayInvalidRequestError as error:
        raise RuleBrokenError("evidence_is_of_this_attempt", f"gateway_reference: {error.code}") from None
    except GatewayError as error:
        raise retryable(error) from None


def stored_attempt(row: Mapping[str, Any]) -> StoredAttempt:
    """Read what all attempts have, as the database returns it."""
    return StoredAttempt(
        request_id=row["request_id"],
        number=row["attempt"],
        channel=AttemptChannel(row["channel"]),
        outcome=AttemptOutcome(row["outcome"]) if row["outcome"] else None,
        gateway_reference=row["gateway_reference"] or "",
        may_be_sent=row["may_be_sent"],
        quiet_since=datetime.fromisoformat(row["quiet_since"]) if row["quiet_since"] else None,
        was_unanswered=row.get("was_unanswered", False),
        started_at=datetime.fromisoformat(row["started_at"]) if row.get("started_at") else None,
        code=row["code"],
    )
