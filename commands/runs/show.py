"""Showing runs."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.runs.queries import RunQueries
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.problem import refusal

COLUMNS = ("Outcome", "Why", "Currency", "Members", "Amount", "Settled")
NUMBERS = ("Members", "Amount", "Settled")


async def show(output: Output, run_id: str) -> None:
    """Show one run with its totals. Raises RefusedError when there is none."""
    settings = read_settings()
    async with database_of(settings) as database:
        records = RunQueries(database)
        run = await require_run(records, run_id)
        totals = await records.totals(run_id)
    link = workflow_link(settings, run_id)
    output.answer(
        {**document(run), "totals": [document(row) for row in totals], "link": link},
        table("", "Run", run.id, rows=_facts(run)),
        totals_table(totals),
        *(f"Decision: {decision}" for decision in run.decisions),
        *link_line(link),
    )


async def list_latest(output: Output, *, kind: str, definition_id: str, limit: int) -> None:
    """List the latest runs."""
    async with database_of(read_settings()) as database:
        rows = await RunQueries(database).latest(kind=kind, definition_id=definition_id, limit=limit)
    shown = [
        (row.id, row.kind, row.state, row.members, moment(row.started_at), moment(row.completed_at)) for row in rows
    ]
    columns = ("Run", "Kind", "State", "Members", "Started", "Completed")
    output.answer({"runs": [document(row) for row in rows]}, table("", *columns, rows=shown, right=("Members",)))


async def require_run(records: RunQueries, run_id: str) -> Row[Any]:
    """Return a run. Raises RefusedError when there is none."""
    run = await records.find(run_id)
    if run is None:
        raise refusal("run", "run_exists", f"there is no run {run_id!r}; see runs list")
    return run


def totals_table(totals: Iterable[Row[Any]], title: str = "") -> Table:
    """Make the table of a run's totals."""
    rows = [
        (
            row.outcome,
            row.reason,
            row.currency,
            row.members,
            money(row.amount_minor, row.currency),
            money(row.settled_minor, row.currency),
        )
        for row in totals
    ]
    return table(title, *COLUMNS, rows=rows, right=NUMBERS)


def _facts(run: Row[Any]) -> list[tuple[str, object]]:
    facts = [
        ("Definition, period", f"{run.definition_id}, {run.period}"),
        ("Kind, state", f"{run.kind}, {run.state}{', aborted' if run.is_aborted else ''}"),
        ("Members", run.members),
        ("Started", moment(run.started_at)),
        ("Completed", moment(run.completed_at)),
        ("Seal", run.certificate["sha256"] if run.certificate else "none yet"),
    ]
    return [(name, value) for name, value in facts if value != ""]
