"""Requests to Stripe's API or to the sandbox in its place: counted up to a limit, and what they made is taken away."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from sandbox.stripe.control.client import SandboxControl
from sandbox.stripe.jsontypes import Json

LIMIT = 400
WAIT_SECONDS_MAX = 90.0
TIMEOUT_SECONDS = 30.0

# How each kind of object that a behaviour makes is taken away again; the others cannot be, or end by themselves.
_TAKEN_AWAY: dict[str, tuple[str, str]] = {
    "customer": ("DELETE", "/v1/customers/{id}"),
    "webhook_endpoint": ("DELETE", "/v1/webhook_endpoints/{id}"),
    "checkout.session": ("POST", "/v1/checkout/sessions/{id}/expire"),
}


class TooManyCallsError(RuntimeError):
    """The limit is reached: something goes round in circles."""


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers and body."""

    status: int
    headers: httpx.Headers
    body: Json

    @property
    def error(self) -> str:
        """The status, and for a refusal its code, decline code and parameter, as far as it has them."""
        refused = self.body.get("error", {})
        words = (refused.get("code"), refused.get("decline_code"), refused.get("param"))
        return " ".join([str(self.status), *(str(word) for word in words if word)])


@dataclass
class Calls:
    """The API at an address, with a secret key; `control` is there when the address is the sandbox's."""

    base_url: str
    key: str
    control: SandboxControl | None = None
    limit: int = LIMIT
    count: int = 0
    made: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.base_url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.take_away()
        self._client.close()

    def get(self, path: str, **query: Any) -> Reply:
        """Reads."""
        return self._call("GET", path, params=query, headers={})

    def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Reply:
        """Writes; headers by their names with underscores, such as `Idempotency_Key`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self._call("POST", path, data=form or {}, headers=named)
        if reply.status == 200 and reply.body.get("object") in _TAKEN_AWAY:
            self.made.append(reply.body)
        return reply

    def at_once(self, times: int, path: str, form: dict[str, Any], **headers: str) -> list[Reply]:
        """The same request several times in the same moment."""
        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(lambda _: self.post(path, form, **headers), range(times)))

    def until(self, path: str, holds: Callable[[Json], object]) -> Json:
        """The object once it is as wanted, or as it is after the longest wait: Stripe's time passes, ours is moved."""
        waited = 0.0
        while True:
            found = self.get(path).body
            if holds(found) or waited >= WAIT_SECONDS_MAX:
                return found
            waited += 3
            if self.control is not None:
                self.control.advance(3)
            else:
                time.sleep(3)

    def _call(self, method: str, path: str, *, headers: dict[str, str], **content: Any) -> Reply:
        if self.count >= self.limit:
            raise TooManyCallsError(f"more than {self.limit} requests")
        self.count += 1
        return self._send(method, path, headers=headers, **content)

    def _send(self, method: str, path: str, *, headers: dict[str, str], **content: Any) -> Reply:
        sent = {"Authorization": f"Bearer {self.key}"} | headers
        answer = self._client.request(method, path, headers=sent, **content)
        return Reply(answer.status_code, answer.headers, answer.json())

    def take_away(self) -> None:
        """Deletes customers and endpoints and closes pages, newest first; one that is gone already is no matter."""
        while self.made:
            each = self.made.pop()
            method, path = _TAKEN_AWAY[each["object"]]
            self._send(method, path.format(id=each["id"]), headers={})
