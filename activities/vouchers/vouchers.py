"""Vouchers: issued in batches, redeemed, cancelled and expired once, and shown by their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Text, case, func, literal, select
from sqlalchemy.orm import aliased

from activities.database import Database
from activities.ledger.client import Ledger
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.problem import refusal
from models.tables.accounts import VoucherBatchRow, VoucherEndRow, VoucherRow, VoucherTransactionRow
from models.tables.transactions import TransactionNumberRow
from models.vouchers.voucher import VoucherState

_BATCH = VoucherBatchRow
_ENDED = aliased(VoucherTransactionRow)
_PAYMENT = aliased(TransactionNumberRow)
_STATE = func.coalesce(_ENDED.kind, literal(VoucherState.ISSUED.value, Text))
_VOUCHERS = (
    select(
        *(VoucherRow.id, VoucherRow.number, _BATCH.number.label("batch"), _BATCH.type_id, _STATE.label("state")),
        *(_BATCH.amount_minor, _BATCH.currency, _BATCH.expires_on, _BATCH.issued_at),
        _BATCH.account_id.label("bought_by"),
        case((_ENDED.kind == VoucherState.REDEEMED, _ENDED.account_id)).label("account_id"),
        case((_ENDED.kind == VoucherState.REDEEMED, _PAYMENT.number)).label("payment"),
        _ENDED.posted_on.label("ended_on"),
    )
    .select_from(VoucherRow)
    .join(_BATCH, _BATCH.id == VoucherRow.batch_id)
    .outerjoin(VoucherEndRow, VoucherEndRow.voucher_id == VoucherRow.id)
    .outerjoin(_ENDED, _ENDED.id == VoucherEndRow.transaction_id)
    .outerjoin(_PAYMENT, _PAYMENT.transaction_id == _ENDED.transaction_id)
)
_LIST = NewestFirst(
    _VOUCHERS,
    moment=_BATCH.issued_at,
    key=VoucherRow.id,
    state=_STATE,
    amount=_BATCH.amount_minor,
    currency=_BATCH.currency,
)
_STEPS = (
    select(
        *(VoucherTransactionRow.id, VoucherTransactionRow.kind, VoucherTransactionRow.posted_on),
        *(VoucherTransactionRow.amount_minor, VoucherTransactionRow.currency, VoucherTransactionRow.account_id),
        TransactionNumberRow.number.label("document"),
        *(VoucherTransactionRow.actor, VoucherTransactionRow.reason),
    )
    .outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == VoucherTransactionRow.transaction_id)
    .order_by(VoucherTransactionRow.posted_at, VoucherTransactionRow.id)
)


@dataclass(frozen=True)
class VoucherOrder:
    """What is to be issued: vouchers of a type, what each is worth in minor units, to whom, until when, by whom, why.

    `account_id` is who buys them, for types that are sold. `expires_on` is the last day, for None as the type says.
    """

    key: str
    type_id: str
    amount_minor: int
    currency: str
    account_id: str | None
    expires_on: date | None
    actor: str
    reason: str


class Vouchers:
    """Moves and reads vouchers. Whatever is refused is raised as a LedgerError that names the rule."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledger = Ledger(database)

    async def issue(self, order: VoucherOrder, hashes: Sequence[str]) -> tuple[Row[Any], Sequence[Row[Any]], bool]:
        """Issue a voucher for each hash of a code; return the batch, its vouchers, and whether they are these.

        Asking again with the key answers the batch that was issued, whose codes nobody knows any more.
        """
        issued = str(await self._ledger.run("issue_vouchers", hashes=list(hashes), **vars(order)))
        batch = await self.batch(issued)
        made = await self._database.read(
            select(VoucherRow.number, VoucherRow.code_hash)
            .where(VoucherRow.batch_id == batch.id)
            .order_by(func.length(VoucherRow.id), VoucherRow.id)
        )
        return batch, made, {one.code_hash for one in made} == set(hashes)

    async def redeem(self, account_id: str, code_hash: str, *, key: str, actor: str, reason: str) -> Row[Any]:
        """Pay an account what a voucher is worth; asking again with the key answers the same voucher."""
        arguments = {"key": key, "account_id": account_id, "code_hash": code_hash, "actor": actor, "reason": reason}
        step = str(await self._ledger.run("redeem_voucher", **arguments))
        found = await self._database.read(_VOUCHERS.where(_ENDED.id == step))
        return found[0]

    async def cancel(self, identifier: str, *, key: str, actor: str, reason: str) -> Sequence[Row[Any]]:
        """Cancel a voucher, or all of a batch that are out, and return the steps. Raises RefusedError (voucher_exists).

        Of a batch whose invoice was written off after it was paid in part there are two.
        """
        batch, voucher = await self._named(identifier)
        arguments = {"key": key, "batch_id": batch, "voucher_id": voucher, "actor": actor, "reason": reason}
        await self._ledger.run("cancel_vouchers", **arguments)
        keys = VoucherTransactionRow.idempotency_key.in_([key, f"{key}:paid"])
        return await self._database.read(_STEPS.where(keys))

    async def page(self, page: ListPage, *, batch: str, account_id: str, state: VoucherState | None) -> Listed:
        """Return a page of vouchers, the newest first; empty filters let all through."""
        wanted = [
            *([(_BATCH.id == batch) | (_BATCH.number == batch)] if batch else []),
            *([(_ENDED.account_id == account_id) | (_BATCH.account_id == account_id)] if account_id else []),
            *([_STATE.in_([state.value])] if state else []),
        ]
        return await _LIST.page(self._database, page, *wanted)

    async def batch(self, identifier: str) -> Row[Any]:
        """Return a batch by its id or number. Raises RefusedError when there is none."""
        columns = (_BATCH.id, _BATCH.number, _BATCH.type_id, _BATCH.account_id, _BATCH.currency, _BATCH.amount_minor)
        wanted = select(*columns, _BATCH.vouchers, _BATCH.expires_on, _BATCH.issued_at)
        found = await self._database.read_first(wanted.where((_BATCH.id == identifier) | (_BATCH.number == identifier)))
        if found is None:
            raise refusal("voucher", "voucher_exists", f"there is no voucher or batch {identifier!r}")
        return found

    async def voucher(self, identifier: str) -> Row[Any] | None:
        """Return a voucher by its id or number; None when there is none."""
        named = (VoucherRow.id == identifier) | (VoucherRow.number == identifier)
        return await self._database.read_first(_VOUCHERS.where(named))

    async def counts(self, batch_id: str) -> dict[str, int]:
        """Return how many vouchers of a batch are in each state."""
        counted = _VOUCHERS.with_only_columns(_STATE.label("state"), func.count().label("vouchers"))
        rows = await self._database.read(counted.where(_BATCH.id == batch_id).group_by(_STATE).order_by(_STATE))
        return {row.state: row.vouchers for row in rows}

    async def steps(self, batch_id: str) -> Sequence[Row[Any]]:
        """Return what has moved the vouchers of a batch, in order."""
        return await self._database.read(_STEPS.where(VoucherTransactionRow.batch_id == batch_id))

    async def _named(self, identifier: str) -> tuple[str, str | None]:
        voucher = await self.voucher(identifier)
        if voucher is None:
            return (await self.batch(identifier)).id, None
        return (await self.batch(voucher.batch)).id, voucher.id
