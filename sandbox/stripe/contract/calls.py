"""Requests to Stripe's API or to the sandbox in its place: counted up to a limit, kept, and cleaned up after."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx
import stripe

from sandbox.stripe.contract.leftovers import Leftovers
from sandbox.stripe.control.client import SandboxControl
from sandbox.stripe.jsontypes import Json

LIMIT = 400
TIMEOUT_SECONDS = 20.0
# With what is cleaned up after it a run ends within five minutes.
RUN_SECONDS = 240.0
PERSON_SECONDS = 600.0
# How long something that Stripe does later is waited for, and the time from one look to the next.
WAIT_SECONDS = 90.0
PAUSES_SECONDS = (1, 1, 2, 3, 5, 8, 10, 15)
PAUSES_WHEN_TOO_FAST = (1, 2, 3)


class NotAskedError(RuntimeError):
    """The behaviour cannot be seen in this run; the message says why."""


class TooManyCallsError(NotAskedError):
    """The limit is reached: something goes round in circles."""


class NotAllowedError(NotAskedError):
    """The key is a restricted one that may not do this."""


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


@dataclass(frozen=True)
class Exchanged:
    """A request and its answer, as far as its shape matters."""

    method: str
    path: str
    status: int
    body: Json


@dataclass
class Calls:
    """The API at an address, with a secret key; `control` is there when the address is the sandbox's.

    `began_at` is the Unix time of the first answer, by the API's clock; `stuck` is what got no answer when it was to be
    taken away.
    """

    base_url: str
    key: str
    control: SandboxControl | None = None
    limit: int = LIMIT
    seconds: float = RUN_SECONDS
    count: int = 0
    began_at: int = 0
    stuck: list[str] = field(default_factory=list)
    exchanged: list[Exchanged] = field(default_factory=list)
    run: str = field(default_factory=lambda: f"contract-{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.base_url, timeout=TIMEOUT_SECONDS, trust_env=self.control is None)
        self._lock = threading.Lock()
        self.ends_at = time.monotonic() + self.seconds
        self.leftovers = Leftovers(self.run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.take_away()
        self._client.close()

    def get(self, path: str, **query: Any) -> Reply:
        """Reads."""
        # Empty parameters would take away those of the address.
        return self._call("GET", path, params=query or None, headers={})

    def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Reply:
        """Writes; headers by their names with underscores, such as `Idempotency_Key`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self._call("POST", path, data=self.leftovers.marked(path, form or {}), headers=named)
        with self._lock:
            self.leftovers.note(reply.body)
        return reply

    def delete(self, path: str) -> Reply:
        """Deletes."""
        return self._call("DELETE", path, headers={})

    def submit(self, url: str, form: dict[str, str]) -> None:
        """Send a page's form as its customer does, without a key."""
        self._client.post(url, data=form)

    def at_once(self, times: int, path: str, form: dict[str, Any], **headers: str) -> list[Reply]:
        """The same request several times in the same moment."""
        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(lambda _: self.post(path, form, **headers), range(times)))

    def until(self, path: str, holds: Callable[[Json], object], longest: float = WAIT_SECONDS) -> Json:
        """The object once it is as wanted, or as it is after the longest wait: Stripe's time passes, ours is moved."""
        waited = 0.0
        for pause in itertools.chain(PAUSES_SECONDS, itertools.repeat(PAUSES_SECONDS[-1])):
            found = self.get(path).body
            waited += pause
            if holds(found) or waited > longest or time.monotonic() + pause >= self.ends_at:
                return found
            if self.control is not None:
                self.control.advance(pause)
            else:
                time.sleep(pause)
        raise AssertionError("pauses never end")

    def spend(self, requests: int) -> None:
        """Count requests that somebody else sends. Raises TooManyCallsError when they are too many."""
        with self._lock:
            if self.count + requests > self.limit:
                raise TooManyCallsError(f"more than {self.limit} requests")
            self.count += requests

    def _call(self, method: str, path: str, *, headers: dict[str, str], **content: Any) -> Reply:
        self.spend(1)
        reply = self._send(method, path, headers=headers, **content)
        with self._lock:
            self.exchanged.append(Exchanged(method, path.split("?", maxsplit=1)[0], reply.status, reply.body))
        if reply.status == 403:
            raise NotAllowedError(f"the key may not: {reply.body['error'].get('message', '')}")
        return reply

    def _send(self, method: str, path: str, *, headers: dict[str, str], **content: Any) -> Reply:
        # The account's own version may be an older one: what is compared is the one that the SDK speaks.
        sent = {"Authorization": f"Bearer {self.key}", "Stripe-Version": stripe.api_version} | headers
        answer = self._client.request(method, path, headers=sent, **content)
        for pause in PAUSES_WHEN_TOO_FAST:
            if answer.status_code != 429:
                break
            time.sleep(pause)
            answer = self._client.request(method, path, headers=sent, **content)
        if not self.began_at:
            self.began_at = int(parsedate_to_datetime(answer.headers["date"]).timestamp()) - 1
        return Reply(answer.status_code, answer.headers, answer.json())

    def take_away(self) -> None:
        """Deletes, closes and cancels what the run made, newest first; what is gone already is no matter."""
        for method, path in self.leftovers.to_take_away():
            try:
                self._send(method, path, headers={})
            except (httpx.HTTPError, ValueError):
                self.stuck.append(path)
