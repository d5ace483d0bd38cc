"""Movements of a gateway's balance: what the ledger expects is found, booked with its fee, and listed."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from pydantic import TypeAdapter
from sqlalchemy import case, false, func, select
from temporalio import activity

from activities.database import Database, matching
from activities.events.sweep import in_pages
from activities.expectations import IS_OVERDUE
from activities.gateway.retries import retryable_gateway_errors
from activities.listing import Listed, NewestFirst
from activities.merchants.transfers import GatewayWithTransfers, TransferSettlement
from models.gateway.errors import GatewayInvalidRequestError
from models.gateway.movements import EXPECTED_KINDS, Movement, MovementKind, MovementsBooked, MovementsRequest
from models.listing import ListPage
from models.tables.movements import GatewayExpectationRow as Expected

log = structlog.get_logger(__name__)

PAGE = 100
# What the list shows a little later than its moment is read again; what comes later is looked up when it is due.
OVERLAP = timedelta(minutes=2)
# The ledger's clock and the gateway's may differ so much at most.
CLOCK_MARGIN = timedelta(minutes=10)


# Objects are of one provider each; the kind tells the movements of one object apart.
_PLACE = Expected.object + "/" + Expected.kind
# A dispute may wait for the rest of what has moved.
_IS_DIFFERING = (
    (Expected.settled_currency == Expected.currency)
    & (Expected.settled_minor != Expected.amount_minor)
    & (Expected.movement.is_not(None))
)

_STATE = case((Expected.movement.is_not(None), "moved"), (IS_OVERDUE, "overdue"), else_="open")

_EXPECTED = select(
    Expected.provider_id,
    Expected.object,
    Expected.kind,
    Expected.account_id,
    Expected.payment_id,
    Expected.amount_minor,
    Expected.currency,
    Expected.expected_at,
    Expected.overdue_at,
    _STATE.label("state"),
    IS_OVERDUE.label("is_overdue"),
    func.coalesce(_IS_DIFFERING, false()).label("is_differing"),
    Expected.movement,
    Expected.settled_minor,
    Expected.settled_currency,
    Expected.fee_minor,
    Expected.fulfilled_at,
)
_LIST = NewestFirst(
    _EXPECTED,
    moment=Expected.expected_at,
    key=_PLACE,
    state=_STATE,
    amount=Expected.amount_minor,
    currency=Expected.currency,
)


class MovementSource(GatewayWithTransfers, Protocol):
    """The part of a gateway that knows what moved on its balance, and passes on what is a merchant's."""

    def movements(self, since: datetime, after: str = "") -> AsyncIterator[Movement]:
        """Every booking on the balance since a moment, the newest first; `after`: those behind that reference."""
        ...

    async def find_movement(self, source: str, kind: MovementKind) -> Movement | None:
        """Find the booking of one object; None while there is none."""
        ...


@dataclass(frozen=True)
class _Due:
    object: str
    kind: MovementKind


@dataclass(frozen=True)
class _Wanted:
    """What a provider's movements are expected for. Moments by the gateway's clock, but for `oldest`."""

    read_until: datetime | None
    open: int
    oldest: datetime | None
    overdue: int
    differing: int
    due: tuple[_Due, ...]

    @property
    def since(self) -> datetime | None:
        """From when on the list is to be read; None when nothing is expected."""
        if self.oldest is None:
            return None
        began = self.oldest - CLOCK_MARGIN
        return max(began, self.read_until - OVERLAP) if self.read_until else began


@dataclass(frozen=True)
class _SoFar:
    """How far the list was read, as heartbeats say: since when, what was booked of it, and the last one's reference."""

    since: datetime
    newest: datetime
    listed: int = 0
    booked: int = 0
    after: str = ""

    def with_page(self, page: Sequence[Movement], booked: int) -> "_SoFar":
        """Return how far it is after one more page, of which so many were expected."""
        return replace(
            self,
            newest=max(self.newest, *(movement.booked_at for movement in page)),
            listed=self.listed + len(page),
            booked=self.booked + booked,
            after=page[-1].reference,
        )


_WANTED = TypeAdapter(_Wanted)
_SO_FAR = TypeAdapter(_SoFar)


class MovementActivities:
    """Reads what a provider's balance has moved."""

    def __init__(self, database: Database, gateway: MovementSource) -> None:
        self._database = database
        self._gateway = gateway
        self._transfers = TransferSettlement(database, gateway)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.book_movements]

    @activity.defn
    async def book_movements(self, request: MovementsRequest) -> MovementsBooked:
        """Book the movements that are expected, and alert operators of those that are overdue. Safe to repeat.

        Before that, what was taken for merchants is passed on, or taken back, as the ledger says.

        Raises ApplicationError of type GatewayBusy, GatewayAccess or GatewayUnanswered: a retry goes on behind the last
        page that was booked.
        """
        provider, reached = request.provider, activity.info().heartbeat_details
        # An older release has reported a number only.
        so_far = _SO_FAR.validate_python(reached[0]) if reached and isinstance(reached[0], dict) else None
        if request.retrieves_due:
            await self._expect_of_older_release()
        await self._transfers.settle(provider)
        before = await self._wanted(provider)
        if so_far is None and before.since is not None:
            so_far = _SoFar(before.since, newest=before.since)
        if so_far is None:
            return MovementsBooked()
        with retryable_gateway_errors():
            listed, booked = await self._read_list(provider, so_far)
            if request.retrieves_due:
                booked += await self._retrieve_due(provider, (await self._wanted(provider)).due)
        await self._database.call("alert_overdue_movements", provider_id=provider)
        left = await self._wanted(provider)
        if left.differing > before.differing:
            log.warning("movements_differ", provider=provider, differing=left.differing)
        return MovementsBooked(listed, booked, left.open, left.overdue, left.differing)

    async def _expect_of_older_release(self) -> None:
        is_more = True
        while is_more:
            is_more = bool(await self._database.call("expect_of_older_release", limit=PAGE))

    async def _wanted(self, provider: str) -> _Wanted:
        return _WANTED.validate_python(await self._database.call("movements_wanted", provider_id=provider, limit=PAGE))

    async def _read_list(self, provider: str, so_far: _SoFar) -> tuple[int, int]:
        """Book what the list has behind a page, and note how far that is by the gateway's clock."""
        async for page in in_pages(self._gateway.movements(so_far.since, so_far.after), PAGE):
            so_far = so_far.with_page(page, await self._book(provider, page))
            activity.heartbeat(_SO_FAR.dump_python(so_far, mode="json"))
        await self._database.call("note_movements_read", provider_id=provider, until=so_far.newest)
        return so_far.listed, so_far.booked

    async def _book(self, provider: str, page: list[Movement]) -> int:
        expected = [{"kind": each.kind, **each.as_booked()} for each in page if each.kind in EXPECTED_KINDS]
        if not expected:
            return 0
        return int(await self._database.call("book_movements", provider_id=provider, movements={"movements": expected}))

    async def _retrieve_due(self, provider: str, due: tuple[_Due, ...]) -> int:
        """Look each object up whose movement is due: the list may have shown it under an earlier moment."""
        booked = 0
        for each in due:
            call = partial(self._database.call, provider_id=provider, object=each.object, kind=each.kind)
            try:
                movement = await self._gateway.find_movement(each.object, each.kind)
            except GatewayInvalidRequestError:
                # The gateway does not know it: it stays expected, and is reported when it is overdue.
                movement = None
            if movement is None:
                await call("put_off_expectation")
            else:
                booked += bool(await call("book_movement", movement=movement.as_booked()))
        return booked


class ExpectationQueries:
    """Reads what is expected to move at a gateway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, page: ListPage, *, account_id: str, is_open: bool, is_overdue: bool, is_differing: bool
    ) -> Listed:
        """Return a page of expectations, the newest first; empty filters let all through."""
        filters = [*matching(Expected.account_id, account_id)]
        if is_open:
            filters.append(Expected.movement.is_(None))
        if is_overdue:
            filters.append(IS_OVERDUE)
        if is_differing:
            filters.append(_IS_DIFFERING)
        return await _LIST.page(self._database, page, *filters)

    async def overdue(self) -> int:
        """Count what should have moved by now."""
        rows = await self._database.read(select(func.count()).select_from(Expected).where(IS_OVERDUE))
        return int(rows[0][0])
