"""Bills: made for one account, paid at once, and shown with what is unsettled of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func, or_, select

from activities.database import Database, matching
from activities.ledger.client import Ledger, Receipt
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.problem import refusal
from models.tables.ledger import AccountBillRow, BillEntryRow, BillPresentationRow
from models.tables.views import TransactionView

_UNSETTLED = (
    select(cast(func.coalesce(func.sum(TransactionView.unsettled_minor), 0), BigInteger))
    .join(BillEntryRow, BillEntryRow.transaction_id == TransactionView.id)
    .where(
        BillEntryRow.bill_id == AccountBillRow.id,
        BillEntryRow.part == "document",
        TransactionView.classification == "invoice",
        TransactionView.state != "cancelled",
    )
    .scalar_subquery()
    .label("unsettled_minor")
)
_STATE = func.coalesce(
    select(BillPresentationRow.state)
    .where(BillPresentationRow.bill_id == AccountBillRow.id)
    .order_by(BillPresentationRow.id.desc())
    .limit(1)
    .scalar_subquery(),
    "posted",
)
_COLUMNS = select(*AccountBillRow.__table__.c, _UNSETTLED, _STATE.label("state"))
_BILLS = _COLUMNS.order_by(AccountBillRow.made_at.desc(), AccountBillRow.id.desc())
_LIST = NewestFirst(
    _COLUMNS,
    moment=AccountBillRow.made_at,
    key=AccountBillRow.id,
    state=_STATE,
    amount=AccountBillRow.outstanding_minor,
    currency=AccountBillRow.currency,
)


class Bills:
    """Makes and reads bills. Whatever is refused is raised as a LedgerError that names the rule."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledger = Ledger(database)

    async def make(self, account_id: str, period: str, *, actor: str) -> Row[Any]:
        """Make the bill of an account for a period; asking again answers the same bill."""
        return await self.require(
            str(await self._ledger.run("make_bill", account_id=account_id, period=period, actor=actor))
        )

    async def limit(self, currency: str, limit_minor: int | None, *, actor: str, reason: str) -> None:
        """Say above which amount a bill is exceptional; None: no amount is."""
        await self._ledger.run("bill_limit", currency=currency, limit_minor=limit_minor, actor=actor, reason=reason)

    async def pay(self, bill_id: str, **arguments: Any) -> Receipt:
        """Pay what is unsettled of a bill, all of it."""
        return await self._ledger.write("pay_bill", bill_id=bill_id, **arguments)

    async def present(self, bill_id: str, state: str, *, actor: str, reason: str) -> str:
        """Take a bill one step on, to presented, confirmed or rejected (X57); return where it stood before."""
        return str(await self._ledger.run("present_bill", bill_id=bill_id, state=state, actor=actor, reason=reason))

    async def steps(self, bill_id: str) -> Sequence[Row[Any]]:
        """Return when a bill was presented, confirmed and rejected, by whom and why, in order."""
        row = BillPresentationRow
        return await self._database.read(
            select(row.state, row.actor, row.reason, row.at).where(row.bill_id == bill_id).order_by(row.id)
        )

    async def require(self, identifier: str) -> Row[Any]:
        """Return a bill by its id or number. Raises RefusedError when there is none."""
        row = AccountBillRow
        found = await self._database.read_first(_BILLS.where(or_(row.id == identifier, row.number == identifier)))
        if found is None:
            raise refusal("bill", "bill_exists", f"there is no bill {identifier!r}")
        return found

    async def documents(self, bill_id: str) -> Sequence[Row[Any]]:
        """Return the invoices and credit notes of a bill, in order of posting."""
        view = TransactionView
        return await self._database.read(
            select(
                view.id,
                view.number,
                view.classification,
                view.posted_on,
                view.due_on,
                view.total_minor,
                view.unsettled_minor,
            )
            .join(BillEntryRow, BillEntryRow.transaction_id == view.id)
            .where(BillEntryRow.bill_id == bill_id, BillEntryRow.part == "document")
            .order_by(view.account_version)
        )

    async def page(
        self, page: ListPage, *, account_id: str, period: str, state: str, is_exceptional: bool, is_unsettled: bool
    ) -> Listed:
        """Return a page of bills, the newest first; empty filters let all through. Totals are of what was billed."""
        filters = (
            *_filters(account_id, period, state=state, is_exceptional=is_exceptional),
            *((_UNSETTLED.element > 0,) if is_unsettled else ()),
        )
        return await _LIST.page(self._database, page, *filters)

    async def history(
        self, account_id: str, period: str, limit: int, *, is_exceptional: bool, state: str = ""
    ) -> Sequence[Row[Any]]:
        """Return bills, the newest first; empty filters let all through."""
        wanted = _BILLS.where(*_filters(account_id, period, state=state, is_exceptional=is_exceptional))
        return await self._database.read(wanted.limit(limit))


def _filters(account_id: str, period: str, *, state: str, is_exceptional: bool) -> tuple[ColumnElement[bool], ...]:
    row = AccountBillRow
    exceptional = (row.is_exceptional,) if is_exceptional else ()
    stands = (state == _STATE,) if state else ()
    return (*matching(row.account_id, account_id), *matching(row.period, period), *exceptional, *stands)
