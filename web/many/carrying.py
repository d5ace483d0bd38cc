"""A mass action is carried out: one object after the other, each as the action on it alone, by the same use case."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Row

from activities.database import RuleBrokenError
from commands.console.limited import AskedAction
from web.actions.action import Action
from web.actions.forms import ACTIONS, carried_once
from web.context import Visit

log = structlog.get_logger(__name__)

# What takes longer goes on after the answer, which leads to the page that follows it.
_ANSWERED_WITHIN = 4.0
# After so many in a row of which nobody knows what became, a server is away: the others are not tried.
_FAILED_IN_A_ROW = 3
_UNKNOWN = "Nobody knows whether it was done: look at it before it is asked for again."


async def carry(visit: Visit, key: str) -> None:
    """Carry out what is left of a mass action, after the answer where it takes long."""

    async def all_of_it() -> None:
        try:
            await _carried(visit, key)
        except Exception as error:  # noqa: BLE001  # nobody waits for it, and what is left can be gone on with
            log.warning("mass_action_not_finished", reason=type(error).__name__)

    task = asyncio.create_task(all_of_it())
    visit.web.under_way.add(task)
    task.add_done_callback(visit.web.under_way.discard)
    await asyncio.wait({task}, timeout=_ANSWERED_WITHIN)


def item_key(key: str, subject: str) -> str:
    """Return the form's key of one object, by which it is carried out once, however often the whole is gone on with."""
    return hashlib.sha256(f"{key}/{subject}".encode()).hexdigest()[:32]


async def _carried(visit: Visit, key: str) -> None:
    kept = visit.web.mass_actions
    found = await kept.find(key)
    if found is None:
        return
    action, failed = ACTIONS[found.action], 0
    for item in await kept.items(key):
        if item.outcome != "left":
            continue
        # Whoever took it over, or closed it, does the rest of it, or nobody does.
        now = await kept.find(key)
        if now is None or now.turn != found.turn:
            return
        # Who was disabled meanwhile, or is something else by now, does no more of it.
        user = await visit.web.users.now(visit.user.id)
        if user is None or user.merchants or not user.may(action.permission):
            await kept.stop(key, f"{visit.user.id} may not do this any more.")
            return
        outcome, answer = await _one(replace(visit, user=user), action, found, item.subject)
        await kept.end_item(key, item.position, outcome, "\n".join(answer))
        failed = failed + 1 if outcome == "failed" else 0
        if failed == _FAILED_IN_A_ROW:
            await kept.stop(key, f"Nobody knows what became of {failed} in a row: the others were not tried.")
            return


async def _one(visit: Visit, action: Action, of: Row[tuple[object, ...]], subject: str) -> tuple[str, Sequence[str]]:
    """Carry the action out on one object; return its outcome and answer."""
    asked = AskedAction(subject, visit.user.id, of.reason, item_key(of.key, subject), of.fields)
    try:
        refused = await carried_once(visit, action, asked)
    except RuleBrokenError as broken:
        # It was under way when the process of somebody else ended, and is not done a second time.
        if broken.type != "form_is_one":
            raise
        return "failed", [_UNKNOWN]
    if refused:
        return "refused", refused
    form = await visit.web.forms.find(asked.key, visit.user.id)
    if form is None or form.outcome == "begun":
        return "failed", [_UNKNOWN]
    return form.outcome, form.answer.splitlines()
