"""The pages of an event of the gateway, of a message, and of a request that another person approves."""

from starlette.responses import Response

from activities.console.approvals import Approvals
from activities.events.inbox import EventQueries
from activities.messages.queries import MessageQueries
from commands.console.approvals import TO_CHANGE, TO_GIVE, facts_of, what_of
from commands.formatting import money as money_text
from models.operations.record_states import APPROVAL, EVENT, MESSAGE
from models.problem import refusal
from web.actions.forms import links_of, links_to
from web.actions.of_approvals import DECISIONS, WITHDRAW
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


async def show_approval(visit: Visit) -> Response:
    """Show a request: what was asked for, by whom and why, until when, and what was decided and came of it."""
    id = visit.request.path_params["id"]
    found = await Approvals(visit.web.reading).find(id)
    if found is None:
        raise refusal("approval", "approval_exists", f"there is no request {id!r}")
    is_askers = found.asked_by == visit.user.id
    is_open = found.state != "approved" or (found.outcome in {"", "failed"} and found.decided_by == visit.user.id)
    noun = found.action.partition("/")[0]
    leads = {"Account": link("accounts", found.account_id)}
    leads |= {} if found.action in {TO_CHANGE, TO_GIVE} else {"Of": link(noun, found.subject)}
    is_amount = found.amount_minor is not None
    amount = f", at most {money_text(found.amount_minor, found.currency)}" if is_amount else ""
    shown = ObjectPage(
        title=found.id,
        kind="request for approval",
        state=state(APPROVAL.word(found.state)),
        sentence=f"{found.asked_by} asks to {what_of(found.action)} {found.subject}{amount}: {found.asked_because}",
        actions=links_to(visit, (WITHDRAW,) if is_askers else DECISIONS, found.id, found.state if is_open else "over"),
        facts=[(name, leads.get(name) or text(value)) for name, value in facts_of(found)],
    )
    return show_object(visit, shown)
