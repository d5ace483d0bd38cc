"""Out of mail that neither law nor contract requires, and back in: by the link of a letter, or signed in.

The link of a letter needs no sign-in and no second page: what a mail program posts to it opts out (RFC 8058). A GET
changes nothing, for scanners follow links. Nothing on the page says whose link it is.
"""

import re
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.portal.mail_choice import MailChoice, MailChoices
from commands.messages.communicating import allow, stop
from commands.output import Failure, Output
from web.portal.acting import ACTOR, WHY, carried_out, is_unknown, unknown
from web.portal.context import Portal, PortalVisit, reader_before
from web.portal.details import show_details
from web.portal.limits import CHANGES
from web.portal.sign_in import Endpoint
from web.portal.words import reader_of
from web.security import FormBounds, bounded_form, require_same_origin, text_of

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ONE_CLICK = ("List-Unsubscribe", "One-Click")
_FORM = FormBounds(bytes_max=4096)
_KIND = "opted_out"
_COMMANDS = {"out": ("communicate stop", stop), "in": ("communicate allow", allow)}


def choice_page(portal: Portal) -> Endpoint:
    """Return the page of a link: what its reader has chosen, with a button to choose the other."""

    async def endpoint(request: Request) -> Response:
        token = request.path_params["token"]
        choice = await MailChoices(portal.reading).of_link(token) if _TOKEN.fullmatch(token) else None
        return _answered(portal, request, choice)

    return endpoint


def choosing(portal: Portal) -> Endpoint:
    """Return what carries a choice out. A mail program's one click only opts out; back in is our own page's button.

    Requests are not counted by address: the programs of millions ask from a few. Nobody finds a link by trying.
    """

    async def endpoint(request: Request) -> Response:
        form = await bounded_form(request, _FORM)
        name, value = _ONE_CLICK
        is_one_click = text_of(form, name) == value
        if not is_one_click:
            require_same_origin(request, portal.settings.portal_url)
        wanted = "out" if is_one_click else text_of(form, "choice")
        if wanted not in _COMMANDS:
            raise HTTPException(409)
        token, how = request.path_params["token"], "one click" if is_one_click else "page of the link"
        choices = MailChoices(portal.writing)
        is_token = _TOKEN.fullmatch(token)
        choice = await choices.choose(token, is_out=wanted == "out", how=how) if is_token else None
        return _answered(portal, request, choice)

    return endpoint


async def choose(visit: PortalVisit, form: FormData) -> Response:
    """Choose as whoever is signed in, as `communicate stop` and `communicate allow` do."""
    visit.require(CHANGES, "changes")
    wanted = text_of(form, "choice")
    if wanted not in _COMMANDS:
        raise HTTPException(409)
    command, work = _COMMANDS[wanted]
    account = visit.customer.account_id

    async def chosen(output: Output) -> None:
        await work(output, account, _KIND, actor=ACTOR, reason=WHY)

    try:
        await carried_out(command, account, chosen)
    except Failure as failure:
        return await unknown(visit, show_details) if is_unknown(failure) else visit.message("not_done", 409)
    return RedirectResponse("/details?done=yes", 303)


def _answered(portal: Portal, request: Request, choice: MailChoice | None) -> Response:
    if choice is None:
        return portal.message(reader_before(request), "mail_gone", 404)
    values: dict[str, Any] = {"choice": choice, "path": request.url.path}
    return portal.page(reader_of(choice.locale), "mail/choice.html", **values)
