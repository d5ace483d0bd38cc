"""An import asks the database as often for a page of many lines as for one of few."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.database import Database, create_engine
from commands.bank.statement_import import ImportedStatement, import_files
from tests.bank.statements import camt, detail, entry
from tests.support.company import Company


class CountedDatabase(Database):
    """A database that counts what it is asked."""

    asked = 0

    @asynccontextmanager
    async def connection(self, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection, for one statement or one commit."""
        self.asked += 1
        async with super().connection(timeout_seconds) as connection:
            yield connection


async def asked(database: CountedDatabase, file: str, outcome: str, count: int) -> int:
    """Import a file, and return how often the database was asked."""
    before, done = database.asked, ImportedStatement()
    async for _ in import_files(database, Path(file), done, actor="maria"):
        continue
    assert {name: number for name, number in done.summary.items() if number} == {outcome: count}
    return database.asked - before


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(("outcome", "text"), [("posted", "cust-1001"), ("suspense", "thanks")])
@pytest.mark.parametrize("is_batch", [True, False])
async def test_four_times_as_many_lines_ask_the_database_as_often(
    company: Company, database_url: str, tmp_path: Path, outcome: str, text: str, is_batch: bool
) -> None:
    database = CountedDatabase(create_engine(database_url, pool=3))
    await company.account("cust-1001")

    def lines(name: str, count: int) -> str:
        details = f"<TxDtls>{detail(text=text, amount='1.00')}</TxDtls>" * count
        entries = [entry(f"{name}{number}", "1.00", text=text) for number in range(count)]
        batch = [entry(name, f"{count}.00", details=details)]
        return camt(tmp_path, *(batch if is_batch else entries), name=f"{name}.xml")

    # The account of a currency's suspense is opened with its first line.
    await asked(database, lines("A", 2), outcome, 2)

    few, many = lines("B", 5), lines("C", 20)

    assert await asked(database, many, outcome, 20) == await asked(database, few, outcome, 5)
    assert await asked(database, many, "unchanged", 20) == await asked(database, few, "unchanged", 5)
    await database.dispose()
