"""Signing in by a passkey, and the page on which somebody registers and removes theirs."""

import structlog
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from activities.database import RuleBrokenError
from activities.events.link_limits import client_of
from models.card_number import REFUSED, holds_card_number
from models.printable import is_one_line
from web.context import Visit, Web
from web.passkeys import (
    PasskeyAnswer,
    PasskeyAnswerError,
    RelyingParty,
    answer_of,
    is_synced,
    new_challenge,
)
from web.security import form_of, require_same_origin, text_of
from web.sign_in import Endpoint, begun, sign_in_answer

log = structlog.get_logger(__name__)

NAME_MAX = 60
_METHOD = "passkey"
_ID_MAX = 1023


def beginning(web: Web) -> Endpoint:
    """Return what begins a sign-in by a passkey."""

    async def endpoint(request: Request) -> Response:
        require_same_origin(request, web.settings.console_url)
        party = _party(web)
        if not web.limits.allows_beginning(client_of(request)):
            return _refused("Too many attempts. Try again in a minute.", 429)
        await web.passkeys.begin(challenge := new_challenge())
        return _options(party.sign_in(challenge))

    return endpoint


def completing(web: Web) -> Endpoint:
    """Return what signs in whoever's device has signed. Whatever is wrong is answered alike."""

    async def endpoint(request: Request) -> Response:
        form = await form_of(request, web.settings.console_url)
        party, to, address = _party(web), text_of(form, "to"), client_of(request)
        try:
            answer = answer_of(text_of(form, "credential"))
        except PasskeyAnswerError:
            return sign_in_answer(web, to=to, problem=_METHOD, status=422)
        if not web.limits.allows(answer.credential_id[:_ID_MAX].hex(), address):
            await web.users.note("", _METHOD, "limited", address)
            return sign_in_answer(web, to=to, problem="limited", status=429)
        user, outcome = await _judged(web, party, answer)
        if outcome:
            await web.users.note(user, _METHOD, outcome, address)
            return sign_in_answer(web, to=to, problem=_METHOD, status=422)
        return await begun(web, request, await web.users.started(user, _METHOD, address), to)

    return endpoint


async def show_passkeys(visit: Visit) -> Response:
    """Show somebody's own passkeys."""
    return await _page(visit)


async def registering(visit: Visit, form: FormData) -> Response:
    """Begin to register a passkey: the password is asked for again unless the session has just begun."""
    web, user = visit.web, visit.user.id
    party, address = _party(web), client_of(visit.request)
    if not await web.passkeys.is_fresh(visit.token):
        if not web.limits.allows(user, address):
            await web.users.note(user, "password", "limited", address)
            return _refused("Too many attempts. Try again in a minute.", 429)
        password = str(form.get("password", ""))
        if not await web.users.has_password(user, password):
            await web.users.note(user, "password", "wrong", address)
            return _refused("That is not your password. Without one, sign out and in again.", 422)
    await web.passkeys.begin(challenge := new_challenge(), visit.token)
    known = list(await web.passkeys.credentials_of(user))
    return _options(party.registration(challenge, user, await web.passkeys.handle_of(user), known))


async def register(visit: Visit, form: FormData) -> Response:
    """Keep what a device has made for this session."""
    web, name = visit.web, text_of(form, "name")
    party = _party(web)
    if not (0 < len(name) <= NAME_MAX and is_one_line(name)):
        return await _page(visit, f"Give it a name of 1 to {NAME_MAX} characters.")
    if holds_card_number(name):
        return await _page(visit, f"The name {REFUSED}.")
    try:
        answer = answer_of(text_of(form, "credential"))
        if not await web.passkeys.take(answer.challenge, visit.token):
            return await _page(visit, "It took too long, or was not begun here: try again.")
        made = party.registered(answer)
    except PasskeyAnswerError as error:
        log.info("passkey_refused", user=visit.user.id, reason=str(error))
        return await _page(visit, "The device did not answer as it should: try again.")
    try:
        await web.passkeys.add(
            visit.user.id,
            name,
            made.credential_id,
            made.credential_public_key,
            sign_count=made.sign_count,
            is_synced=is_synced(made),
        )
    except RuleBrokenError as error:
        return await _page(visit, str(error.message))
    return RedirectResponse("/passkeys", 303)


async def remove(visit: Visit, form: FormData) -> Response:
    """Remove a passkey of one's own; the last way to sign in only where it is said that this is meant."""
    web, user = visit.web, visit.user.id
    try:
        await web.passkeys.remove(
            text_of(form, "passkey"),
            user,
            user,
            is_last=text_of(form, "is_last") == "yes",
            has_provider=bool(web.settings.console_oidc_issuer),
            session=visit.token,
        )
    except RuleBrokenError as error:
        return await _page(visit, str(error.message))
    return RedirectResponse("/passkeys", 303)


async def _judged(web: Web, party: RelyingParty, answer: PasskeyAnswer) -> tuple[str, str]:
    """Return whose passkey it is, and why it lets nobody in; "" where it does."""
    is_asked = await web.passkeys.take(answer.challenge)
    passkey = await web.passkeys.by_credential(answer.credential_id)
    if passkey is None:
        return "", "unknown_user"
    if not is_asked or answer.handle != bytes(passkey.handle):
        return passkey.user_id, "wrong"
    try:
        signed = party.verified(answer, bytes(passkey.public_key), passkey.sign_count)
    except PasskeyAnswerError as error:
        log.warning("passkey_refused", user=passkey.user_id, passkey=passkey.id, reason=str(error))
        return passkey.user_id, "wrong"
    if passkey.state != "active":
        return passkey.user_id, "disabled"
    is_used = await web.passkeys.used(passkey.id, passkey.sign_count, signed.new_sign_count)
    return passkey.user_id, "" if is_used else "wrong"


async def _page(visit: Visit, problem: str = "") -> Response:
    web = visit.web
    return visit.page(
        "passkeys.html",
        422 if problem else 200,
        title="Passkeys",
        problem=problem,
        passkeys=await web.passkeys.every(visit.user.id, is_in_use=True),
        is_fresh=await web.passkeys.is_fresh(visit.token),
        is_possible=RelyingParty(web.settings.console_url).is_possible,
        name_max=NAME_MAX,
    )


def _party(web: Web) -> RelyingParty:
    party = RelyingParty(web.settings.console_url)
    if not party.is_possible:
        raise HTTPException(404, "Passkeys belong to a name: DULY_CONSOLE_URL is a number.")
    return party


def _options(text: str) -> Response:
    return Response(text, media_type="application/json")


def _refused(why: str, status: int) -> Response:
    return JSONResponse({"why": why}, status_code=status)
