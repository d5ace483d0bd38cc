"""Files for the bank: what each comes to, and whether it may be written, alone or by another person's approval."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, Select, cast, exists, func, select

from activities.database import Database
from models.bank.refund_plan import period_prefix
from models.console.approval import LimitedKind
from models.ledger.transaction import LifeCycleState
from models.tables.operations import ApprovalRow, BankFileReleaseRow
from models.tables.returns import BankRefundMonthRow, DebitBatchRow, DebitRow, RefundAtBankRow
from models.tables.transactions import FinancialTransactionRow

# The form, and the command, that releases a file of each kind; both lead to its page.
ACTIONS: Mapping[LimitedKind, str] = {
    LimitedKind.REFUND_FILE: "refund-files/release",
    LimitedKind.DEBIT_FILE: "debit-files/release",
}
_T = FinancialTransactionRow
_KEY = _T.idempotency_key
_WAITS = (
    _T.state == LifeCycleState.DRAFT,
    ~exists().where(RefundAtBankRow.transaction_id == _T.id),
)
# The month of a key such as refund:2026-10:acc_1.
_MONTH = func.split_part(_KEY, ":", 2)
_PAGE = 24


def _sums(currency: Any, amount_minor: Any) -> Select[*tuple[Any, ...]]:
    total = cast(func.sum(amount_minor), BigInteger).label("amount_minor")
    return select(currency.label("currency"), total).group_by(currency).order_by(currency)


class BankFiles:
    """Reads what waits for a file, and releases it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def amounts(self, kind: LimitedKind, subject: str) -> dict[str, int]:
        """Return what a file asks of the bank by currency, in minor units; of refunds those that no bank has."""
        if kind is LimitedKind.DEBIT_FILE:
            query = _sums(DebitRow.currency, DebitRow.amount_minor).where(DebitRow.batch_id == subject)
        else:
            prefix = period_prefix(subject)
            query = _sums(_T.currency, _T.total_minor).where(prefix <= _KEY, f"{prefix[:-1]};" > _KEY, *_WAITS)
        return {row.currency: row.amount_minor for row in await self._database.read(query)}

    async def release(self, kind: LimitedKind, subject: str, *, actor: str, reason: str) -> list[str]:
        """Release a file, or ask another person; return the requests that wait. Raises RuleBrokenError."""
        waiting = []
        for currency, amount_minor in (await self.amounts(kind, subject)).items():
            given: dict[str, Any] = {
                "kind": kind.value,
                "subject": subject,
                "currency": currency,
                "amount_minor": amount_minor,
            }
            found = await self._database.call(
                "release_bank_file", **given, action=ACTIONS[kind], actor=actor, reason=reason
            )
            waiting += [str(found)] if found else []
        return waiting

    async def release_approved(self, approval: str) -> None:
        """Release what another person has approved. Raises RuleBrokenError: nobody has."""
        await self._database.call("release_approved_file", approval_id=approval)

    async def released(self, kind: LimitedKind, subject: str) -> Sequence[Row[Any]]:
        """Return by whom a file was released, up to which amounts, and by which approval."""
        row = BankFileReleaseRow
        columns = (row.currency, row.amount_minor, row.released_by, row.released_because, row.released_at)
        found = select(*columns, row.approval_id).where(row.kind == kind, row.subject == subject)
        return await self._database.read(found.order_by(row.currency))

    async def requests(self, kind: LimitedKind, subject: str) -> Sequence[Row[Any]]:
        """Return what was asked of another person about a file, the newest first."""
        row = ApprovalRow
        columns = (row.id, row.amount_minor, row.currency, row.state, row.asked_by, row.asked_at, row.decided_by)
        found = select(*columns).where(row.kind == kind, row.subject == subject)
        return await self._database.read(found.order_by(row.asked_at.desc()).limit(_PAGE))

    async def refund_months(self) -> Sequence[Row[Any]]:
        """Return the newest months of which refunds wait for a file or its answers, by currency."""
        month = BankRefundMonthRow
        waiting = (
            select(
                _MONTH.label("subject"),
                _T.currency,
                cast(func.sum(_T.total_minor), BigInteger).label("amount_minor"),
                func.count().label("count"),
            )
            .where(_KEY >= "refund:", _KEY < "refund;", *_WAITS)
            .group_by(_MONTH, _T.currency)
            .subquery()
        )
        found = select(waiting, month.state).outerjoin(month, month.period == waiting.c.subject)
        return await self._database.read(found.order_by(waiting.c.subject.desc(), waiting.c.currency).limit(_PAGE))

    async def debit_batches(self) -> Sequence[Row[Any]]:
        """Return the newest batches of debits that nobody has given to the bank, with what they come to."""
        batch = DebitBatchRow
        total = cast(func.sum(DebitRow.amount_minor), BigInteger).label("amount_minor")
        found = (
            select(batch.id.label("subject"), batch.state, DebitRow.currency, total, func.count().label("count"))
            .join(DebitRow, DebitRow.batch_id == batch.id)
            .where(batch.state == "written")
            .group_by(batch.id, DebitRow.currency)
        )
        return await self._database.read(found.order_by(batch.created_at.desc()).limit(_PAGE))

    async def state_of(self, kind: LimitedKind, subject: str) -> str:
        """Return where a month of refunds, or a batch, stands; "" of a month that was drafted by hand, or of none."""
        row: Any = DebitBatchRow if kind is LimitedKind.DEBIT_FILE else BankRefundMonthRow
        key = row.id if kind is LimitedKind.DEBIT_FILE else row.period
        found = await self._database.read_first(select(row.state).where(key == subject))
        return str(found.state) if found else ""

    async def month(self, period: str) -> Row[Any] | None:
        """Return where a month that the schedule has drafted stands, who has decided and why; None of any other."""
        row = BankRefundMonthRow
        columns = (row.state, row.drafted_at, row.decided_at, row.actor, row.reason)
        return await self._database.read_first(select(*columns).where(row.period == period))
