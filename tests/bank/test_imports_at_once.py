"""One entry that comes by several kinds of files is booked once, whoever imports them, and also at the same moment."""

import asyncio
from pathlib import Path

import pytest

from activities.bank.import_lock import one_import_at_a_time
from activities.database import Database, create_engine
from commands.bank.statement_import import ImportedStatement, import_files
from models.problem import RefusedError
from tests.bank.statements import CSV, document, entry, statement
from tests.support.company import Company

LINES = 20
MESSAGES = {"camt053": "BkToCstmrStmt", "camt052": "BkToCstmrAcctRpt", "camt054": "BkToCstmrDbtCdtNtfctn"}


def camt(kind: str) -> str:
    entries = [entry(f"B{n}", f"{n}.00", text="cust-1001") for n in range(1, LINES + 1)]
    return document(statement(*entries, id=f"{kind} of May 20"), message=MESSAGES[kind])


def mt940() -> str:
    lines = "".join(f":61:2605200520C{n},00NTRFNONREF//B{n}\n:86:cust-1001\n" for n in range(1, LINES + 1))
    return f":20:MAY20\n:25:37040044/0532013000\n:28C:1/1\n:60F:C260519EUR0,00\n{lines}:62F:C260520EUR210,00\n"


def own_csv() -> str:
    return CSV + "".join(f"B{n},2026-05-20,{n}.00,EUR,,,cust-1001,,\n" for n in range(1, LINES + 1))


FILES = {**{kind: camt(kind) for kind in MESSAGES}, "mt940": mt940(), "csv": own_csv()}


async def imported(database_url: str, folder: Path, kind: str) -> dict[str, int]:
    """Import a file as a process of its own does, by its own connections."""
    file = folder / kind
    await asyncio.to_thread(file.write_text, FILES[kind], encoding="utf-8")
    database = Database(create_engine(database_url, pool=3), timeout_seconds=10)
    done = ImportedStatement()
    try:
        assert [len(page) async for page in import_files(database, file, done, actor="maria")] == [LINES]
    finally:
        await database.dispose()
    return done.summary


@pytest.mark.parametrize("kinds", [("camt052", "camt053"), ("camt054", "camt053", "mt940", "csv")])
async def test_files_that_are_imported_at_the_same_moment_book_each_entry_once(
    company: Company, database_url: str, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    await company.account("cust-1001")

    summaries = await asyncio.gather(*(imported(database_url, tmp_path, kind) for kind in kinds))

    assert await company.balance("cust-1001") == -sum(range(1, LINES + 1)) * 100
    assert sum(one["posted"] for one in summaries) == LINES
    assert sum(one["unchanged"] for one in summaries) == LINES * (len(kinds) - 1)
    assert [one["refused"] for one in summaries] == [0] * len(kinds)


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("first", list(FILES))
async def test_whichever_file_comes_first_books_and_the_others_find_it(
    company: Company, database_url: str, tmp_path: Path, first: str
) -> None:
    await company.account("cust-1001")
    later = [kind for kind in FILES if kind != first]

    assert (await imported(database_url, tmp_path, first))["posted"] == LINES
    for kind in later:
        assert (await imported(database_url, tmp_path, kind))["unchanged"] == LINES

    assert await company.balance("cust-1001") == -sum(range(1, LINES + 1)) * 100


async def test_who_waits_too_long_for_an_import_is_refused_and_the_next_goes_on(database: Database) -> None:
    async def takes_part() -> bool:
        async with one_import_at_a_time(database, wait_seconds=0):
            return True

    async with one_import_at_a_time(database):
        with pytest.raises(RefusedError, match="import_is_alone"):
            await takes_part()
    assert await takes_part()


async def test_an_import_that_is_complete_stays_so_when_the_connection_of_its_lock_is_lost(database: Database) -> None:
    async with one_import_at_a_time(database):
        killed = await database.rows(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
            " and database = (select oid from pg_database where datname = current_database())"
        )

    assert [tuple(row) for row in killed] == [(True,)]
    async with one_import_at_a_time(database, wait_seconds=5):
        locks = await database.rows("select count(*) from pg_locks where locktype = 'advisory' and granted")
    assert [tuple(row) for row in locks] == [(1,)]
