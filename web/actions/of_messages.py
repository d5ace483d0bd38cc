"""Actions on segments and transactions: customers are written to by a template, as `communicate send` does it."""

from commands.console.limited import AskedAction
from commands.messages.communicating import Days, send
from commands.output import Output
from models.console.roles import Permission
from web.actions.action import Action, FormField, day_given


def days_given(first: str, last: str) -> Days:
    """Return the days of a form. Raises RefusedError (day_valid) for what is none."""
    return day_given("from", first), day_given("to", last)


async def _send(output: Output, asked: AskedAction) -> None:
    days = days_given(asked["from"], asked["to"])
    # What was shown, and a tenth more: a segment changes by the minute, and nobody writes to far more than they saw.
    shown = int(asked["shown"]) if asked["shown"].isdecimal() else 0
    at_most = shown + max(shown // 10, 1) if shown else None
    await send(
        output, asked["id"], asked["template"], (), asked.id, days,
        actor=asked.actor, reason=asked.reason, at_most=at_most, as_previewed=asked["as_previewed"] or None,
    )  # fmt: skip


async def _send_about(output: Output, asked: AskedAction) -> None:
    days = (None, None)
    await send(
        output, asked["id"], asked["template"], (asked.id,), "", days,
        actor=asked.actor, reason=asked.reason, as_previewed=asked["as_previewed"] or None,
    )  # fmt: skip


MESSAGE = Action(
    *("segments", "message", "Send", "communicate send", Permission.COMMUNICATE),
    "Each account of the segment, or each about one of its transactions, gets one letter.",
    _send,
    (
        FormField("template", "Template", "select", is_required=True),
        FormField("id", "Id", is_required=True, help="Names it: a repeat with the same id sends nothing."),
        FormField("as_previewed", "Preview"),
        FormField("from", "From", "date"),
        FormField("to", "To", "date"),
        FormField("shown", "Letters shown", "number"),
    ),
    final="Customers are written to; a letter that was sent stays sent.",
    place="/segments/{id}",
)
MESSAGE_ABOUT = Action(
    *("transactions", "message", "Send", "communicate send", Permission.COLLECT),
    "The account of the transaction gets one letter about it.",
    _send_about,
    MESSAGE.fields[:3],
    final=MESSAGE.final,
    place="/transactions/{id}",
)
ACTIONS = (MESSAGE, MESSAGE_ABOUT)
