"""The pages of an event of the gateway and of a message."""

from starlette.responses import Response

from activities.events.inbox import EventQueries
from activities.messages.queries import MessageQueries
from models.operations.record_states import EVENT, MESSAGE
from models.problem import refusal
from web.actions.forms import links_of
from web.context import Visit
from web.views.cells import link, moment, state, text
from web.views.objects import ObjectPage, show_object, stripe


async def show_event(visit: Visit) -> Response:
    """Show an event: what it is about, and whether its workflow was signalled."""
    id = visit.request.path_params["id"]
    found = await EventQueries(visit.web.reading).find(id)
    if found is None:
        raise refusal("event", "event_exists", f"there is no event {id!r}")
    shown = ObjectPage(
        title=found.id,
        kind=found.type,
        state=state(EVENT.word(found.state)),
        actions=links_of(visit, "events", found.id, found.state),
        facts=(
            ("About", text(found.object_id)),
            ("Subject", text(found.subject)),
            ("Mentions", text(", ".join(found.mentions))),
            ("Account", link("accounts", found.account_id)),
            ("Payment", text(found.request_id)),
            ("Why", text(found.reason)),
            ("Came by", text(found.channel)),
            ("Happened", moment(found.created_at)),
            ("Received", moment(found.received_at)),
            ("Tries", text(found.tries)),
            ("Next try", moment(found.next_try_at) if found.state == "waiting" else text("")),
            ("Delivered", moment(found.delivered_at)),
            ("Decisions", text("\n".join(found.decisions))),
        ),
        links=(stripe(visit, found.id),),
    )
    return show_object(visit, shown)


async def show_message(visit: Visit) -> Response:
    """Show a message: for whom, about what, and whether the mail server took it."""
    id = visit.request.path_params["id"]
    found = await MessageQueries(visit.web.reading).find(id)
    if found is None:
        raise refusal("message", "message_exists", f"there is no message {id!r}")
    shown = ObjectPage(
        title=found.id,
        kind=f"message, {found.kind.replace('_', ' ')}",
        state=state(MESSAGE.word(found.state)),
        actions=links_of(visit, "messages", found.id, found.state),
        facts=(
            ("For", text(found.audience)),
            ("Account", link("accounts", found.account_id)),
            ("Period", text(found.period)),
            ("Run", link("runs", found.run_id)),
            ("Why", text(found.reason)),
            ("Written", moment(found.created_at)),
            ("Claimed", moment(found.claimed_at)),
            ("Sent", moment(found.sent_at)),
            ("Decisions", text("\n".join(found.decisions))),
        ),
    )
    return show_object(visit, shown)
