"""Idempotency keys as API v1 keeps them: the first executed answer is final for a day, errors included."""

from dataclasses import dataclass, field, replace
from hashlib import blake2b

from sandbox.stripe.api.errors import invalid_request, key_in_use, key_reused

KEPT_SECONDS = 24 * 3600
KEY_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes over the wire; `executed` answers are stored, the others may be asked for again."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    executed: bool = True


@dataclass(frozen=True, slots=True)
class _Use:
    """A key's first use: where, with what, and, once it is finished, its answer."""

    path: str
    fingerprint: bytes
    at: int
    answer: Answer | None = None
    request_id: str = ""


@dataclass
class IdempotencyKeys:
    """The keys of one account, oldest first."""

    _uses: dict[str, _Use] = field(default_factory=dict)

    def begin(self, key: str, path: str, body: bytes, now: int) -> Answer | None:
        """The answer to replay, or None when the caller is the first and must `finish`."""
        if len(key) > KEY_LENGTH_MAX:
            raise invalid_request(f"Idempotency keys can be up to {KEY_LENGTH_MAX} characters long.")
        self._prune(now)
        fingerprint = _fingerprint(body)
        use = self._uses.get(key)
        if use is None:
            self._uses[key] = _Use(path, fingerprint, now)
            return None
        if use.path != path or use.fingerprint != fingerprint:
            raise key_reused(key, first=use.path, now=path)
        if use.answer is None:
            raise key_in_use(key)
        replayed = (b"idempotent-replayed", b"true"), (b"original-request", use.request_id.encode())
        return replace(use.answer, headers=use.answer.headers + replayed)

    def finish(self, key: str, answer: Answer | None, request_id: str) -> None:
        """Stores an executed answer; after anything else the key is as good as new."""
        if answer is not None and answer.executed:
            self._uses[key] = replace(self._uses[key], answer=answer, request_id=request_id)
        else:
            del self._uses[key]

    def _prune(self, now: int) -> None:
        stale: list[str] = []
        for key, use in self._uses.items():
            if use.at > now - KEPT_SECONDS:
                break
            if use.answer is not None:
                stale.append(key)
        for key in stale:
            del self._uses[key]


def _fingerprint(body: bytes) -> bytes:
    # The order of parameters is not part of what was asked.
    return blake2b(b"&".join(sorted(body.split(b"&"))), digest_size=16).digest()
