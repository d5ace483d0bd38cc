"""Signing in and out, and the cookie that says who asks."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from activities.events.link_limits import client_of
from models.console.roles import Permission
from web.context import Visit, Web
from web.merchant_scope import require_scope
from web.passkeys import RelyingParty
from web.security import FORM, FormBounds, form_of, has_token, text_of
from web.unsent.forms import unsent_page

Endpoint = Callable[[Request], Awaitable[Response]]
Page = Callable[[Visit], Awaitable[Response]]
Sent = Callable[[Visit, FormData], Awaitable[Response]]

# A longer name or password is nobody's, nor is a name that cannot be printed.
_LENGTH_MAX = 256
_SEE_OTHER = 303


def cookie_name(web: Web) -> str:
    """Return the name of the cookie: over https one that a browser sends to this host alone, and never in the open."""
    return "__Host-duly-console" if web.settings.is_console_encrypted else "duly-console"


def signed_in(web: Web, page: Page, permission: Permission = Permission.SEE, *, is_used: bool = True) -> Endpoint:
    """Return an endpoint that answers whoever is signed in and may see it; others are led to the sign-in.

    What an open page asks for by itself, such as how far something has come, does not use the session, which ends when
    nobody else does.
    """

    async def endpoint(request: Request) -> Response:
        # Nothing that a person does is sent by htmx.
        by_itself = request.headers.get("hx-request") == "true"
        visit = await _visit(web, request, is_used=is_used and not by_itself)
        if visit is None:
            if request.headers.get("hx-request"):
                return Response(status_code=401, headers={"hx-redirect": "/sign-in"})
            return RedirectResponse(f"/sign-in?to={quote(_way(request), safe='')}", _SEE_OTHER)
        await _require(visit, permission)
        return await page(visit)

    return endpoint


def sent_form(
    web: Web,
    carried_out: Sent,
    permission: Permission = Permission.SEE,
    bounds: FormBounds = FORM,
    *,
    again: Sent | None = None,
) -> Endpoint:
    """Return an endpoint for a form of our own pages.

    One of a session that is over is not carried out; what was typed comes back with the answer. `again` shows the form
    as it was filled in to whoever is signed in by now; without it, what would be sent is listed.
    """

    async def endpoint(request: Request) -> Response:
        form = await form_of(request, web.settings.console_url, bounds)
        try:
            visit = await _visit(web, request)
            if visit is None and carried_out is sign_out:
                return RedirectResponse("/sign-in", _SEE_OTHER)
            if visit is None:
                return HTMLResponse(web.pages.render("unsent/form.html", **unsent_page(request, form)), 401)
            await _require(visit, permission)
            if not has_token(form, visit.form_token):
                if again is not None:
                    return await again(visit, form)
                return visit.page("unsent/form.html", 403, **unsent_page(request, form))
            return await carried_out(visit, form)
        finally:
            await form.close()

    return endpoint


def sign_in_page(web: Web) -> Endpoint:
    """Return the page on which somebody signs in."""

    async def endpoint(request: Request) -> Response:
        if await _visit(web, request):
            return RedirectResponse(_safe(request.query_params.get("to", "/")), _SEE_OTHER)
        return sign_in_answer(web, to=request.query_params.get("to", "/"))

    return endpoint


def signing_in(web: Web) -> Endpoint:
    """Return what carries a sign-in out. Whatever is wrong is answered alike."""

    async def endpoint(request: Request) -> Response:
        form = await form_of(request, web.settings.console_url)
        user, to, address = text_of(form, "user").lower(), text_of(form, "to"), client_of(request)
        password = str(form.get("password", ""))
        if len(user) > _LENGTH_MAX or len(password) > _LENGTH_MAX or not user.isprintable():
            return sign_in_answer(web, to=to, problem="wrong", status=422)
        if not web.limits.allows(user, address):
            await web.users.note(user, "password", "limited", address)
            return sign_in_answer(web, to=to, problem="limited", status=429)
        token = await web.users.signed_in(user, password, address)
        if not token:
            return sign_in_answer(web, to=to, problem="wrong", status=422)
        return await begun(web, request, token, to)

    return endpoint


async def begun(web: Web, request: Request, token: str, to: str) -> Response:
    """Lead on with a session's cookie; the session that this browser had until now is over."""
    if before := request.cookies.get(cookie_name(web), ""):
        await web.users.end(before, client_of(request))
    response = RedirectResponse(_safe(to), _SEE_OTHER)
    response.set_cookie(cookie_name(web), token, **cookie_rules(web))
    return response


async def sign_out(visit: Visit, _form: FormData) -> Response:
    """End the session."""
    await visit.web.users.end(visit.token, client_of(visit.request))
    response = RedirectResponse("/sign-in", _SEE_OTHER)
    response.delete_cookie(cookie_name(visit.web), **cookie_rules(visit.web))
    return response


async def _visit(web: Web, request: Request, *, is_used: bool = True) -> Visit | None:
    token = request.cookies.get(cookie_name(web), "")
    user = await web.users.of_session(token, is_used=is_used) if token else None
    return Visit(web, request, user, token) if user else None


async def _require(visit: Visit, permission: Permission) -> None:
    if not visit.user.may(permission):
        raise HTTPException(403, f"{visit.user.id} is {visit.user.role}, which does not allow this.")
    await require_scope(visit.web.reading, visit.user, visit.request)


def cookie_rules(web: Web) -> dict[str, Any]:
    """Return for whom a cookie is: this host, no script, and links that lead here."""
    # Lax: a link in a message leads to the page that it names; Strict would lose who comes from another site.
    return {"path": "/", "secure": web.settings.is_console_encrypted, "httponly": True, "samesite": "lax"}


def sign_in_answer(web: Web, *, to: str, problem: str = "", status: int = 200) -> Response:
    """Answer with the page on which somebody signs in, and what is wrong."""
    text = web.pages.render(
        "sign_in.html",
        to=_safe(to),
        problem=problem,
        has_provider=bool(web.settings.console_oidc_issuer),
        has_passkeys=RelyingParty(web.settings.console_url).is_possible,
    )
    return HTMLResponse(text, status, headers={"retry-after": "60"} if status == 429 else None)


def _way(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _safe(to: str) -> str:
    """Return a path of ours to go on to; whatever else it is, the first page."""
    is_path = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if is_path else "/"
