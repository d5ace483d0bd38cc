"""What an account owed on any day, and what became of it: statements and balances, read only (F12, X43)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Date, Row, cast, func, select, true

from activities.database import Database
from models.ledger.transaction import Side
from models.tables.accounts import AccountBalanceRow, AccountRow
from models.tables.ledger import OpenItemRow

# Text, for the side of a classification is the database's own function.
_SIGNED = "case duly.side_of(t.classification) when 'debit' then t.total_minor else -t.total_minor end"

# Day by day, and within a day in order of posting: what was posted late to an old day stands on that day. What is
# unsettled is found among the account's open items alone; a number, by key, for the rows that are shown.
_STATEMENT = f"""
    select p.id, (select n.number from duly.transaction_numbers n where n.transaction_id = p.id) as number,
        p.classification, p.state, p.posted_on, p.due_on, p.amount_minor, p.balance_minor::bigint as balance_minor,
        p.unsettled_minor
    from (
        select t.id, t.classification, t.state, t.posted_on, t.due_on, t.account_version, {_SIGNED} as amount_minor,
            sum({_SIGNED}) over (order by t.posted_on, t.account_version rows unbounded preceding) as balance_minor,
            coalesce(i.amount_minor - i.allocated_minor, 0) as unsettled_minor
        from duly.financial_transactions t
        left join duly.open_items i on i.transaction_id = t.id and i.account_id = t.account_id
            and i.allocated_minor < i.amount_minor
        where t.account_id = :account and t.account_version is not null) p
    where (cast(:since as date) is null or p.posted_on >= :since)
      and (cast(:until as date) is null or p.posted_on <= :until)
    order by p.posted_on, p.account_version
"""  # noqa: S608  # the parts are constants

_BALANCE_ON = f"""
    select coalesce(sum({_SIGNED}), 0)::bigint from duly.financial_transactions t
    where t.account_id = :account and t.account_version is not null and t.posted_on <= :day
"""  # noqa: S608  # the part is a constant

_UNALLOCATED = OpenItemRow.amount_minor - OpenItemRow.allocated_minor
# Overdue on the account's own calendar.
_IS_OVERDUE = OpenItemRow.sort_on < cast(func.timezone(AccountRow.time_zone, func.now()), Date)
_IS_DEBIT = OpenItemRow.side == Side.DEBIT

_OPEN_ITEMS = (
    select(
        func.sum(_UNALLOCATED).filter(_IS_DEBIT).label("debit_minor"),
        func.sum(_UNALLOCATED).filter(OpenItemRow.side == Side.CREDIT).label("credit_minor"),
        func.sum(_UNALLOCATED).filter(_IS_DEBIT, _IS_OVERDUE).label("overdue_minor"),
    )
    .where(OpenItemRow.account_id == AccountRow.id, OpenItemRow.allocated_minor < OpenItemRow.amount_minor)
    .correlate(AccountRow)
    .lateral("open_items_of_account")
)

_NOW = (
    select(
        AccountRow.id,
        AccountRow.currency,
        AccountRow.owner_name,
        AccountRow.credit_limit_minor,
        AccountBalanceRow.balance_minor,
        cast(func.coalesce(_OPEN_ITEMS.c.debit_minor, 0), BigInteger).label("unsettled_minor"),
        cast(func.coalesce(_OPEN_ITEMS.c.credit_minor, 0), BigInteger).label("credit_minor"),
        cast(func.coalesce(_OPEN_ITEMS.c.overdue_minor, 0), BigInteger).label("outstanding_minor"),
    )
    .join(AccountBalanceRow, AccountBalanceRow.account_id == AccountRow.id)
    .join(_OPEN_ITEMS, true())
)


class StatementQueries:
    """Reads statements and balances."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self, account_id: str) -> Row[Any] | None:
        """Return balance, unsettled, outstanding (unsettled and past due) and open credit of an account, or None."""
        return await self._database.read_first(_NOW.where(AccountRow.id == account_id))

    async def balance_on(self, account_id: str, day: date) -> int:
        """Return what an account owed at the end of a day, in minor units; positive: the customer owes."""
        return int((await self._database.rows(_BALANCE_ON, account=account_id, day=day))[0][0])

    async def statement(self, account_id: str, since: date | None, until: date | None) -> Sequence[Row[Any]]:
        """Return an account's postings of some days, each with the balance after it and what is unsettled now."""
        return await self._database.rows(_STATEMENT, account=account_id, since=since, until=until)
