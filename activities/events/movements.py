"""Movements of a gateway's balance: what the ledger expects is found, booked with its fee, and listed."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from pydantic import TypeAdapter
from sqlalchemy import case, false, func, select
from temporalio import activity

from activities.database import Database, matching
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

    def movements(self, since: datetime) -> AsyncIterator[Movement]:
        """Every booking on the balance since a moment, the newest first."""
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


_WANTED = TypeAdapter(_Wanted)


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


        Raises ApplicationError of type GatewayBusy, GatewayAccess or GatewayUnanswered: a retry reads the same again.
        """
        provider = request.provider
        if request.retrieves_due:
            await self._expect_of_older_release()
        await self._transfers.settle(provider)
        before = await self._wanted(provider)
        since = before.since
        if since is None:
            return MovementsBooked()
        with retryable_gateway_errors():
            listed, booked = await self._read_list(provider, since)
            if request.retrieves_due:
                booked += await self._retrieve_due(provider, (await self._wanted(provider)).due)
        await self._database.call("alert_overdue_movements", provider_id=provider)
        left = await self._wanted(provider)
        if left.differing > before.differing:
            log.warning("movements_differ", provider=provider, differing=left.differing)
        return MovementsBooked(listed, booked, left.open, left.overdue, left.differing)

    async def _expect_of_older_release(self) -> None:
        while await self._database.call("expect_of_older_release", limit=PAGE):
            activity.heartbeat()

    async def _wanted(self, provider: str) -> _Wanted:
        return _WANTED.validate_python(await self._database.call("movements_wanted", provider_id=provider, limit=PAGE))

    async def _read_list(self, provider: str, since: datetime) -> tuple[int, int]:
        """Book what the list has since a moment, and note how far that is by the gateway's clock."""
        listed = booked = 0
        newest, page = since, list[Movement]()
        async for movement in self._gateway.movements(since):
            listed, newest = listed + 1, max(newest, movement.booked_at)
            page.append(movement)
            if len(page) == PAGE:
                booked, page = booked + await self._book(provider, page), []
                activity.heartbeat(listed)
        booked += await self._book(provider, page)
        await self._database.call("note_movements_read", provider_id=provider, until=newest)
        return listed, booked

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
            activity.heartbeat()
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
