"""Showing the inbox of events, and delivering again what a person has decided about."""

from typing import Any

from sqlalchemy import Row

from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox, EventQueries
from commands.formatting import document, moment
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import require_who_and_why
from models.listing import ListPage
from models.problem import refusal
from workflows.events.targets import target_of


async def list_page(output: Output, page: ListPage, *, state: str, type_: str) -> None:
    """List a page of events, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await EventQueries(database).page(page, state=state, type_=type_)
    columns = {
        "Event": lambda row: row.id,
        "Type": lambda row: row.type,
        "About": lambda row: row.object_id,
        "State": state_word,
        "Why": lambda row: row.reason,
        "Since": lambda row: moment(row.created_at),
        "Next": lambda row: moment(row.next_try_at) if row.state == "waiting" else "",
    }
    await answer_list(output, settings, "events", listed, columns)


async def show(output: Output, event_id: str) -> None:
    """Show one event."""
    async with reading_database_of(read_settings()) as database:
        found = await EventQueries(database).find(event_id)
    if found is None:
        raise refusal("event", "event_exists", f"there is no event {event_id!r}")
    output.answer(
        document(found),
        table("", "Event", event_id, rows=_facts(found)),
        table("Decisions", "What was decided", rows=[(decision,) for decision in found.decisions]),
    )


async def replay(output: Output, event_id: str, *, actor: str, reason: str) -> None:
    """Let an event wait again, and deliver what waits."""
    require_who_and_why(actor, reason)
    settings = read_settings()
    client = await temporal_for_orders(settings)
    async with database_of(settings) as database:
        records = EventQueries(database)
        await records.replay(event_id, actor=actor, reason=reason)
        waiting = await records.find(event_id)
        provider = waiting.provider_id if waiting else settings.provider
        await EventDelivery(EventInbox(database, provider), client, target_of).deliver_waiting()
        found = await records.find(event_id)
    state = found.state if found else ""
    outcome = "was delivered again" if state == "delivered" else "waits for what it is about"
    output.answer({"event": event_id, "state": state}, f"{event_id} {outcome}.")


def _facts(found: Row[Any]) -> list[tuple[str, object]]:
    facts = [
        ("Type", found.type),
        ("Subject", found.subject),
        ("About", found.object_id),
        ("Mentions", ", ".join(found.mentions)),
        ("Request", found.request_id),
        ("Account", found.account_id),
        ("Merchant's account", found.gateway_account),
        ("Came by", found.channel),
        ("State", f"{found.state} {found.reason}".strip()),
        ("Happened", moment(found.created_at)),
        ("Received", moment(found.received_at)),
        ("Tries", found.tries),
        ("Next try", moment(found.next_try_at) if found.state == "waiting" else ""),
        ("Delivered", moment(found.delivered_at)),
    ]
    return [(name, value) for name, value in facts if value]
