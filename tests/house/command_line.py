"""The document of the command line, made from the commands. As a program, writes docs/command-line.md."""

import sys

import typer
from typer.cli import get_docs_for_click

from models.imports.columns import COLUMNS, ImportColumn
from starter import app
from tests.house.source import ROOT

DOCUMENT = ROOT / "docs" / "command-line.md"

INTRODUCTION = """# The command line

Made from the commands by `.venv/bin/python -m tests.house.command_line`; a test compares.

Settings come from the environment: see [operations](operations.md#settings). Answers go to standard output, as tables
or, with `--json`, as one JSON document. Errors go to standard error, one line for each, naming the field and the rule;
with `--json` as one object: `{"error": {"exit_code": 1, "problems": [{"field": …, "rule": …, "message": …}]}}`.
Amounts in JSON are minor units.

| Exit code | Means |
|---|---|
| 0 | done |
| 1 | refused, or something is broken: the answer says what |
| 2 | bad usage or settings |
| 3 | a server cannot be reached, or no worker answers in time |

## Files

The configuration is a TOML document: [an example with every table](definitions.example.toml).

Accounts are imported from CSV: UTF-8, comma separated, the columns named by the first line, in any order. An asterisk
marks what every row must fill in. A file that is no such file is refused whole; a bad row leaves its account out, with
all that belongs to it, and so does an id that stands twice: neither row is imported, and of two accounts that claim
the same subscription, card or customer of the gateway neither is. Whatever looks like a card number, in any field, is
refused before it is stored.

Awards (`awards`) and payment requests (`payment_requests`) are CSV of the same kind; a bad row is left out, and every
good one is done.

The bank's files (`bank`: statement lines, `payees`: bank details for refunds, `answers`: what became of refunds) are
CSV of the same kind; a bad row is left out, and every good one is done. Their amounts and days may be written as in the
bank's country, where there is one reading: `-1.234,56`, `20.05.2026`. A statement may be the bank's own CSV, by a
layout ([operations](operations.md#a-banks-own-csv)), or camt.053, camt.052, camt.054 or MT940 instead, an
answer pain.002, or a statement. Several files may come in one ZIP file: at most 400, of 256 MiB when they are unpacked,
none of them a ZIP file. Text of a bank's that holds a card number is kept without it.
"""


def document() -> str:
    """Return what docs/command-line.md must say."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="duly")
    commands = get_docs_for_click(obj=command, ctx=context, name="duly", indent=1, title="Commands")
    files = "\n".join(_table(source, columns) for source, columns in COLUMNS.items())
    return f"{INTRODUCTION}\n{files}\n{commands.strip()}\n"


def _table(source: str, columns: tuple[ImportColumn, ...]) -> str:
    rows = "".join(f"| `{one.name}`{_mark(one)} | {one.meaning}{_default(one)} |\n" for one in columns)
    return f"| {source} | Meaning |\n|---|---|\n{rows}"


def _mark(column: ImportColumn) -> str:
    return " *" if column.default is None else ""


def _default(column: ImportColumn) -> str:
    return f"; else {column.default}" if column.default else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"wrote {DOCUMENT.name}\n")
