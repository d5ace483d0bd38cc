"""A message to a segment: a template is chosen, what it would do and say is shown, and it is sent once."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from activities.configuration.segment_queries import SegmentQueries
from activities.database import DatabaseUnavailableError
from activities.messages.communications import CommunicationPreview, Communications
from commands.console.limited import AskedAction
from commands.messages.communicating import asked_of, renderer_of
from models.problem import RefusedError
from web.actions.forms import carried_once, problems_of, require_key
from web.actions.of_messages import MESSAGE, days_given
from web.context import Visit
from web.messages.segments import PAGE_SECONDS
from web.security import text_of
from web.views.cells import address

_GIVEN = ("template", "from", "to", "member")
_ID_LENGTH = 64
_TOO_LONG = (
    "It takes too long to try it out on a page: `duly communicate preview` shows it, and `communicate send` sends."
)


@dataclass(frozen=True)
class _Written:
    """What was given on the page before, what is wrong with it, and the key of its form."""

    given: Mapping[str, str]
    id: str = ""
    reason: str = ""
    problems: Sequence[str] = ()
    key: str = field(default_factory=lambda: secrets.token_hex(16))


async def show_message_form(visit: Visit) -> Response:
    """Show the templates to choose from, and of a chosen one whom it would reach, and what a member would read."""
    asked = visit.request.query_params
    return await _page(visit, _Written({name: asked.get(name, "").strip() for name in _GIVEN}))


async def send_message(visit: Visit, form: FormData) -> Response:
    """Write to everybody in a segment, once by the form's key and the communication's id."""
    fields = {one.name: text_of(form, one.name) for one in MESSAGE.fields}
    asked = AskedAction(
        *(visit.request.path_params["id"], visit.user.id, text_of(form, "reason"), text_of(form, "key"), fields)
    )
    require_key(asked.key)
    problems: Sequence[object] = problems_of(MESSAGE, asked) or await carried_once(visit, MESSAGE, asked)
    if problems:
        given = {name: fields.get(name, text_of(form, name)) for name in _GIVEN}
        shown = _Written(given, fields["id"], asked.reason, [str(one) for one in problems], asked.key)
        return await _page(visit, shown)
    return RedirectResponse(f"/sent/{asked.key}", 303)


async def _page(visit: Visit, written: _Written) -> Response:
    segment = await SegmentQueries(visit.web.reading).require(visit.request.path_params["id"])
    given, problems = written.given, list(written.problems)
    found: CommunicationPreview | None = None
    if given["template"]:
        try:
            found = await _tried(visit, segment, given)
        except RefusedError as refused:
            problems += [str(one) for one in refused.problems if str(one) not in problems]
        except DatabaseUnavailableError:
            problems.append(_TOO_LONG)
    return visit.page(
        "segments/message.html",
        422 if problems else 200,
        title=f"Message to {segment.name}",
        segment=segment,
        back=address("segments", segment.id),
        given=given,
        templates=await Communications(visit.web.reading).templates(segment.about),
        action=MESSAGE,
        problems=problems,
        found=found,
        letter=found.letters[0] if found and found.letters else None,
        id=written.id or _suggested(segment.id),
        reason=written.reason,
        key=written.key,
    )


async def _tried(visit: Visit, segment: Row[Any], given: Mapping[str, str]) -> CommunicationPreview:
    days = days_given(given["from"], given["to"])
    async with visit.web.reports.of(visit.user.id):
        asked = await asked_of(visit.web.reading, given["template"], (), segment.id, days, member=given["member"])
        return await Communications(visit.web.reading).preview(
            asked.order,
            asked.template,
            renderer_of(visit.web.settings),
            limit=1,
            member=asked.member,
            seconds=PAGE_SECONDS,
        )


def _suggested(segment_id: str) -> str:
    """Return an id to begin with: the segment and the day."""
    day = f"-{datetime.now(UTC).date()}"
    return segment_id[: _ID_LENGTH - len(day)] + day
