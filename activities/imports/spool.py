"""Where an import keeps its rows between reading and writing: on disk, so that any file needs little memory."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from activities.imports.csv_files import CsvRow, naming, table_rows
from models.imports.columns import ACCOUNTS, CARDS, ID_COLUMNS, SUBSCRIPTIONS, account_of, cells_of
from models.imports.entry import ImportEntry
from models.imports.rows import ImportedAccount, ImportedCard, ImportReference, Row, read_row
from models.imports.subscriptions import ImportedSubscription
from models.problem import Problem, RefusedError

_ACCOUNT, _SUBSCRIPTION, _CARD = (
    TypeAdapter(ImportedAccount),
    TypeAdapter(ImportedSubscription),
    TypeAdapter(ImportedCard),
)

_SCHEMA = """
    create table entries (
        source text, id text, account_id text, line integer, body blob, primary key (source, id)
    ) without rowid;
    create index entries_of_account on entries (account_id, source, line);
    create index entries_of_line on entries (source, line);
    create table customers (customer text primary key, account_id text, line integer) without rowid;
    create table problems (account_id text, source text, line integer, field text, rule text, message text, id text);
    create index problems_of_account on problems (account_id);
    create view good_accounts as select id, line, body from entries e
        where source = 'accounts' and not exists (select 1 from problems f where f.account_id = e.id);
"""


class ImportSpool:
    """A private file that ends with the spool. Not for several threads."""

    def __init__(self) -> None:
        # An empty name makes a file that no one else sees and that is gone when it is closed.
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.executescript(_SCHEMA)
        self._rows.execute("begin")

    def close(self) -> None:
        """Drop everything."""
        self._rows.close()

    def read(self, source: str, path: Path, reference: ImportReference) -> None:
        """Read a file and note what is wrong with its rows. Raises RefusedError when it is no file of that kind."""
        for row in table_rows(source, path):
            self._take(source, row, reference)

    def _take(self, source: str, row: CsvRow, reference: ImportReference) -> None:
        try:
            read = read_row(source, row.line, cells_of(source, row.line, row.header, row.cells), reference)
        except RefusedError as refused:
            self.refuse(account_of(row.header, row.cells), naming(refused, row, source))
            return
        problem = self._keep(source, row.line, read)
        if problem is not None:
            self.refuse(read.account_id, [replace(problem, id=_id_and_body(read)[0])])

    def _keep(self, source: str, line: int, row: Row) -> Problem | None:
        if isinstance(row, ImportedCard) and (problem := self._keep_customer(line, row)):
            return problem
        id, body = _id_and_body(row)
        kept = self._rows.execute(
            "insert or ignore into entries values (?, ?, ?, ?, ?)", (source, id, row.account_id, line, body)
        )
        if kept.rowcount:
            return None
        owner, first = self._rows.execute(
            "select account_id, line from entries where source = ? and id = ?", (source, id)
        ).fetchone()
        column = ID_COLUMNS[source]
        if owner == row.account_id:
            message = f"is there already, in line {first}: neither row is imported, nor what else the account has"
            return Problem(column, "id_once", message, source, line)
        return self._contradiction(Problem(column, "id_once", "", source, line), row.account_id, owner, first)

    def _keep_customer(self, line: int, card: ImportedCard) -> Problem | None:
        values = (card.customer, card.account_id, line)
        self._rows.execute("insert or ignore into customers values (?, ?, ?)", values)
        owner, first = self._rows.execute(
            "select account_id, line from customers where customer = ?", (card.customer,)
        ).fetchone()
        if owner == card.account_id:
            return None
        found = Problem("customer", "customer_of_one_account", "", CARDS, line)
        return self._contradiction(found, card.account_id, owner, first)

    def _contradiction(self, found: Problem, account_id: str, owner: str, first: int) -> Problem:
        """Refuse the account of an earlier row that has what this one has: which of them is right nobody knows."""
        there = (owner, found.source, first, found.field, found.rule)
        (is_noted,) = self._rows.execute(
            "select exists (select 1 from problems where account_id = ? and source = ? and line = ? and field = ?"
            " and rule = ?)",
            there,
        ).fetchone()
        if not is_noted:
            message = f"is of account {account_id} too, in line {found.line}: neither account is imported"
            self.refuse(owner, [replace(found, line=first, message=message)])
        return replace(found, message=f"is of account {owner} already, in line {first}: neither account is imported")

    def refuse(self, account_id: str, problems: Sequence[Problem]) -> None:
        """Note problems; the account they belong to is left out."""
        rows = [
            (account_id, problem.source, problem.line, problem.field, problem.rule, problem.message, problem.id)
            for problem in problems
        ]
        self._rows.executemany("insert into problems values (?, ?, ?, ?, ?, ?, ?)", rows)

    def refuse_strays(self) -> None:
        """Refuse the rows of accounts that the accounts file does not have."""
        self._rows.execute(
            "insert into problems select account_id, source, line, 'account_id', 'account_in_file',"
            " 'the accounts file has no account ' || account_id, id from entries e where source <> ?"
            " and not exists (select 1 from entries a where a.source = ? and a.id = e.account_id)"
            " and not exists (select 1 from problems f where f.source = ? and f.account_id = e.account_id)",
            (ACCOUNTS, ACCOUNTS, ACCOUNTS),
        )

    def counts(self) -> Mapping[str, int]:
        """Return how many accounts were read, and how many have nothing against them so far."""
        (read,) = self._rows.execute(
            "select count(*) + (select count(*) from (select distinct source, line from problems where source = ?))"
            " from entries where source = ?",
            (ACCOUNTS, ACCOUNTS),
        ).fetchone()
        (good,) = self._rows.execute("select count(*) from good_accounts").fetchone()
        return {"read": read, "good": good}

    def batches(self, size: int) -> Iterator[list[ImportEntry]]:
        """Yield the accounts that nothing is against, in order of their ids, with all that belongs to them."""
        after = ""
        page = "select id, line, body from good_accounts where id > ? order by id limit ?"
        while rows := self._rows.execute(page, (after, size)).fetchall():
            yield [self._entry(id, line, body) for id, line, body in rows]
            after = rows[-1][0]

    def _entry(self, account_id: str, line: int, body: bytes) -> ImportEntry:
        return ImportEntry(
            line,
            _ACCOUNT.validate_json(body),
            tuple((at, _SUBSCRIPTION.validate_json(row)) for at, row in self._of_account(account_id, SUBSCRIPTIONS)),
            tuple((at, _CARD.validate_json(row)) for at, row in self._of_account(account_id, CARDS)),
        )

    def _of_account(self, account_id: str, source: str) -> list[tuple[int, bytes]]:
        return self._rows.execute(
            "select line, body from entries where account_id = ? and source = ? order by line", (account_id, source)
        ).fetchall()

    def problems(self) -> Iterator[Problem]:
        """Yield everything that is wrong, file by file and line by line."""
        # What is wrong beside its own cells was noted without the row's id.
        every = (
            "select p.field, p.rule, p.message, p.source, p.line, coalesce(nullif(p.id, ''), e.id, '') from problems p"
            " left join entries e on e.source = p.source and e.line = p.line order by p.source, p.line"
        )
        for row in self._rows.execute(every):
            yield Problem(*row)


def _id_and_body(row: Row) -> tuple[str, bytes]:
    match row:
        case ImportedAccount():
            return row.account_id, _ACCOUNT.dump_json(row)
        case ImportedSubscription():
            return row.subscription_id, _SUBSCRIPTION.dump_json(row)
        case ImportedCard():
            return row.token, _CARD.dump_json(row)
