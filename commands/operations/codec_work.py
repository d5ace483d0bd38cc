"""The codec server: it opens payloads for whoever has a token, and tells who did."""

import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import structlog
import uvicorn
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payloads

from activities.events.bounded_http import read_body
from activities.payload_codec import EncryptionCodec, PayloadKeyError
from commands.output import Output
from commands.session import read_settings
from models.problem import refusal
from settings import Settings, configure_logging
from settings.payload_keys import codec_tokens

log = structlog.get_logger(__name__)

COOKIE = "duly_codec"
LOGIN_SECONDS = 12 * 3600
# The UI asks for a page of a history at once; Temporal itself takes no larger message.
BODY_BYTES_MAX = 4 * 1024 * 1024

_LOGIN = """<!doctype html><meta name="viewport" content="width=device-width"><title>Codec server</title>
<form method="post"><label>Token <input type="password" name="token" autofocus autocomplete="off"></label>
<button>Log in</button></form>"""
_IN = "<!doctype html><title>Codec server</title><p>You are logged in for twelve hours: go back to the Temporal UI."

Turn = Callable[[Payloads], Awaitable[None]]


class CodecServer:
    """Encodes and decodes for whoever has a token, in a header or in a cookie that was given for it."""

    def __init__(
        self, codec: EncryptionCodec, tokens: Mapping[str, str], *, now: Callable[[], float] = time.time
    ) -> None:
        self._codec = codec
        self._tokens = tokens
        self._now = now

    async def encode(self, request: Request) -> Response:
        """Encrypt what somebody types into the UI."""
        return await self._turned(request, self._codec.encode_wrapper)

    async def decode(self, request: Request) -> Response:
        """Decrypt what the UI shows."""
        return await self._turned(request, self._codec.decode_wrapper)

    async def login(self, request: Request) -> Response:
        """Show the form, or give whoever has a token a cookie."""
        if request.method == "GET":
            return HTMLResponse(_IN if self._by_cookie(request) else _LOGIN)
        given = parse_qs((await read_body(request, 4096) or b"").decode(errors="replace")).get("token", [""])[0]
        who = self._holder_of(given)
        if not who:
            log.warning("codec_login_refused")
            return HTMLResponse(_LOGIN, status_code=401)
        until = int(self._now()) + LOGIN_SECONDS
        is_https = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
        answer = RedirectResponse("login", status_code=303)
        answer.set_cookie(
            COOKIE,
            f"{who}:{until}:{self._signed(who, until)}",
            max_age=LOGIN_SECONDS,
            httponly=True,
            secure=is_https,
            # The UI is another site, whose scripts ask us.
            samesite="none" if is_https else "lax",
        )
        return answer

    async def _turned(self, request: Request, turn: Turn) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        who = self._holder_of(token.strip()) if scheme.lower() == "bearer" else self._by_cookie(request)
        if not who:
            log.warning("codec_refused", path=request.url.path)
            return PlainTextResponse("log in at /login", status_code=401)
        body = await read_body(request, BODY_BYTES_MAX)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        try:
            payloads = Parse(body, Payloads())
            await turn(payloads)
        except (ParseError, UnicodeDecodeError, RecursionError):
            return PlainTextResponse("no payloads", status_code=400)
        except PayloadKeyError as error:
            return PlainTextResponse(str(error), status_code=400)
        namespace = request.headers.get("x-namespace", "")[:255]
        log.info("codec_used", path=request.url.path, who=who, payloads=len(payloads.payloads), namespace=namespace)
        return Response(MessageToJson(payloads), media_type="application/json")

    def _holder_of(self, token: str) -> str:
        # Each is compared, so that the time it takes says nothing.
        found = [name for name, own in self._tokens.items() if hmac.compare_digest(own.encode(), token.encode())]
        return found[0] if found else ""

    def _by_cookie(self, request: Request) -> str:
        who, _, rest = request.cookies.get(COOKIE, "").partition(":")
        until, _, signed = rest.partition(":")
        if who not in self._tokens or not until.isdecimal() or len(until) > 12 or int(until) < self._now():
            return ""
        return who if hmac.compare_digest(self._signed(who, int(until)).encode(), signed.encode()) else ""

    def _signed(self, who: str, until: int) -> str:
        return hmac.new(self._tokens[who].encode(), f"{who}:{until}".encode(), sha256).hexdigest()


def build_codec_app(server: CodecServer, ui_url: str) -> Starlette:
    """Make the web application; scripts of the UI's address alone may ask it from a browser."""
    routes = [
        Route("/encode", server.encode, methods=["POST"]),
        Route("/decode", server.decode, methods=["POST"]),
        Route("/login", server.login, methods=["GET", "POST"]),
    ]
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(ui_url)) if ui_url else ""
    cross = Middleware(
        CORSMiddleware,
        allow_origins=[origin] if origin else [],
        allow_credentials=True,
        allow_methods=["POST"],
        allow_headers=["authorization", "content-type", "x-namespace"],
    )
    return Starlette(routes=routes, middleware=[cross])


async def serve_codec(output: Output, host: str, port: int) -> None:
    """Serve until Ctrl-C. Raises RefusedError: nothing is encrypted, or nobody may read it."""
    settings = read_settings()
    app = codec_app_of(settings)
    configure_logging(settings)
    output.note(f"Codec server on http://{host}:{port}, until Ctrl-C.")
    await uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)).serve()


def codec_app_of(settings: Settings) -> Starlette:
    """Make the application by the settings. Raises RefusedError."""
    keys = settings.temporal_connection["payload_keys"]
    tokens = codec_tokens(settings.codec_tokens.get_secret_value() if settings.codec_tokens else "")
    if not keys:
        raise refusal("DULY_PAYLOAD_KEYS", "payloads_encrypted", "is not set: there is nothing to decode")
    if not tokens:
        raise refusal("DULY_CODEC_TOKENS", "codec_authenticates", "is not set: nobody may read what is encrypted")
    return build_codec_app(CodecServer(EncryptionCodec(keys), tokens), settings.temporal_ui_url)
