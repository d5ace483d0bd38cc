"""The two requests of a sign-in by a provider of identities: on the way there, and back."""

import hmac

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.events.link_limits import client_of
from web.context import Web
from web.identity_provider import BegunSignIn, IdentityError, IdentityProvider
from web.sign_in import Endpoint, begun, cookie_name, cookie_rules, sign_in_answer

log = structlog.get_logger(__name__)

# Whoever takes longer begins again.
_MINUTES = 10


def leaving(web: Web, provider: IdentityProvider) -> Endpoint:
    """Return what leads to the provider."""

    async def endpoint(request: Request) -> Response:
        try:
            place, kept = await provider.begin(request.query_params.get("to", "/"))
        except IdentityError as error:
            return _away(web, error)
        response = RedirectResponse(place, 303)
        response.set_cookie(_cookie(web), kept.packed(), max_age=60 * _MINUTES, **cookie_rules(web))
        return response

    return endpoint


def coming_back(web: Web, provider: IdentityProvider) -> Endpoint:
    """Return what signs in whoever comes back, if they began here and are a user."""

    async def endpoint(request: Request) -> Response:
        kept = BegunSignIn.unpacked(request.cookies.get(_cookie(web), ""))
        asked, address = request.query_params, client_of(request)
        if kept is None or not hmac.compare_digest(kept.state.encode(), asked.get("state", "").encode()):
            raise HTTPException(403, "This sign-in was not begun here, or too long ago: begin again.")
        if not web.limits.allows("", address):
            return sign_in_answer(web, to=kept.to, problem="limited", status=429)
        try:
            name = await provider.name_of(asked.get("code", ""), kept)
        except IdentityError as error:
            return _away(web, error)
        if not await web.users.known(name):
            await web.users.note(name, "oidc", "unknown_user", address)
            return sign_in_answer(web, to=kept.to, problem="no_access", status=403)
        response = await begun(web, request, await web.users.started(name, "oidc", address), kept.to)
        response.delete_cookie(_cookie(web), **cookie_rules(web))
        return response

    return endpoint


def _cookie(web: Web) -> str:
    return f"{cookie_name(web)}-provider"


def _away(web: Web, error: IdentityError) -> Response:
    log.warning("identity_provider_failed", reason=str(error))
    return sign_in_answer(web, to="/", problem="provider", status=502)
