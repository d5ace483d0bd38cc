"""What of the database the product reaches by itself: functions it calls, tables that its text SQL reads or writes."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tests.house.source import Module

# Tests, benches and the sandbox prove nothing about what a worker needs.
NOT_THE_PRODUCT = ("bench", "migrations", "sandbox", "tests")
_IN_SQL = re.compile(r"\bduly\.(\w+)\s*\(")
# No function's call: a table or view that text SQL reads.
_READS = re.compile(r"\b(?:from|join)\s+duly\.(\w+)\b(?!\s*\()", re.IGNORECASE)
_INSERT = re.compile(r"\binsert\s+into\s+duly\.(\w+)(?:\s+as\s+\w+)?\s*\(([^)]*)\)", re.IGNORECASE)
_UPDATE = re.compile(r"\bupdate\s+duly\.(\w+)(?:\s+(?:as\s+)?(?!set\b)\w+)?\s+set\b(.*)", re.IGNORECASE | re.DOTALL)
_UPSERT = re.compile(r"\bdo\s+update\s+set\b(.*)", re.IGNORECASE | re.DOTALL)
_END_OF_LIST = re.compile(r"\b(?:where|from|returning)\b|;|$", re.IGNORECASE)
_BRACKETS = re.compile(r"\([^()]*\)")


# Whose text SQL reads tables, with the reason: everybody else reads through the typed tables.
TEXT_READS: Mapping[str, str] = {
    "activities/bank/statement_sql.py": "notes what it has posted, in one statement",
    "activities/collections/queries.py": "one statement of eight subqueries",
    "activities/configuration/sql.py": "one list of each table, as arrays",
    "activities/ledger/invariants.py": "names each row of a view by its own columns",
    "activities/ledger/statement_queries.py": "running balances over a union",
    "activities/ledger/transaction_queries.py": "a sequence",
    "commands/operations/checks/database.py": "the database may be of another release",
}


class Write(NamedTuple):
    """A column that is written, and the privilege that it takes."""

    privilege: str
    table: str
    column: str


def called_functions(modules: Iterable[Module], functions: frozenset[str]) -> frozenset[str]:
    """Return those of the database's functions that the product calls."""
    product = [module for module in modules if module.path.parts[0] not in NOT_THE_PRODUCT]
    callers = frozenset(name for module in product for name in _callers(module.tree))
    return frozenset(name for module in product for name in _named(module.tree, callers)) & functions


def names_made_up(modules: Iterable[Module]) -> list[str]:
    """Return where a name is put together, so that nobody can say what is called. Arguments go by keyword."""
    product = [module for module in modules if module.path.parts[0] not in NOT_THE_PRODUCT]
    callers = frozenset(name for module in product for name in _callers(module.tree))
    return [
        module.at(node.lineno, "name the function")
        for module in product
        for node in module.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in callers
        if node.keywords and node.args and isinstance(node.args[0], ast.JoinedStr)
    ]


def reads_in_text(modules: Iterable[Module]) -> list[str]:
    """Return a line for each table that text SQL of the product reads: a renamed column would not fail in the types."""
    return [
        module.at(line, f"reads {table} in text SQL: use `Database.read` and models/tables")
        for module, line, table in _read_in_text(modules)
        if module.path.as_posix() not in TEXT_READS
    ]


def unused_text_reads(modules: Iterable[Module]) -> list[str]:
    """Return the listed files that read no table in text SQL any more."""
    return sorted(TEXT_READS.keys() - {module.path.as_posix() for module, _, _ in _read_in_text(modules)})


def written_columns(modules: Iterable[Module]) -> frozenset[Write]:
    """Return every column that text SQL of the product inserts or updates."""
    return frozenset(
        write
        for module in modules
        if module.path.parts[0] not in NOT_THE_PRODUCT
        for node in module.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for write in _writes(node.value)
    )


def _read_in_text(modules: Iterable[Module]) -> Iterator[tuple[Module, int, str]]:
    for module in modules:
        if module.path.parts[0] not in NOT_THE_PRODUCT:
            for node in module.nodes:
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield from ((module, node.lineno, table) for table in _READS.findall(node.value))


def _callers(tree: ast.Module) -> Iterator[str]:
    """Yield what takes the name of a function of the database: its parameter is called `function` everywhere."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            continue
        if any(argument.arg == "function" for argument in node.args.args):
            yield node.name


def _named(tree: ast.Module, callers: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name_of(node.func) in callers:
            yield from _texts(node.args)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _IN_SQL.findall(node.value)
        elif isinstance(node, ast.Attribute) and _name_of(node.value) == "duly":
            yield node.attr


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _texts(arguments: Iterable[ast.expr]) -> Iterator[str]:
    for argument in arguments:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _writes(statement: str) -> Iterator[Write]:
    for table, columns in _INSERT.findall(statement):
        yield from (Write("INSERT", table, column.strip()) for column in columns.split(","))
        for assignments in _UPSERT.findall(statement):
            yield from (Write("UPDATE", table, column) for column in _assigned(assignments))
    for table, assignments in _UPDATE.findall(statement):
        yield from (Write("UPDATE", table, column) for column in _assigned(assignments))


def _assigned(assignments: str) -> Iterator[str]:
    """Yield the names before the equals signs of a list of assignments."""
    while (plain := _BRACKETS.sub("", assignments)) != assignments:
        assignments = plain
    for assignment in assignments[: _END_OF_LIST.search(assignments).start()].split(","):  # type: ignore[union-attr]
        yield assignment.partition("=")[0].strip()
