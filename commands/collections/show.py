"""Showing collections."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from sqlalchemy import Row
from temporalio.service import RPCError

from activities.collections.queries import CollectionQueries
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.output import Failure, Output, table
from commands.paging import answer_page
from commands.session import database_of, read_settings, temporal_of
from models.collections.collection import CollectionStatus
from models.problem import refusal
from models.workflow_ids import collection_id
from settings import Settings
from workflows.collections.collection import Collection

# A query needs a worker. Without one, the database alone is shown.
STATUS_SECONDS = 5.0


async def show(output: Output, account_id: str, period: str) -> None:
    """Show one collection as the database has it, and as its workflow tells while it runs."""
    settings = read_settings()
    async with database_of(settings) as database:
        records = CollectionQueries(database)
        found = await records.find(account_id, period)
        if found is None:
            raise refusal("account", "collection_exists", f"{account_id!r} has no collection for {period}")
        attempts = await records.attempts(found.request_id or "")
    status = await _status(settings, account_id, period) if found.stage == "collecting" else None
    link = workflow_link(settings, collection_id(account_id, period))
    output.answer(
        {
            **document(found),
            "attempts": [document(row) for row in attempts],
            "now": _status_document(status),
            "link": link,
        },
        table("", "Collection", collection_id(account_id, period), rows=_facts(found, status)),
        _attempts(attempts, found.currency),
        *_decisions(status),
        *link_line(link),
    )


async def list_page(output: Output, *, stage: str, run_id: str, after: str, limit: int) -> None:
    """List one page of collections; `next` continues behind it."""
    async with database_of(read_settings()) as database:
        rows = await CollectionQueries(database).page(stage=stage, run_id=run_id, after=after, limit=limit)
    answer_page(
        output, "collections", rows, _page(rows), limit=limit, place=lambda row: f"{row.account_id}/{row.period}"
    )


async def _status(settings: Settings, account_id: str, period: str) -> CollectionStatus | None:
    try:
        client = await temporal_of(settings)
        handle = client.get_workflow_handle(collection_id(account_id, period))
        async with asyncio.timeout(STATUS_SECONDS):
            return await handle.query(Collection.status)
    except (Failure, RPCError, TimeoutError):
        # Temporal is away, or no worker answers: what the database has is shown without it.
        return None


def _status_document(status: CollectionStatus | None) -> dict[str, Any] | None:
    if status is None:
        return None
    return {
        "stage": status.stage,
        "attempt": status.attempt,
        "next_action_at": status.next_action_at,
        "decisions": list(status.history),
    }


def _facts(found: Row[Any], status: CollectionStatus | None) -> list[tuple[str, object]]:
    facts = [
        ("Stage", status.stage if status else f"{found.stage} {found.reason}".strip()),
        ("Next action", moment(status.next_action_at) if status else ""),
        ("Amount", money(found.amount_minor, found.currency)),
        ("Run", found.run_id or ""),
        ("Dunning policy", f"{found.policy_id}, version {found.policy_version}"),
        ("Opened", moment(found.opened_at)),
        ("Closed", moment(found.closed_at)),
        ("Request", f"{found.request_id} {found.request_state}" if found.request_id else ""),
    ]
    return [(name, value) for name, value in facts if value != ""]


def _decisions(status: CollectionStatus | None) -> tuple[Table, ...]:
    if status is None:
        return ()
    return (table("Decisions", "What happened", rows=[(decision,) for decision in status.history]),)


def _attempts(rows: Iterable[Row[Any]], currency: str) -> Table:
    shown = [
        (
            row.attempt,
            row.cause,
            money(row.amount_minor, currency),
            f"{row.brand} {row.last4}",
            row.outcome or "in flight",
            row.decline_code or row.code or row.gateway_reference,
            moment(row.started_at),
        )
        for row in rows
    ]
    columns = ("No.", "Cause", "Amount", "Card", "Outcome", "Why, or where", "Asked")
    return table("Attempts", *columns, rows=shown, right=("No.", "Amount"))


def _page(rows: Sequence[Row[Any]]) -> Table:
    shown = [
        (
            row.account_id,
            row.period,
            row.stage,
            row.reason or row.request_state,
            money(row.amount_minor, row.currency),
            moment(row.opened_at),
        )
        for row in rows
    ]
    return table("", "Account", "Period", "Stage", "Why", "Amount", "Opened", rows=shown, right=("Amount",))
