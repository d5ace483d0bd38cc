"""Writes down every request to the sandbox with its answer, so that a test can hold all of them against the OpenAPI."""

from dataclasses import dataclass, field

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.stripe.api.parameters import decode
from sandbox.stripe.openapi import answers
from sandbox.stripe.openapi.specification import form_schema, operation_of, query_names


@dataclass(frozen=True)
class Exchange:
    """A request and what it was answered."""

    method: str
    path: str
    sent: bytes
    status: int
    answer: bytes


@dataclass
class Recorder:
    """What went over the wire since it was switched on."""

    is_on: bool = False
    exchanges: list[Exchange] = field(default_factory=list)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """The application with its API's exchanges written down."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            if not self.is_on or scope["type"] != "http" or not scope["path"].startswith("/v1/"):
                await app(scope, receive, send)
                return
            await self._record(app, scope, receive, send)

        return recorded

    async def _record(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        sent, answer, status = bytearray(), bytearray(), 0

        async def receiving() -> Message:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))
            await send(message)

        await app(scope, receiving, sending)
        body = bytes(sent) or scope["query_string"]
        self.exchanges.append(Exchange(scope["method"], scope["path"], body, status, bytes(answer)))

    def take(self) -> list[Exchange]:
        """What was written down, which is then forgotten."""
        taken, self.exchanges = self.exchanges, []
        return taken


def answer_differences(exchange: Exchange) -> list[str]:
    """Where the answer differs from the document; what was cut off by a fault says nothing."""
    try:
        answer = orjson.loads(exchange.answer)
    except orjson.JSONDecodeError:
        return []
    return answers.answer_differences(exchange.method, exchange.path, exchange.status, answer)


# Parameters that the SDK's version of the API has and the document's, which is older, has not.
NEWER = frozenset({"allowed_payment_method_types"})


def request_differences(exchange: Exchange) -> list[str]:
    """Where a request that was accepted differs from the document: a parameter unknown to it, or one missing."""
    operation = operation_of(exchange.method, exchange.path)
    if operation is None or exchange.status != 200:
        return []
    sent = decode(exchange.sent)
    if exchange.method != "POST":
        known, required = query_names(operation), set[str]()
    else:
        form = form_schema(operation)
        known, required = set(form.get("properties", {})), set(form.get("required", ()))
    name = f"{exchange.method} {exchange.path}"
    unknown = sorted(sent.keys() - known - NEWER)
    return [f"{name}: {each} is unknown" for each in unknown] + [
        f"{name}: {each} is missing" for each in sorted(required - sent.keys())
    ]
