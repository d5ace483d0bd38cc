"""Every list reads its newest rows by an index, however many there are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Row, Select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.cards.queries import CardQueries
from activities.collections.queries import CollectionQueries
from activities.database import Database
from activities.disputes.queries import DisputeQueries
from activities.events.inbox import EventQueries
from activities.events.movements import ExpectationQueries
from activities.ledger.account_queries import AccountQueries
from activities.listing import Listed
from activities.messages.communications import Communications
from activities.messages.queries import MessageQueries
from activities.payments.charge_blocks import ChargeBlocks
from activities.payments.charge_holds import ChargeHolds
from activities.reconciliation.queries import ReconciliationQueries
from activities.reductions.queries import ReductionQueries
from activities.refunds.queries import RefundQueries
from activities.subscriptions.subscriptions import Subscriptions
from activities.supervision.commands import CommandRecords
from models.listing import ListPage

PAGE = ListPage(limit=50)
LISTS: Mapping[str, Callable[[Database], Awaitable[Listed]]] = {
    "accounts_by_time": lambda database: AccountQueries(database).page(PAGE, state=""),
    "accounts_of_classification": lambda database: AccountQueries(database).page(PAGE, state="", classification="vip"),
    "accounts_of_region": lambda database: AccountQueries(database).page(PAGE, state="", region="north"),
    "accounts_of_segment": lambda database: AccountQueries(database).page(PAGE, state="", segment="business"),
    "cards_by_time": lambda database: CardQueries(database).page(PAGE, account_id="", state=""),
    "charge_blocks_by_time": lambda database: ChargeBlocks(database).page(PAGE, state=""),
    "charge_holds_by_time": lambda database: ChargeHolds(database).page(PAGE, state=""),
    "collections_by_time": lambda database: CollectionQueries(database).page(PAGE, state="", run_id=""),
    "commands_by_time": lambda database: CommandRecords(database).page(PAGE, actor="", name="", outcome=""),
    "communications_by_time": lambda database: Communications(database).page(PAGE, segment_id=""),
    "discrepancies_by_time": lambda database: ReconciliationQueries(database).page(PAGE, state="", kind=""),
    "disputes_by_time": lambda database: DisputeQueries(database).page(PAGE, account_id="", state=""),
    "events_by_time": lambda database: EventQueries(database).page(PAGE, state="", type_=""),
    "expectations_by_time": lambda database: ExpectationQueries(database).page(
        PAGE, account_id="", is_open=False, is_overdue=False, is_differing=False
    ),
    "messages_by_time": lambda database: MessageQueries(database).page(PAGE, state="", account_id=""),
    "reductions_by_time": lambda database: ReductionQueries(database).page(
        PAGE, account_id="", merchant_id="", state=""
    ),
    "refunds_by_time": lambda database: RefundQueries(database).page(PAGE, account_id="", state=""),
    "subscriptions_by_time": lambda database: Subscriptions(database).page(PAGE, account_id="", state=""),
}


# An index with more rows in the same order: in a table of a few rows it costs the same.
LARGER = {"refunds_by_time": "requests_by_time"}


class RecordingDatabase(Database):
    """A database that keeps what it was asked."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.queries: list[Select[*tuple[Any, ...]]] = []

    async def read(
        self, query: Select[*tuple[Any, ...]], *, timeout_seconds: float | None = None
    ) -> Sequence[Row[Any]]:
        """Keep a query, and answer it."""
        self.queries.append(query)
        return await super().read(query, timeout_seconds=timeout_seconds)


@pytest.mark.parametrize("index", LISTS)
async def test_the_newest_rows_are_read_by_an_index(owner_engine: AsyncEngine, index: str) -> None:
    database = RecordingDatabase(owner_engine)
    await LISTS[index](database)

    plan = "\n".join(await explained(owner_engine, database.queries[0], without=LARGER.get(index)))

    assert f"Scan Backward using {index}" in plan


async def explained(engine: AsyncEngine, query: Select[*tuple[Any, ...]], *, without: str | None) -> list[str]:
    """Return the plan of a query where a table is large: neither read whole nor sorted, nor by an index `without`."""
    statement = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    async with engine.connect() as connection:
        for method in ("seqscan", "sort", "hashjoin", "mergejoin", "bitmapscan"):
            await connection.execute(text(f"set local enable_{method} = off"))
        if without:
            await connection.execute(text(f"drop index duly.{without}"))
        plan = [row[0] for row in await connection.exec_driver_sql(f"explain {statement}".replace("%", "%%"))]
        await connection.rollback()
    return plan
