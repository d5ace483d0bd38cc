"""Refund runs: their list, the page of one with its certificate, how far one has come, and its members (X67, F120)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.database import Database
from activities.listing import Listed
from activities.runs.refund_run_queries import RefundRunQueries
from models.listing import ListPage
from models.operations.record_states import REFUND_MEMBER, RUN
from models.problem import refusal
from models.runs.process_run import RunState
from web.actions.forms import links_of
from web.context import Visit
from web.runs.progress import Followed, show_progress
from web.views.cells import (
    Cell,
    Column,
    Table,
    address,
    day,
    link,
    listed,
    moment,
    money,
    named,
    state,
    table_of,
    text,
    words,
)
from web.views.listing import Filter, Given, ListOfNoun
from web.views.objects import ObjectPage, show_object, temporal


async def _runs(database: Database, page: ListPage, given: Given) -> Listed:
    return await RefundRunQueries(database).page(page, provider_id=given["provider"], state=given["state"])


async def _members(database: Database, page: ListPage, given: Given) -> Listed:
    return await RefundRunQueries(database).members(given["run"], page)


def _refunds_of(row: Row[Any]) -> Cell:
    """Lead to the one refund of a member; of several say how many, and lead to all of its account's."""
    ids = row.refund_ids
    if len(ids) == 1:
        return link("refunds", ids[0])
    return Cell(f"{len(ids)} refunds", listed("refunds", account=row.account_id)) if ids else Cell()


REFUND_RUNS = ListOfNoun(
    "refund-runs",
    "Refund runs",
    (
        Column("Run", lambda row: link("refund-runs", row.id)),
        Column("Day", lambda row: day(row.day)),
        Column("Provider", lambda row: text(row.provider_id)),
        Column("State", lambda row: state(row.state)),
        Column("Members", lambda row: text(f"{row.members:,}"), is_number=True),
        Column("Started", lambda row: moment(row.started_at)),
        Column("Completed", lambda row: moment(row.completed_at)),
    ),
    (Filter("state", "State", ("running", "completed")), Filter("provider", "Provider")),
    _runs,
    "No refund run has been started: `duly refunds run`, or the schedule does it at night.",
)
REFUND_MEMBERS = ListOfNoun(
    "refund-members",
    "Members of a refund run",
    (
        Column("Member", lambda row: text(row.member_id)),
        Column("Kind", lambda row: words(row.kind)),
        Column("Account", lambda row: link("accounts", row.account_id)),
        Column("Outcome", lambda row: state(REFUND_MEMBER.word(row.outcome))),
        Column("Asked", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Refunded", lambda row: money(row.refunded_minor, row.currency), is_money=True),
        Column("Refunds", _refunds_of),
    ),
    (Filter("run", "Run"),),
    _members,
    "Nobody is in it.",
    has_days=False,
    required="run",
)


async def show_refund_run(visit: Visit) -> Response:
    """Show a refund run: how far it has come, or what its members came to and its certificate."""
    run, records = await _require(visit)
    # While it goes on its figures come after the page, and again and again: what stood here would soon be wrong.
    is_running = run.state == RunState.RUNNING
    totals = () if is_running else await records.totals(run.id)
    members = await records.members(run.id, ListPage(limit=50, is_totalled=False))
    more = listed("refund-members", run=run.id)
    shown = ObjectPage(
        title=run.id,
        kind="refund run",
        state=state(RUN.word(run.state)),
        actions=links_of(visit, "refund-runs", run.id, run.state),
        figures=() if is_running else (("Members", text(f"{run.members:,}")), *_refunded(totals)),
        facts=(
            ("Day", day(run.day)),
            ("Provider", text(run.provider_id)),
            ("Started", moment(run.started_at)),
            ("Completed", moment(run.completed_at)),
            ("Seal of its certificate", text((run.certificate or {}).get("sha256", "none yet"))),
            ("Members", named(Cell("m", more), "of this run")),
        ),
        tables=(
            *(() if is_running else (totals_table(run.id, totals),)),
            table_of("Members", REFUND_MEMBERS.columns, members.rows, empty="Nobody is in it.", more=more),
        ),
        parts=(("now", address("refund-runs-now", run.id)),) if is_running else (),
        links=(temporal(visit, run.id),),
    )
    return show_object(visit, shown)


async def refund_run_now(visit: Visit) -> Response:
    """Say how far a refund run has come. Raises RefusedError: there is no such run."""
    run, _ = await _require(visit)
    of = Followed(
        *(run.id, "refund-runs", run.state == RunState.RUNNING, run.started_at),
        read=lambda database: RefundRunQueries(database).totals(run.id),
        table=lambda totals: totals_table(run.id, totals),
        settled="Refunded",
    )
    return await show_progress(visit, of)


def totals_table(run_id: str, totals: Sequence[Row[Any]]) -> Table:
    """Make the table of a refund run's totals."""
    columns = (
        Column("Kind", lambda row: words(row.kind)),
        Column("Outcome", lambda row: state(REFUND_MEMBER.word(row.outcome))),
        Column("Members", lambda row: text(f"{row.members:,}"), is_number=True),
        Column("Asked", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Refunded", lambda row: money(row.settled_minor, row.currency), is_money=True),
    )
    more = listed("refund-members", run=run_id)
    return table_of("What its members came to", columns, totals, empty="Nobody is in it.", more=more)


async def _require(visit: Visit) -> tuple[Row[Any], RefundRunQueries]:
    id, records = visit.request.path_params["id"], RefundRunQueries(visit.web.reading)
    run = await records.find(id)
    if run is None:
        raise refusal("run", "run_exists", f"there is no refund run {id!r}")
    return run, records


def _refunded(totals: Sequence[Row[Any]]) -> list[tuple[str, Cell]]:
    sums: dict[str, int] = {}
    for row in totals:
        sums[row.currency] = sums.get(row.currency, 0) + row.settled_minor
    return [("Refunded", money(minor, currency)) for currency, minor in sorted(sums.items())]
