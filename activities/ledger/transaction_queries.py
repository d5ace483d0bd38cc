"""Transactions as the command line shows them: read only, by key or page by page."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Row,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from activities.database import Database, matching
from models.ledger.transaction import Classification, LifeCycleState, Side
from models.problem import RefusedError, refusal
from models.tables.accounts import AccountRow
from models.tables.ledger import TransferRow
from models.tables.transactions import (
    FinancialTransactionRow,
    TransactionLineRow,
    TransactionNoteRow,
    TransactionNumberRow,
)
from models.tables.views import CurrentAllocationView, TransactionView

# The columns but the one that orders an account's postings: it says nothing to a person.
_T = TransactionView
# Outstanding: unsettled and past due on the account's own calendar (X43); without a due date, since it was posted.
_TIME_ZONE = select(AccountRow.time_zone).where(AccountRow.id == _T.account_id).scalar_subquery()
_IS_OUTSTANDING = and_(
    _T.side == Side.DEBIT,
    _T.unsettled_minor > 0,
    func.coalesce(_T.due_on, _T.posted_on) < cast(func.timezone(_TIME_ZONE, func.now()), Date),
)
_TRANSACTIONS = select(
    *(column for column in _T.__table__.columns if column.name != "account_version"),
    case((_T.unsettled_minor.is_(None), None), (_IS_OUTSTANDING, _T.unsettled_minor), else_=0).label(
        "outstanding_minor"
    ),
)
# An id ends in a number of a sequence.
_NUMBER = cast(func.substr(_T.id, literal_column("4")), BigInteger)
_POSTED_OR_ISSUED = func.coalesce(_T.posted_on, _T.issued_on)

_LINES = select(
    TransactionLineRow.position,
    TransactionLineRow.product_id,
    TransactionLineRow.description,
    TransactionLineRow.quantity,
    TransactionLineRow.unit_price_minor,
    TransactionLineRow.discount_percent,
    TransactionLineRow.discount_minor,
    TransactionLineRow.net_minor,
    TransactionLineRow.tax_rate_id,
    TransactionLineRow.tax_percent,
    TransactionLineRow.tax_minor,
    TransactionLineRow.total_minor,
    TransactionLineRow.period_from,
    TransactionLineRow.period_to,
    TransactionLineRow.sales_channel,
    TransactionLineRow.applied_taxes,
).order_by(TransactionLineRow.position)

# Stretches grow while little is found, so that a rare transaction is reached in few steps.
_STRETCH, _STRETCH_MAX = 1_000, 100_000

# Posted, and nothing is left to settle: no state that is stored.
SETTLED = "settled"

# So many transactions are named that have a reference in common.
_NAMED = 5
_ID = re.compile(r"ft_[0-9]{1,19}")
_REFERENCE = re.compile(r"^R([0-9]{1,18})$")


@dataclass(frozen=True)
class TransactionFilter:
    """Which transactions to list; empty means every one. Dates are posting days, of drafts the day of issue.

    `reference` is a back-office code or a payment reference.
    """

    account: str = ""
    classification: str = ""
    state: str = ""
    since: date | None = None
    until: date | None = None
    unsettled: bool = False
    reference: str = ""


class TransactionQueries:
    """Reads financial transactions and what belongs to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look_up(self, word: str) -> Row[Any]:
        """Return a transaction by what `require` takes, or by a code or payment reference that it has alone.

        Raises RefusedError when there is none, or naming those that have it.
        """
        try:
            return await self.require(word)
        except RefusedError:
            found = await self._database.read(_TRANSACTIONS.where(_has_reference(word)).order_by(_NUMBER).limit(_NAMED))
            if not found:
                raise
        if len(found) > 1:
            ids = ", ".join(row.number or row.id for row in found)
            problem = f"{word!r} is of several, such as {ids}: `transactions list --reference` has all of them"
            raise refusal("transaction", "transaction_ambiguous", problem)
        return found[0]

    async def require(self, word: str) -> Row[Any]:
        """Return a transaction by its id, number or reference number. Raises RefusedError when there is none."""
        named = _REFERENCE.match(word)
        row = TransactionNumberRow
        numbered = await self._database.read_first(select(row.transaction_id).where(row.number == word))
        id = numbered.transaction_id if numbered else f"ft_{named[1]}" if named else word
        found = await self._database.read_first(_TRANSACTIONS.where(_T.id == id))
        if found is None:
            raise refusal("transaction", "transaction_exists", f"there is no transaction {word!r}")
        return found

    async def page(self, wanted: TransactionFilter, *, before: int, limit: int) -> Sequence[Row[Any]]:
        """Return the next transactions older than a number of the sequence, newest first."""
        if wanted.account and not wanted.reference:
            of_account = _TRANSACTIONS.where(_T.account_id == wanted.account, before > _NUMBER, *_filters(wanted))
            return await self._database.read(of_account.order_by(_NUMBER.desc()).limit(limit))
        if wanted.reference:
            referred = _TRANSACTIONS.where(_has_reference(wanted.reference), before > _NUMBER, *_filters(wanted))
            return await self._database.read(referred.order_by(_NUMBER.desc()).limit(limit))
        if rare := _rare(wanted):
            of_rare = _TRANSACTIONS.where(*rare, before > _NUMBER, *_filters(wanted))
            return await self._database.read(of_rare.order_by(_NUMBER.desc()).limit(limit))
        found: list[Row[Any]] = []
        high, size = before - 1, max(limit, _STRETCH)
        while high > 0 and len(found) < limit:
            low = max(1, high - size + 1)
            found += await self._database.read(_stretch(low, high, wanted).limit(limit - len(found)))
            high, size = low - 1, min(4 * size, _STRETCH_MAX)
        return found

    async def pages(self, wanted: TransactionFilter, *, before: int, size: int) -> AsyncIterator[Sequence[Row[Any]]]:
        """Yield all pages."""
        while rows := await self.page(wanted, before=before, limit=size):
            yield rows
            before = sequence_number(rows[-1].id)

    async def behind(self, after: str) -> int:
        """Return the number before which a page begins: behind an id, or at the newest. Raises RefusedError: no id."""
        rows = await self._database.rows("select last_value + 1 from duly.financial_transaction_ids")
        newest = int(rows[0][0])
        if not after:
            return newest
        if not _ID.fullmatch(after):
            raise refusal("after", "row_exists", f"{after!r} is in no such list: give the `next` of the page before")
        # Whoever names a number far above would have all that lies between searched, stretch by stretch.
        return min(newest, sequence_number(after))

    async def drafts_with_key(self, prefix: str) -> Sequence[Row[Any]]:
        """Return the drafts whose idempotency key begins with a word that ends in a colon."""
        key = FinancialTransactionRow.idempotency_key
        is_draft = FinancialTransactionRow.state == LifeCycleState.DRAFT
        drafts = select(FinancialTransactionRow.id).where(key >= prefix, key < f"{prefix[:-1]};", is_draft)
        return await self._database.read(drafts)

    async def lines(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return the lines of a document in order."""
        return await self._database.read(_LINES.where(TransactionLineRow.transaction_id == transaction_id))

    async def allocations(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return what a transaction settles or is settled by, as it stands now."""
        row = CurrentAllocationView
        other = case((row.credit_id == transaction_id, row.debit_id), else_=row.credit_id)
        return await self._database.read(
            select(_T.id, _T.number, _T.classification, row.amount_minor, row.created_at)
            .select_from(row)
            .join(_T, _T.id == other)
            .where(or_(row.credit_id == transaction_id, row.debit_id == transaction_id))
            .order_by(row.id)
        )

    async def transfers(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return the double entry of a transaction."""
        row = TransferRow
        return await self._database.read(
            select(row.position, row.debit_account, row.credit_account, row.amount_minor)
            .where(row.source_id == transaction_id)
            .order_by(row.position)
        )

    async def has_key(self, key: str) -> bool:
        """Tell whether something was asked for under a key before."""
        row = FinancialTransactionRow
        return await self._database.read_first(select(row.id).where(row.idempotency_key == key)) is not None

    async def notes(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return the shared notes, oldest first (F36)."""
        row = TransactionNoteRow
        notes = select(row.author, row.note, row.noted_at).where(row.transaction_id == transaction_id)
        return await self._database.read(notes.order_by(row.id))

    async def counterparts(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return what was made of a transaction: cancellation, write-off, mirror, or the payment it was moved to."""
        counterparts = select(_T.id, _T.number, _T.classification, _T.account_id)
        return await self._database.read(counterparts.where(_T.counterpart_id == transaction_id).order_by(_T.id))


def _has_reference(word: str) -> ColumnElement[bool]:
    return or_(_T.back_office_code == word, _T.payment_reference == word)


def _filters(wanted: TransactionFilter) -> tuple[ColumnElement[bool], ...]:
    return (
        *matching(_T.account_id, wanted.account),
        *matching(_T.classification, wanted.classification),
        *((_T.is_settled,) if wanted.state == SETTLED else matching(_T.state, wanted.state)),
        *((wanted.since <= _POSTED_OR_ISSUED,) if wanted.since else ()),
        *((wanted.until >= _POSTED_OR_ISSUED,) if wanted.until else ()),
        *((_T.unsettled_minor > 0,) if wanted.unsettled else ()),
    )


def _rare(wanted: TransactionFilter) -> tuple[ColumnElement[bool], ...]:
    """Say in the words of an index (migration 0084) that what is wanted is rare; nothing where it is not."""
    if wanted.classification not in {"", Classification.INVOICE, Classification.PAYMENT}:
        return (_T.classification.not_in([literal_column("'invoice'"), literal_column("'payment'")]),)
    if wanted.state not in {"", LifeCycleState.POSTED, SETTLED}:
        return (_T.state != literal_column("'posted'"),)
    return ()


def _stretch(low: int, high: int, wanted: TransactionFilter) -> Select[*tuple[Any, ...]]:
    """Select from a stretch of ids: each is found by key, whatever the size of the table."""
    numbers = func.generate_series(cast(low, BigInteger), cast(high, BigInteger)).table_valued("number")
    numbers = numbers.render_derived(name="numbers")
    stretch = _TRANSACTIONS.join(numbers, _T.id == literal("ft_").concat(cast(numbers.c.number, Text)))
    return stretch.where(*_filters(wanted)).order_by(numbers.c.number.desc())


def sequence_number(transaction_id: str) -> int:
    """Return the number in an id."""
    return int(transaction_id.removeprefix("ft_"))
