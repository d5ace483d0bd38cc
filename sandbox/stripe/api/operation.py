"""One endpoint of the API: authentication, limits, faults, idempotency, validation, the operation, the answer."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe
from starlette.types import Message, Receive, Scope, Send

from sandbox.stripe.api import errors
from sandbox.stripe.api.credentials import check_version, key_of, permission_of
from sandbox.stripe.api.errors import ApiError
from sandbox.stripe.api.expansion import check_paths, expanded
from sandbox.stripe.api.idempotency import Answer
from sandbox.stripe.api.parameters import Shape, decode, shape
from sandbox.stripe.api.resources import resource_of
from sandbox.stripe.control.faults import InjectedFault
from sandbox.stripe.control.messages import FaultKind
from sandbox.stripe.core import Sandbox
from sandbox.stripe.jsontypes import Handler, encoded
from sandbox.stripe.state.account_state import NO_REQUEST, AccountState

_REQUEST_NUMBERS = itertools.count(1)
_VERSION = stripe.api_version.encode()


@dataclass(slots=True)
class Call:
    """A request as it came in."""

    method: str
    path: str
    ids: tuple[str, ...]
    encoded: bytes
    key: str | None
    account: str | None
    idempotency_key: str | None
    version: str | None = None
    id: str = field(default_factory=lambda: f"req_{next(_REQUEST_NUMBERS):014d}")

    @property
    def subject(self) -> str:
        """What is asked for, the same each time it is asked for again."""
        return self.idempotency_key or f"{self.path}?{self.encoded.decode(errors='replace')}"


# Faults that answer without executing anything, and the error that each answers with.
_REFUSALS: dict[FaultKind | None, Callable[[Call], ApiError]] = {
    FaultKind.SERVER_ERROR_500: lambda _call: errors.server_error(500, stored=False),
    FaultKind.UNAVAILABLE_503: lambda _call: errors.server_error(503, stored=False),
    FaultKind.RATE_LIMIT: lambda _call: errors.rate_limited("global-rate"),
    FaultKind.LOCK_TIMEOUT: lambda _call: errors.lock_timeout(),
    FaultKind.CONFLICT: lambda call: errors.key_in_use(call.idempotency_key or "none"),
}


class Operation:
    """An ASGI endpoint for `METHOD /template`; the name is also that of its own rate limit."""

    def __init__(self, sandbox: Sandbox, method: str, template: str, handler: Handler, typed_dict: type) -> None:
        self.method = method
        self.template = template
        self.name = f"{method} {template}"
        self._permission = permission_of(method, template)
        self._sandbox = sandbox
        self._handler = handler
        self._shape: Shape = shape(typed_dict)
        self._shape.compile()
        self._resource = resource_of(template)
        self._lists = method == "GET" and not template.endswith("}") and template != "/v1/balance"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = await _read(scope, receive)
        sandbox = self._sandbox
        sandbox.clock.run_due()
        sandbox.requests[self.name] += 1
        try:
            state = sandbox.account_state_for(call.key, call.account)
            sandbox.check_permission(call.key, self._permission)
            check_version(call.version)
            sandbox.limiter.take(self.name, sandbox.clock.exactly())
            injected = sandbox.faults.next_fault(self.name, call.subject, lambda: self._metadata(state, call))
            answer = await self._answer(state, call, injected)
        except ApiError as refused:
            injected, answer = None, _refusal(refused, call)
        if answer is not None:
            sandbox.statuses[answer.status] += 1
        await _reply(scope, send, call, answer, injected)

    async def _answer(self, state: AccountState, call: Call, injected: InjectedFault | None) -> Answer | None:
        """The answer, executed at most once per idempotency key; None when the request never arrived."""
        kind = injected.kind if injected else None
        if kind is FaultKind.REQUEST_LOST:
            return None
        if kind in _REFUSALS:
            raise _REFUSALS[kind](call)
        key = call.idempotency_key if call.method == "POST" else None
        if key is None or not state.settings.honours_idempotency_keys:
            return await self._execute(state, call, injected)
        keys = self._sandbox.keys[state.account]
        stored = keys.begin(key, call.path, call.encoded, state.clock.now())
        if stored is not None:
            return stored
        answer = None
        try:
            answer = await self._execute(state, call, injected)
            return answer
        finally:
            keys.finish(key, answer, call.id)

    async def _execute(self, state: AccountState, call: Call, injected: InjectedFault | None) -> Answer:
        kind = injected.kind if injected else None
        delay = injected.delay_seconds if injected else 0.0
        # Half the way there and half the way back: whoever gives up in between finds it done or not.
        on_the_way = self._sandbox.latencies.seconds(self.name, call.subject) / 2
        if on_the_way:
            await asyncio.sleep(on_the_way)
        if kind is FaultKind.SLOW_EFFECT:
            await asyncio.sleep(delay)
        if kind is FaultKind.STORED_500:
            return _refusal(errors.server_error(500, stored=True), call)
        answer = self._run(state, call)
        if on_the_way:
            await asyncio.sleep(on_the_way)
        if kind is FaultKind.SLOW_ANSWER:
            await asyncio.sleep(delay)
        if kind is FaultKind.STORED_500_AFTER_EFFECT:
            return _refusal(errors.server_error(500, stored=True), call)
        return answer

    def _run(self, state: AccountState, call: Call) -> Answer:
        """Validates and executes, without a pause: no other request sees it half done."""
        state.request = {"id": call.id, "idempotency_key": call.idempotency_key}
        try:
            params = self._shape.check(decode(call.encoded))
            expand = params.pop("expand", None)
            if expand:
                check_paths(self._resource, expand, in_list=self._lists)
            result = self._handler(state, params, *call.ids)
            return Answer(200, encoded(expanded(state, result, expand) if expand else result))
        except ApiError as refused:
            return _refusal(refused, call)
        finally:
            state.request = NO_REQUEST

    @staticmethod
    def _metadata(state: AccountState, call: Call) -> Mapping[str, str]:
        """The metadata that the request carries, and that of the object which its path names."""
        metadata: dict[str, str] = {}
        for id in call.ids:
            for table in state.tables():
                metadata |= (table.find(id) or {}).get("metadata") or {}
        given = decode(call.encoded).get("metadata")
        return metadata | given if isinstance(given, dict) else metadata


def _refusal(error: ApiError, call: Call) -> Answer:
    body = error.body()
    if error.status != 401:
        body["error"]["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{call.id}"
    headers = tuple((name.lower().encode(), value.encode()) for name, value in error.headers.items())
    return Answer(error.status, encoded(body), headers, error.executed)


async def _read(scope: Scope, receive: Receive) -> Call:
    body = b""
    if scope["method"] == "POST":
        message: Message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
    headers = {name: value for name, value in scope["headers"] if name in _HEADERS}
    return Call(
        method=scope["method"],
        path=scope["path"],
        ids=tuple(scope["path_params"].values()),
        encoded=body if scope["method"] == "POST" else scope["query_string"],
        key=key_of(headers.get(b"authorization")),
        account=_text(headers.get(b"stripe-account")),
        idempotency_key=_text(headers.get(b"idempotency-key")),
        version=_text(headers.get(b"stripe-version")),
    )


_HEADERS = frozenset({b"authorization", b"stripe-account", b"idempotency-key", b"stripe-version"})


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value else None


async def _reply(scope: Scope, send: Send, call: Call, answer: Answer | None, injected: InjectedFault | None) -> None:
    """Sends the answer, or drops the line before or in the middle of it."""
    kind = injected.kind if injected else None
    if answer is None or kind is FaultKind.RESPONSE_LOST:
        await drop_line(scope)
        return
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer.body)).encode()),
        (b"request-id", call.id.encode()),
        (b"stripe-version", _VERSION),
        *answer.headers,
    ]
    if call.idempotency_key and call.method == "POST":
        headers.append((b"idempotency-key", call.idempotency_key.encode("latin-1")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if kind is FaultKind.RESET_MID_BODY:
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await drop_line(scope)
        return
    await send({"type": "http.response.body", "body": answer.body})


async def drop_line(scope: Scope) -> None:
    """Closes the connection under the client, and waits until the server knows."""
    transport: Any = scope["extensions"]["sandbox.transport"]
    transport.abort()
    await asyncio.sleep(0.01)
