"""Showing collections."""

import asyncio
from collections.abc import Iterable
from typing import Any

from rich.table import Table
from sqlalchemy import Row
from temporalio.service import RPCError

from activities.collections.queries import CollectionQueries
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.lists.next_actions import NextAction, next_action, next_document
from commands.lists.paging import answer_list, state_word
from commands.output import Failure, Output, table
from commands.session import read_settings, reading_database_of, temporal_of
from models.collections.collection import CollectionStatus
from models.listing import ListPage
from models.operations.payment_states import ATTEMPT, COLLECTION
from models.problem import refusal
from models.workflow_ids import collection_id
from settings import Settings
from workflows.collections.collection import Collection

# A query needs a worker. Without one, the database alone is shown.
STATUS_SECONDS = 5.0


async def show(output: Output, account_id: str, period: str) -> None:
    """Show one collection as the database has it, and as its workflow tells while it runs."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        records = CollectionQueries(database)
        found = await records.find(account_id, period)
        if found is None:
            raise refusal("account", "collection_exists", f"{account_id!r} has no collection for {period}")
        attempts = await records.attempts(found.request_id or "")
    status = await _status(settings, account_id, period) if found.stage == "collecting" else None
    id = collection_id(account_id, period)
    if status:
        action: NextAction | None = NextAction(
            status.next_action_at, status.is_in_review, status.review_reason, status.stage
        )
    else:
        # Where no worker answers, visibility still says what its list does.
        action = await next_action(settings, id)
    stage = COLLECTION.word(found.stage, action.stage if action else "")
    link = workflow_link(settings, id)
    output.answer(
        {
            **document(found),
            "stage": stage,
            "attempts": [{**document(row), "outcome": ATTEMPT.word(row.outcome)} for row in attempts],
            "now": _status_document(status),
            **next_document(action),
            "link": link,
        },
        table("", "Collection", id, rows=_facts(found, stage, action)),
        _attempts(attempts, found.currency),
        *_decisions(status),
        *link_line(link),
    )


async def list_page(output: Output, page: ListPage, *, state: str, run_id: str, assigned_to: str = "") -> None:
    """List a page of collections, the newest first, with what each does next."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await CollectionQueries(database).page(page, state=state, run_id=run_id, assigned_to=assigned_to)
    columns = {
        "Account": lambda row: row.account_id,
        "Period": lambda row: row.period,
        "Stage": state_word,
        "Why": lambda row: (row.reason if row.reason != row.stage else "") or row.decline_code or row.request_state,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "Open now>": lambda row: money(row.open_minor, row.currency),
        "Opened": lambda row: moment(row.opened_at),
    }
    await answer_list(
        output,
        settings,
        "collections",
        listed,
        columns,
        workflow_id=lambda row: collection_id(row.account_id, row.period),
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


def _facts(found: Row[Any], stage: str, action: NextAction | None) -> list[tuple[str, object]]:
    facts = [
        ("Stage", _ended(stage, found.reason)),
        ("Next action", f"{action}" if action else ""),
        ("Amount", money(found.amount_minor, found.currency)),
        ("Open now", money(found.open_minor, found.currency)),
        ("Run", found.run_id or ""),
        ("Dunning policy", f"{found.policy_id}, version {found.policy_version}"),
        ("Opened", moment(found.opened_at)),
        ("Closed", moment(found.closed_at)),
        ("Request", f"{found.request_id} {found.request_state}" if found.request_id else ""),
    ]
    return [(name, value) for name, value in facts if value != ""]


def _ended(stage: str, reason: str) -> str:
    """Return how a collection has ended, and why where that says more."""
    return f"{stage} {reason}".strip() if reason != stage else stage


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
            ATTEMPT.word(row.outcome),
            row.decline_code or row.code or row.gateway_reference,
            moment(row.started_at),
        )
        for row in rows
    ]
    columns = ("No.", "Cause", "Amount", "Card", "Outcome", "Why, or where", "Asked")
    return table("Attempts", *columns, rows=shown, right=("No.", "Amount"))
