"""Showing the outbox, and sending again what a person has decided about."""

from typing import Any

from sqlalchemy import Row
from temporalio.common import WorkflowIDConflictPolicy

from activities.messages.queries import MessageQueries
from commands.formatting import document, moment
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import require_who_and_why
from models.listing import ListPage
from models.messages.message import MailingRequest
from models.problem import refusal
from models.workflow_ids import WORKFLOW_QUEUE, mailing_id
from workflows.messages.mailing import Mailing


async def list_page(output: Output, page: ListPage, *, state: str, account_id: str, communication: str) -> None:
    """List a page of messages, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await MessageQueries(database).page(
            page, state=state, account_id=account_id, communication=communication
        )
    columns = {
        "Message": lambda row: row.id,
        "For": lambda row: row.audience,
        "State": state_word,
        "Why": lambda row: row.reason,
        "Since": lambda row: moment(row.sent_at or row.created_at),
    }
    await answer_list(output, settings, "messages", listed, columns)


async def show(output: Output, message_id: str) -> None:
    """Show one message."""
    async with reading_database_of(read_settings()) as database:
        found = await MessageQueries(database).find(message_id)
    if found is None:
        raise refusal("message", "message_exists", f"there is no message {message_id!r}")
    output.answer(
        document(found),
        table("", "Message", message_id, rows=_facts(found)),
        table("Decisions", "What was decided", rows=[(decision,) for decision in found.decisions]),
    )


async def resend(output: Output, message_id: str, *, actor: str, reason: str) -> None:
    """Queue a message again, and start the workflow that sends it."""
    require_who_and_why(actor, reason)
    settings = read_settings()
    client = await temporal_for_orders(settings)
    async with database_of(settings) as database:
        await MessageQueries(database).resend(message_id, actor=actor, reason=reason)
    handle = await client.start_workflow(
        Mailing.run,
        MailingRequest(),
        id=mailing_id(f"resend/{message_id}"),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"resend, says {actor}",
    )
    output.answer({"message": message_id, "state": "pending", "workflow_id": handle.id}, f"{message_id} is sent again.")


def _facts(found: Row[Any]) -> list[tuple[str, object]]:
    facts = [
        ("For", found.audience),
        ("Kind", found.kind),
        ("Account", found.account_id),
        ("Period", found.period),
        ("Run", found.run_id),
        ("State", f"{found.state} {found.reason}".strip()),
        ("Written", moment(found.created_at)),
        ("Claimed", moment(found.claimed_at)),
        ("Sent", moment(found.sent_at)),
    ]
    return [(name, value) for name, value in facts if value]
