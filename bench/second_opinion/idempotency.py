"""Idempotency keys, which localstripe lacks, as Stripe documents them: the first executed answer is final."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

_EXECUTED_REFUSAL = 402


@dataclass(frozen=True)
class Call:
    """One call, as it came: the parameters of query or body in their order, and the key where there is one."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    authorization: str = ""
    key: str = ""

    @property
    def is_write(self) -> bool:
        """Whether the call can have an effect."""
        return self.method != "GET"

    def value(self, name: str) -> str:
        """Return a parameter, or "" where there is none."""
        return next((value for found, value in self.parameters if found == name), "")


@dataclass(frozen=True)
class CallAnswer:
    """One answer: status, headers and body."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def is_executed(self) -> bool:
        """Whether the call was carried out, to whatever end; what was refused before may be asked again."""
        return self.status < 300 or self.status == _EXECUTED_REFUSAL or self.status >= 500


def error_answer(status: int, **error: str) -> CallAnswer:
    """Return an error in the form in which Stripe sends them."""
    return CallAnswer(status, orjson.dumps({"error": error}), {"Content-Type": "application/json"})


class KeptAnswers:
    """The answers under their keys. A key that is in use, or was used for something else, is refused."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        self._answers: dict[str, CallAnswer] = {}

    def begin(self, call: Call) -> CallAnswer | None:
        """Return the answer for a key that was used before; None for the first, which then must `finish`."""
        first = self._calls.get(call.key)
        if first is None:
            self._calls[call.key] = call
            return None
        if (first.path, sorted(first.parameters)) != (call.path, sorted(call.parameters)):
            message = f"Keys for idempotent requests can only be used with the same parameters: {call.key}"
            return error_answer(400, type="idempotency_error", message=message)
        if call.key not in self._answers:
            message = f"There is another request in progress with the same key: {call.key}"
            return error_answer(409, type="idempotency_error", code="idempotency_key_in_use", message=message)
        kept = self._answers[call.key]
        # A replay is an answer of today: the clock that it is read by must not go back.
        headers = {name: value for name, value in kept.headers.items() if name != "Date"}
        return replace(kept, headers={**headers, "Idempotent-Replayed": "true"})

    def finish(self, call: Call, answer: CallAnswer | None) -> None:
        """Keep an executed answer; after anything else the key is as good as new."""
        if answer is not None and answer.is_executed:
            self._answers[call.key] = answer
        else:
            del self._calls[call.key]
