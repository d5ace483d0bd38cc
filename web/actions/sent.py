"""What became of forms that were sent."""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from commands.console.limited import CapturedOutput
from web.actions.action import Action
from web.context import Visit
from web.views.cells import address

_REQUEST = re.compile(r"apv_[0-9a-f]{32}")
# What is under way for longer was cut off, by a process that ended or a database that was away.
_UNDER_WAY, _FILE_UNDER_WAY = timedelta(minutes=5), timedelta(hours=2)


async def show_sent(actions: Mapping[str, Action], visit: Visit) -> Response:
    """Show what became of a form that this user sent; while it is under way the page asks again by itself."""
    found = await visit.web.forms.find(visit.request.path_params["key"], visit.user.id)
    if found is None or found.action not in actions:
        raise HTTPException(404, "Nothing was done by this form: it was refused, or has never come. Open it again.")
    action = actions[found.action]
    longest = _FILE_UNDER_WAY if action.is_of_page else _UNDER_WAY
    is_cut_off = found.outcome == "begun" and datetime.now(UTC) - found.sent_at > longest
    return visit.page(
        "sent.html",
        title=action.name,
        outcome="failed" if is_cut_off else found.outcome,
        is_cut_off=is_cut_off,
        answer=found.answer.splitlines(),
        subject="the page it was sent from" if action.is_of_page else found.subject or f"the list of {action.noun}",
        back=action.place.format(id=address("", found.subject).lstrip("/"))
        or (address(action.noun, found.subject) if found.subject else f"/{action.noun}"),
        sent_at=found.sent_at,
        waits_as=_waits_as(visit, found.answer) if found.outcome == "waiting" else (),
    )


def shown_once(visit: Visit, action: Action, output: CapturedOutput) -> Response:
    """Answer with what nobody is shown again: it is on this page, and nowhere else."""
    rows = [("voucher", "code"), *output.shown_once]
    written = "".join(f"{name},{value}\n" for name, value in rows)
    return visit.page(
        "vouchers/issued.html",
        title=f"{action.name}: done",
        answer=output.lines,
        rows=output.shown_once,
        file=base64.b64encode(written.encode()).decode(),
    )


def _waits_as(visit: Visit, answer: str) -> Sequence[str]:
    """Return the requests that a form has become: its own, or those that the command's answer names."""
    return sorted(set(_REQUEST.findall(answer))) or [f"apv_{visit.request.path_params['key']}"]
