"""What every answer says to the browser, and whether a form is one of ours."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIELDS_MAX = 50


@dataclass(frozen=True)
class FormBounds:
    """How large a form may be, whether it may hold a file, and how large what it has beside that.

    A file is written to the disk while it comes; fields are kept in memory. `too_large` says what to do instead.
    """

    bytes_max: int = 64 * 1024
    files_max: int = 0
    field_bytes_max: int = 64 * 1024
    fields_max: int = FIELDS_MAX
    too_large: str = ""


FORM = FormBounds()
# What somebody writes is read whole, though it be far too long: it comes back in its field, with how long it may be.
TEXTS = FormBounds(bytes_max=1024 * 1024, field_bytes_max=1024 * 1024)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class SecurityHeaders:
    """Adds to every answer what keeps a page to itself; what is no asset is stored nowhere."""

    def __init__(
        self, app: ASGIApp, *, is_encrypted: bool, policy: str = _POLICY, referrer: str = "same-origin"
    ) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": referrer,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
            **({"strict-transport-security": "max-age=31536000"} if is_encrypted else {}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


class FailurePage:
    """Answers with a page of ours what nobody has foreseen, instead of a bare line; the error goes on to the log."""

    def __init__(self, app: ASGIApp, *, page: Callable[[Request], Response]) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            if scope["type"] == "http" and not has_begun:
                await self._page(Request(scope))(scope, receive, send)
            raise


async def form_of(request: Request, origin: str, bounds: FormBounds = FORM) -> FormData:
    """Return the form of a request that our own page sent. Raises HTTPException: it is another's, or too large."""
    require_same_origin(request, origin)
    return await bounded_form(request, bounds)


async def bounded_form(request: Request, bounds: FormBounds) -> FormData:
    """Return the form of a request, whoever has sent it. Raises HTTPException: it is too large."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > bounds.bytes_max:
        raise HTTPException(413, bounds.too_large or None)
    return await request.form(
        max_files=bounds.files_max, max_fields=bounds.fields_max, max_part_size=bounds.field_bytes_max
    )


def require_same_origin(request: Request, origin: str) -> None:
    """Raise HTTPException (403) unless the browser says that a page of ours asks."""
    site = request.headers.get("sec-fetch-site")
    is_ours = site == "same-origin" if site else request.headers.get("origin") == origin
    if not is_ours:
        raise HTTPException(403, "This form was not sent by a page of ours: open it again.")


def has_token(form: FormData, expected: str) -> bool:
    """Whether a form carries its session's token: a page of ours that was opened in an earlier session does not."""
    return hmac.compare_digest(text_of(form, "form_token").encode(), expected.encode())


def text_of(form: FormData, name: str) -> str:
    """Return a field of a form as text, without blanks at its ends; "" when there is none."""
    value: Any = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""
