"""Into the portal by a link that was mailed, and out again."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.database import DatabaseUnavailableError, SchemaMismatchError
from activities.events.link_limits import client_of
from commands.portal.access import start_mailing
from commands.runner import translated
from web.context import form_token
from web.portal.context import Portal, PortalVisit, reader_before
from web.portal.limits import ENTRIES
from web.portal.words import Reader
from web.security import form_of, has_token, text_of
from web.unsent.forms import kept_fields, typed_texts

log = structlog.get_logger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
PortalPage = Callable[[PortalVisit], Awaitable[Response]]
PortalForm = Callable[[PortalVisit, FormData], Awaitable[Response]]

_SEE_OTHER = 303
_EMAIL_MAX = 254
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_KEY = re.compile(r"[0-9a-f]{32}")


def of_session(portal: Portal, page: PortalPage) -> Endpoint:
    """Return an endpoint for a customer who is signed in; others are led to the sign-in."""

    async def endpoint(request: Request) -> Response:
        visit = await visit_of(portal, request)
        return await page(visit) if visit else RedirectResponse("/sign-in", _SEE_OTHER)

    return endpoint


def sent(portal: Portal, carried_out: PortalForm) -> Endpoint:
    """Return an endpoint for a form of a page of the session.

    One of a session that is over is not carried out: what was typed comes back with the answer, to be sent again.
    """

    async def endpoint(request: Request) -> Response:
        form = await form_of(request, portal.settings.portal_url)
        visit = await visit_of(portal, request)
        if visit is None and carried_out is sign_out:
            return RedirectResponse("/sign-in", _SEE_OTHER)
        if visit is None:
            reader = reader_before(request)
            return portal.page(reader, "unsent/form.html", 401, **_unsent(request, form, reader))
        if not has_token(form, form_token(visit.token)):
            return visit.page("unsent/form.html", 403, **_unsent(request, form, visit.reader))
        return await carried_out(visit, form)

    return endpoint


def _unsent(request: Request, form: FormData, reader: Reader) -> dict[str, Any]:
    labels = {f"field_{name}": value for name, value in typed_texts(form)} | {"voucher_code": text_of(form, "code")}
    return {
        "to": request.url.path,
        "fields": kept_fields(form),
        "typed": [(reader.text(label), value) for label, value in labels.items() if value and reader.has(label)],
    }


def ask_page(portal: Portal) -> Endpoint:
    """Return the page on which a link is asked for."""

    async def endpoint(request: Request) -> Response:
        return portal.page(reader_before(request), "sign_in.html", problem="")

    return endpoint


def link_request(portal: Portal) -> Endpoint:
    """Return what lets a link be mailed. Known and unknown addresses are answered alike, and as quickly."""

    async def endpoint(request: Request) -> Response:
        form = await form_of(request, portal.settings.portal_url)
        reader, email = reader_before(request), text_of(form, "email").lower()
        if not ("@" in email[1:-1] and len(email) <= _EMAIL_MAX and email.isprintable() and " " not in email):
            return portal.page(reader, "sign_in.html", 422, problem=reader.text("no_address"))
        if not portal.limits.may_mail(email, client_of(request)):
            return portal.message(reader, "too_often", 429)
        answer = portal.message(reader, "asked")
        # After the answer: what it takes to look for an address and to write to it tells nobody anything.
        answer.background = BackgroundTask(_mail, portal, email)
        return answer

    return endpoint


def entry_page(portal: Portal) -> Endpoint:
    """Return the page behind a link. It looks nothing up and uses nothing up: mail scanners open every link."""

    async def endpoint(request: Request) -> Response:
        key = secrets.token_hex(16)
        return portal.page(reader_before(request), "enter.html", action=request.url.path, key=key)

    return endpoint


def entering(portal: Portal) -> Endpoint:
    """Return what begins a session by a link. Wrong, old and used links are answered alike.

    A button that is pressed twice begins two sessions: the browser keeps the answer to the second, and must be let in.
    """

    async def endpoint(request: Request) -> Response:
        form = await form_of(request, portal.settings.portal_url)
        reader, link = reader_before(request), request.path_params["token"]
        if not portal.limits.allows(ENTRIES, "entries", client_of(request)):
            return portal.message(reader, "too_often", 429)
        page = text_of(form, "key") if _KEY.fullmatch(text_of(form, "key")) else ""
        token = await portal.access.started(link, page) if _TOKEN.fullmatch(link) else ""
        if not token:
            return portal.message(reader, "link_over", 404)
        response = RedirectResponse("/", _SEE_OTHER)
        response.set_cookie(cookie_name(portal), token, **_cookie_rules(portal))
        return response

    return endpoint


async def sign_out(visit: PortalVisit, form: FormData) -> Response:
    """End the session, or all sessions of the account."""
    portal = visit.portal
    if text_of(form, "everywhere"):
        await portal.access.end_all(visit.customer.account_id)
    else:
        await portal.access.end(visit.token)
    response = RedirectResponse("/sign-in", _SEE_OTHER)
    response.delete_cookie(cookie_name(portal), **_cookie_rules(portal))
    return response


def cookie_name(portal: Portal) -> str:
    """Return the name of the cookie: over https one that a browser sends to this host alone."""
    return "__Host-duly-portal" if portal.settings.is_portal_encrypted else "duly-portal"


async def visit_of(portal: Portal, request: Request) -> PortalVisit | None:
    """Return the visit of whoever is signed in, or None."""
    token = request.cookies.get(cookie_name(portal), "")
    customer = await portal.access.of_session(token) if token else None
    return PortalVisit(portal, request, customer, token) if customer else None


def _cookie_rules(portal: Portal) -> dict[str, Any]:
    # Lax: whoever comes back from the gateway's page is still signed in.
    return {"path": "/", "secure": portal.settings.is_portal_encrypted, "httponly": True, "samesite": "lax"}


async def _mail(portal: Portal, email: str) -> None:
    """Write the messages, and let them be sent; what stays in the outbox the supervisor sends within the hour."""
    try:
        if accounts := await portal.access.ask(email):
            await translated(start_mailing(accounts))
    except (DatabaseUnavailableError, SchemaMismatchError) as error:
        log.warning("portal_link_not_written", reason=type(error).__name__)
    except Exception as error:  # noqa: BLE001  # the answer is out, and an address must not get into a traceback
        log.warning("portal_link_waits", reason=type(error).__name__)
