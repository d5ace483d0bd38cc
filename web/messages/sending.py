"""A message to a segment or about one transaction: a template is chosen, its text is shown, and it is sent once."""

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from activities.configuration.segment_queries import SegmentQueries
from activities.database import DatabaseUnavailableError
from activities.ledger.transaction_queries import TransactionQueries
from activities.messages.communications import CommunicationPreview, Communications
from commands.console.limited import AskedAction
from commands.messages.communicating import asked_of, renderer_of
from models.messages.communication import About
from models.problem import RefusedError, refusal
from web.actions.action import Action, problems_of
from web.actions.forms import carried_once, require_key
from web.actions.of_messages import MESSAGE, MESSAGE_ABOUT, days_given
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
class MessageSubject:
    """What is written about: a segment, or one transaction; `name` is how the id of a communication begins."""

    id: str
    name: str
    title: str
    kind: str
    about: About
    action: Action

    @property
    def back(self) -> str:
        """The address of its page."""
        return address(self.action.noun, self.id)


@dataclass(frozen=True)
class _Written:
    """What was given on the page before, what is wrong with it, and the key of its form."""

    given: Mapping[str, str]
    id: str = ""
    reason: str = ""
    problems: Sequence[str] = ()
    key: str = field(default_factory=lambda: secrets.token_hex(16))


async def segment_subject(visit: Visit) -> MessageSubject:
    """Return the segment of an address. Raises RefusedError: there is none."""
    found = await SegmentQueries(visit.web.reading).require(visit.request.path_params["id"])
    about = About(found.about)
    return MessageSubject(found.id, found.id, f"Message to {found.name}", f"segment of {about}", about, MESSAGE)


async def transaction_subject(visit: Visit) -> MessageSubject:
    """Return the posted transaction of an address. Raises RefusedError: there is none, or nobody may be written to."""
    found = await TransactionQueries(visit.web.reading).require(visit.request.path_params["id"])
    if found.posted_on is None:
        raise refusal("about", "posted_only", f"{found.reference_number} is not posted: nobody is written to about it")
    number = found.number or found.reference_number
    kind = found.classification.replace("_", " ")
    name = re.sub(r"[^a-z0-9._-]+", "-", number.lower()).strip("._-") or "transaction"
    return MessageSubject(found.id, name, f"Message about {number}", kind, About.TRANSACTIONS, MESSAGE_ABOUT)


Find = Callable[[Visit], Awaitable[MessageSubject]]


async def show_message_form(find: Find, visit: Visit) -> Response:
    """Show the templates to choose from, and of a chosen one whom it would reach, and what a member would read."""
    asked = visit.request.query_params
    given = {name: asked.get(name, "").strip() for name in _GIVEN}
    return await _page(visit, await find(visit), _Written(given))


async def send_message(find: Find, visit: Visit, form: FormData) -> Response:
    """Write to everybody whom it is for, once by the form's key and the communication's id."""
    subject = await find(visit)
    action = subject.action
    fields = {one.name: text_of(form, one.name) for one in action.fields}
    asked = AskedAction(subject.id, visit.user.id, text_of(form, "reason"), text_of(form, "key"), fields)
    require_key(asked.key)
    problems: Sequence[object] = problems_of(action, asked) or await carried_once(visit, action, asked)
    if problems:
        given = {name: fields.get(name, text_of(form, name)) for name in _GIVEN}
        shown = _Written(given, fields["id"], asked.reason, [str(one) for one in problems], asked.key)
        return await _page(visit, subject, shown)
    return RedirectResponse(f"/sent/{asked.key}", 303)


async def _page(visit: Visit, subject: MessageSubject, written: _Written) -> Response:
    given, problems = written.given, list(written.problems)
    found: CommunicationPreview | None = None
    basis = ""
    if given["template"]:
        try:
            found, basis = await _tried(visit, subject, given)
        except RefusedError as refused:
            problems += [str(one) for one in refused.problems if str(one) not in problems]
        except DatabaseUnavailableError:
            problems.append(_TOO_LONG)
    return visit.page(
        "segments/message.html",
        422 if problems else 200,
        title=subject.title,
        subject=subject,
        back=subject.back,
        is_of_segment=subject.action is MESSAGE,
        given=given,
        templates=await Communications(visit.web.reading).templates(subject.about),
        action=subject.action,
        problems=problems,
        found=found,
        basis=basis,
        letter=found.letters[0] if found and found.letters else None,
        id=written.id or _suggested(subject.name),
        reason=written.reason,
        key=written.key,
    )


async def _tried(visit: Visit, subject: MessageSubject, given: Mapping[str, str]) -> tuple[CommunicationPreview, str]:
    is_segment = subject.action is MESSAGE
    days = days_given(given["from"], given["to"])
    numbers, segment = ((), subject.id) if is_segment else ((subject.id,), "")
    async with visit.web.reports.of(visit.user.id):
        asked = await asked_of(
            visit.web.reading, given["template"], numbers, segment, days, member=given["member"] if is_segment else ""
        )
        found = await Communications(visit.web.reading).preview(
            asked.order,
            asked.template,
            renderer_of(visit.web.settings),
            limit=1,
            member=asked.member,
            seconds=PAGE_SECONDS,
        )
        return found, asked.basis


def _suggested(name: str) -> str:
    """Return an id to begin with: what is written about, and the day."""
    day = f"-{datetime.now(UTC).date()}"
    return name[: _ID_LENGTH - len(day)] + day
