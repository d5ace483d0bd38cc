"""Transactions as the command line shows them: read only, by key or page by page."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row

from activities.database import Database
from models.problem import refusal

_COLUMNS = """
    select t.id, t.reference_number, t.number, t.classification, t.side, t.type_id, t.category, t.account_id,
        t.currency, t.total_minor, t.unsettled_minor, t.is_settled, t.state, t.issued_on, t.posted_on, t.posted_at,
        t.due_on, t.issue_reason, t.back_office_code, t.method, t.provider, t.gateway_reference, t.payment_reference,
        t.payment_preference, t.voucher_number, t.addressed_invoice_ids, t.intended_account_id, t.counterpart_id,
        t.origin, t.actor, t.rejection_reason, t.rejected_by, t.rejected_at, t.balance_after_minor, t.created_at,
        t.idempotency_key
    from duly.transactions t
"""

_FILTERS = """
    (:classification = '' or t.classification::text = :classification) and (:state = '' or t.state::text = :state)
    and (cast(:since as date) is null or coalesce(t.posted_on, t.issued_on) >= :since)
    and (cast(:until as date) is null or coalesce(t.posted_on, t.issued_on) <= :until)
    and (not :unsettled or t.unsettled_minor > 0)
"""

_OF_ACCOUNT = f"""
    {_COLUMNS} where t.account_id = :account and substr(t.id, 4)::bigint < :before and {_FILTERS}
    order by substr(t.id, 4)::bigint desc limit :limit
"""

# Ids are numbers of a sequence: a stretch of them is found by key, whatever the size of the table.
_OF_STRETCH = f"""
    {_COLUMNS} join generate_series(cast(:low as bigint), :high) s (number) on t.id = 'ft_' || s.number
    where {_FILTERS} order by s.number desc limit :limit
"""

# Stretches grow while little is found, so that a rare transaction is reached in few steps.
_STRETCH, _STRETCH_MAX = 1_000, 100_000

_REFERENCE = re.compile(r"^R([0-9]{1,18})$")


@dataclass(frozen=True)
class TransactionFilter:
    """Which transactions to list; empty means every one. Dates are posting days, of drafts the day of issue."""

    account: str = ""
    classification: str = ""
    state: str = ""
    since: date | None = None
    until: date | None = None
    unsettled: bool = False


class TransactionQueries:
    """Reads financial transactions and what belongs to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require(self, word: str) -> Row[Any]:
        """Return a transaction by its id, number or reference number. Raises RefusedError when there is none."""
        named = _REFERENCE.match(word)
        numbered = await self._database.rows(
            "select transaction_id from duly.transaction_numbers where number = :word", word=word
        )
        id = numbered[0].transaction_id if numbered else f"ft_{named[1]}" if named else word
        rows = await self._database.rows(f"{_COLUMNS} where t.id = :id", id=id)
        if not rows:
            raise refusal("transaction", "transaction_exists", f"there is no transaction {word!r}")
        return rows[0]

    async def page(self, wanted: TransactionFilter, *, before: int, limit: int) -> Sequence[Row[Any]]:
        """Return the next transactions older than a number of the sequence, newest first."""
        values = {name: value for name, value in asdict(wanted).items() if name != "account"}
        if wanted.account:
            return await self._database.rows(_OF_ACCOUNT, account=wanted.account, before=before, limit=limit, **values)
        found: list[Row[Any]] = []
        high, size = before - 1, max(limit, _STRETCH)
        while high > 0 and len(found) < limit:
            low = max(1, high - size + 1)
            found += await self._database.rows(_OF_STRETCH, low=low, high=high, limit=limit - len(found), **values)
            high, size = low - 1, min(4 * size, _STRETCH_MAX)
        return found

    async def pages(self, wanted: TransactionFilter, *, before: int, size: int) -> AsyncIterator[Sequence[Row[Any]]]:
        """Yield all pages."""
        while rows := await self.page(wanted, before=before, limit=size):
            yield rows
            before = sequence_number(rows[-1].id)

    async def newest(self) -> int:
        """Return a number above every transaction's."""
        rows = await self._database.rows("select last_value + 1 from duly.financial_transaction_ids")
        return int(rows[0][0])

    async def drafts_with_key(self, prefix: str) -> Sequence[Row[Any]]:
        """Return the drafts whose idempotency key begins with a word that ends in a colon."""
        return await self._database.rows(
            "select id from duly.financial_transactions where idempotency_key >= :first and idempotency_key < :behind"
            " and state = 'draft'",
            first=prefix,
            behind=f"{prefix[:-1]};",
        )

    async def lines(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return the lines of a document in order."""
        return await self._database.rows(
            "select position, product_id, description, quantity, unit_price_minor, discount_percent, discount_minor,"
            " net_minor, tax_rate_id, tax_percent, tax_minor, total_minor, period_from, period_to, sales_channel,"
            " applied_taxes from duly.transaction_lines where transaction_id = :id order by position",
            id=transaction_id,
        )

    async def allocations(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return what a transaction settles or is settled by, as it stands now."""
        return await self._database.rows(
            "select o.id, o.number, o.classification, a.amount_minor, a.created_at from duly.current_allocations a"
            " join duly.transactions o on o.id = case a.credit_id when :id then a.debit_id else a.credit_id end"
            " where a.credit_id = :id or a.debit_id = :id order by a.id",
            id=transaction_id,
        )

    async def transfers(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return the double entry of a transaction."""
        return await self._database.rows(
            "select position, debit_account, credit_account, amount_minor from duly.transfers"
            " where source_id = :id order by position",
            id=transaction_id,
        )

    async def notes(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return the shared notes, oldest first (F36)."""
        return await self._database.rows(
            "select author, note, noted_at from duly.transaction_notes where transaction_id = :id order by id",
            id=transaction_id,
        )

    async def counterparts(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return what was made of a transaction: cancellation, write-off, mirror, or the payment it was moved to."""
        return await self._database.rows(
            "select id, number, classification, account_id from duly.transactions"
            " where counterpart_id = :id order by id",
            id=transaction_id,
        )


def sequence_number(transaction_id: str) -> int:
    """Return the number in an id."""
    return int(transaction_id.removeprefix("ft_"))
