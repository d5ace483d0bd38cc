"""A mass action that was sent: followed to what became of each object, gone on with, and closed."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from activities.reports.text_files import safe_text
from web.actions.action import Action
from web.actions.forms import ACTIONS
from web.context import Visit
from web.many.carrying import carry
from web.many.listed import OUTCOMES
from web.views.cells import Cell, Column, link, table_of, text
from web.views.listing import csv_line

_KEY = re.compile(r"[0-9a-f]{32}")
_ENDED = "The process that carried it out has ended."


async def show_sent_many(visit: Visit) -> Response:
    """Show what became of each object; while it is under way the page asks again by itself."""
    found, action, items = await _sent(visit)
    counts = Counter(one.outcome for one in items)
    columns = (
        Column("Object", lambda row: link(action.noun, row.subject)),
        Column("Became", lambda row: _outcome(row.outcome)),
        Column("Answer", lambda row: text(_answer(row.answer))),
    )
    labels = {one.name: one.label for one in action.fields}
    return visit.page(
        "many/sent.html",
        title=f"{action.name}: {len(items)} chosen",
        found=found,
        given=[(labels[name], value) for name, value in found.fields.items() if value and name in labels],
        is_over=found.state == "over",
        stopped=(found.stopped_because or _ENDED) if found.state == "stopped" else "",
        may=visit.user.may(action.permission),
        needs_look=found.closed_at is None and counts["failed"] > 0,
        ended=len(items) - counts["left"],
        count=len(items),
        counts=[(words, counts[outcome]) for outcome, words in OUTCOMES.items() if counts[outcome]],
        table=table_of("What became of each", columns, items),
        back=f"/{action.noun}",
    )


async def go_on(visit: Visit, form: FormData) -> Response:
    """Go on with what is left of a mass action that has stopped, or whose process has ended, as whoever asks for it."""
    del form
    found, action, _ = await _sent(visit)
    _require(visit, action)
    if await visit.web.mass_actions.take_over(found.key, visit.user.id):
        await carry(visit, found.key)
    return RedirectResponse(f"/many/sent/{found.key}", 303)


async def close_many(visit: Visit, form: FormData) -> Response:
    """Drop what is left, and keep that somebody has looked at what became of the others."""
    del form
    found, action, _ = await _sent(visit)
    _require(visit, action)
    await visit.web.mass_actions.close(found.key, visit.user.id)
    return RedirectResponse(f"/many/sent/{found.key}", 303)


async def export_sent_many(visit: Visit) -> Response:
    """Write what became of each object, as CSV."""
    found, action, items = await _sent(visit)
    lines = [csv_line(["Object", "Action", "Outcome", "Ended", "Answer"])]
    for one in items:
        ended = one.ended_at.isoformat() if one.ended_at else ""
        values = (one.subject, action.command, one.outcome, ended, _answer(one.answer))
        lines.append(csv_line([safe_text(value) for value in values]))
    name = f"{action.noun}-{action.verb}-{found.key[:8]}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response("".join(lines), media_type="text/csv; charset=utf-8", headers=headers)


async def _sent(visit: Visit) -> tuple[Any, Action, Sequence[Any]]:
    key = visit.request.path_params["key"]
    found = await visit.web.mass_actions.find(key) if _KEY.fullmatch(key) else None
    if found is None or found.action not in ACTIONS:
        raise HTTPException(404)
    return found, ACTIONS[found.action], await visit.web.mass_actions.items(key)


def _require(visit: Visit, action: Action) -> None:
    if not visit.user.may(action.permission):
        raise HTTPException(403, f"{visit.user.id} is {visit.user.role}, which does not allow this.")


def _answer(kept: str) -> str:
    """Return what was answered in a line; where the workflow is to be seen stands on its object's page."""
    lines = [line.removeprefix("Answer: ") for line in kept.splitlines() if not line.startswith("Temporal UI: ")]
    return " ".join(" ".join(lines).split())


def _outcome(outcome: str) -> Cell:
    tone = {"done": "good", "refused": "bad", "failed": "bad"}.get(outcome, "waits")
    return Cell(OUTCOMES[outcome], tone=tone, exported=outcome)
