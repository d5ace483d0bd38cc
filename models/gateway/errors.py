"""What happens when the gateway gives no usable answer: one tree of errors, and which error becomes which.

| Stripe answers                      | our error                  | the activity fails as | the attempt's outcome |
|-------------------------------------|----------------------------|-----------------------|-----------------------|
| 400, 402, 404: the request is wrong | GatewayInvalidRequestError | (it does not fail)    | invalid_request       |
| 429, or a locked object             | GatewayBusyError           | GatewayBusy           | none: did not happen  |
| 401, 403                            | GatewayAccessError         | GatewayAccess         | none: did not happen  |
| not asked: sending is held          | GatewayHeldError           | GatewayHeld           | none: did not happen  |
| nothing, half an answer, 409, 5xx   | GatewayUnansweredError     | GatewayUnanswered     | none: nobody knows    |
| a stored 500, other money than ours | the same with is_final     | GatewayUnanswered     | unknown               |
| 400: the key was used before        | the same, code KEY_USED    | GatewayUnanswered     | unknown               |

A decline is no error: it is the issuer's answer (models/gateway/decline.py). Stripe's errors become ours in
activities/gateway/translation.py, ours become Temporal's in activities/gateway/retries.py, and what is done about an
attempt without an answer stands in activities/gateway/attempts.py.
"""

# The key was used before, with other parameters: somebody has made the attempt, so that nothing proves its absence.
KEY_USED = "key_used"
# Whatever answered did not answer as the gateway does: a proxy's page, half an answer, one without its fields.
UNREADABLE = "answer_unreadable"
# Stripe says this with a 429 as well: another request has locked the object, which says nothing about how fast we are.
LOCKED = "lock_timeout"
# Our own: it was begun too long ago to be sent, for a process or a clock stood still, or it stood in line for so long.
NOT_SENT_IN_TIME = "not_sent_in_time"


class GatewayError(Exception):
    """The gateway gave no usable answer; `code` is its own code for why, safe to log and store."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class GatewayBusyError(GatewayError):
    """It did not happen: too fast, or the object was locked. Call again after `retry_after_seconds`."""

    def __init__(self, code: str, *, retry_after_seconds: float) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(code)

    @property
    def is_too_fast(self) -> bool:
        """Whether the gateway has refused it as one call too many."""
        return is_too_fast(self.code)


class GatewayUnansweredError(GatewayError):
    """Unknown: the request may have had an effect. `is_final` when the same key can only repeat the error."""

    def __init__(self, code: str, *, is_final: bool = False) -> None:
        self.is_final = is_final
        super().__init__(code)


class GatewayInvalidRequestError(GatewayError):
    """It did not happen and will not: the request itself is wrong."""


class GatewayHeldError(GatewayError):
    """It did not happen: nothing is sent while the database does not know what was sent before (docs/operations.md)."""


class GatewayAccessError(GatewayError):
    """It did not happen: the gateway does not take our key. An operator must act."""


def is_too_fast(code: str) -> bool:
    """Say whether what is busy for this reason was refused by the gateway as one call too many."""
    return code not in {LOCKED, NOT_SENT_IN_TIME}
