"""Showing runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.runs.queries import RunQueries
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.lists.next_actions import running_at, word_now
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.listing import ListPage
from models.operations.record_states import RUN
from models.problem import refusal
from models.runs.criteria import in_words
from models.runs.process_run import RunKind, RunState

COLUMNS = ("Outcome", "Why", "Currency", "Members", "Amount", "Settled")
NUMBERS = ("Members", "Amount", "Settled")
BILLED = ("Net", "Tax", "Total")


async def show(output: Output, run_id: str) -> None:
    """Show one run with its totals. Raises RefusedError when there is none."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        records = RunQueries(database)
        run = await require_run(records, run_id)
        totals = await totals_of(records, run)
        supplements = await records.supplements(run) if run.kind != "shadow" and run.supplement == 0 else ()
        of_month = await totals_of(records, run, of_month=True) if supplements else ()
    state = await word_now(settings, RUN, run.state, run.id)
    link = workflow_link(settings, run_id)
    month = {
        "supplements": [{"id": row.id, "state": row.state, "members": row.members} for row in supplements],
        "of_month": [document(row) for row in of_month],
    }
    output.answer(
        {
            **document(run),
            "state": state,
            "totals": [document(row) for row in totals],
            **(month if supplements else {}),
            "link": link,
        },
        table("", "Run", run.id, rows=_facts(run, state)),
        table_of(run, totals),
        *left_out(run.left_out),
        *(f"{row.id}: {row.members} members, {row.state}" for row in supplements),
        *([table_of(run, of_month, f"{run.period} with its supplements")] if supplements else []),
        *(f"Decision: {decision}" for decision in run.decisions),
        *link_line(link),
    )


async def list_page(output: Output, page: ListPage, *, kind: str, definition_id: str, state: str) -> None:
    """List a page of runs, the newest first."""
    settings = read_settings()
    stored = state if state in set(RunState) else ""
    ids = None if state == stored else await running_at(settings, ("PaymentRun",), state)
    async with reading_database_of(settings) as database:
        listed = await RunQueries(database).page(page, kind=kind, definition_id=definition_id, state=stored, ids=ids)
    columns = {
        "Run": lambda row: row.id,
        "Kind": lambda row: row.kind,
        "State": state_word,
        "Members>": lambda row: row.members,
        "Started": lambda row: moment(row.started_at),
        "Completed": lambda row: moment(row.completed_at),
    }
    await answer_list(output, settings, "runs", listed, columns, workflow_id=lambda row: row.id)


async def require_run(records: RunQueries, run_id: str) -> Row[Any]:
    """Return a run. Raises RefusedError when there is none."""
    run = await records.find(run_id)
    if run is None:
        raise refusal("run", "run_exists", f"there is no run {run_id!r}; see runs list")
    return run


async def totals_of(records: RunQueries, run: Row[Any], *, of_month: bool = False) -> Sequence[Row[Any]]:
    """Return the totals of a run, or of its month: of billing with net, tax and total by their names."""
    if run.kind == RunKind.BILLING:
        return await records.billed_totals(run.id, of_month=of_month)
    return await records.totals(run.id, of_month=of_month)


def table_of(run: Row[Any], totals: Iterable[Row[Any]], title: str = "") -> Table:
    """Make the table of a run's totals, of its kind."""
    return (billed_table if run.kind == RunKind.BILLING else totals_table)(totals, title)


def left_out(accounts: Sequence[Mapping[str, Any]]) -> Sequence[Table]:
    """Make the table of who owed and was no member, for the criteria of the definition."""
    rows = [
        (one["reason"], one["currency"], one["accounts"], money(one["amount_minor"], one["currency"]))
        for one in accounts
    ]
    columns = ("Why", "Currency", "Accounts", "Amount")
    return [table("Left out by the criteria", *columns, rows=rows, right=columns[2:])] if rows else []


def billed_table(totals: Iterable[Row[Any]], title: str = "") -> Table:
    """Make the table of a billing run's totals; of what was not billed there is the net price alone."""
    rows = [(row.outcome, row.reason, row.currency, row.members, *net_tax_total(row, row.currency)) for row in totals]
    return table(title, *COLUMNS[:4], *BILLED, rows=rows, right=("Members", *BILLED))


def net_tax_total(row: Row[Any], currency: str) -> tuple[str, ...]:
    """Return a row's net, tax and total as people read them; nothing where there is none."""
    amounts = (row.net_minor, row.tax_minor, row.total_minor)
    return tuple("" if amount is None else money(amount, currency) for amount in amounts)


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


def _facts(run: Row[Any], state: str) -> list[tuple[str, object]]:
    facts = [
        ("Definition, period", f"{run.definition_id}, {run.period}"),
        ("Kind, state", f"{run.kind}, {state}{', aborted' if run.is_aborted else ''}"),
        *([("Criteria", in_words(run.criteria))] if run.criteria else []),
        ("Members", run.members),
        ("Started", moment(run.started_at)),
        ("Completed", moment(run.completed_at)),
        ("Seal", run.certificate["sha256"] if run.certificate else "none yet"),
    ]
    return [(name, value) for name, value in facts if value != ""]
