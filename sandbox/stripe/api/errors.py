"""Stripe's error objects: type, code, message and HTTP status of everything the sandbox refuses."""

from typing import Any

from sandbox.stripe.jsontypes import Json


class ApiError(Exception):
    """An answer that is an error.

    `executed` says whether the operation had begun: only then is the answer stored under the idempotency key.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        executed: bool = True,
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.headers = headers or {}
        self._error: Json = {"message": message, "type": type}
        if code is not None:
            self._error |= {"code": code, "doc_url": f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"}
        if param is not None:
            self._error["param"] = param
        self._error |= {name: value for name, value in details.items() if value is not None}

    def body(self) -> Json:
        return {"error": self._error}


def invalid_parameter(message: str, param: str, code: str | None = None) -> ApiError:
    """A parameter that fails validation: nothing was executed, so nothing is stored."""
    return ApiError(400, message, code=code, param=param, executed=False)


METADATA_KEYS_MAX = 50


def too_many_metadata_keys(param: str) -> ApiError:
    """More than an object can hold, those that it has already included."""
    return invalid_parameter(f"Metadata can have at most {METADATA_KEYS_MAX} keys.", param)


def invalid_request(message: str, *, code: str | None = None, param: str | None = None, **details: Any) -> ApiError:
    """A well-formed request that the state of the objects does not allow."""
    return ApiError(400, message, code=code, param=param, **details)


def missing_object(noun: str, id: str, *, param: str = "id", in_path: bool = True) -> ApiError:
    """No such object: 404 when the path names it, 400 when a parameter does."""
    return ApiError(404 if in_path else 400, f"No such {noun}: '{id}'", code="resource_missing", param=param)


def unknown_url(method: str, path: str) -> ApiError:
    """No operation has this method and path."""
    message = (
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs"
        " or we can help at https://support.stripe.com/."
    )
    return ApiError(404, message, executed=False)


def missing_key() -> ApiError:
    """No bearer key came with the request."""
    message = (
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer"
        " auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for"
        " details, or we can help at https://support.stripe.com/."
    )
    return ApiError(401, message, executed=False, headers={"WWW-Authenticate": 'Bearer realm="Stripe"'})


def invalid_key(key: str) -> ApiError:
    """The key is not of this account."""
    return ApiError(401, f"Invalid API Key provided: {redacted(key)}", executed=False)


def redacted(key: str) -> str:
    """The key with all but its kind and last four characters starred, as Stripe shows it."""
    kind = "_".join(key.split("_")[:2])
    return f"{kind}_{'*' * 8}{key[-4:]}" if len(key) > len(kind) + 4 else "*" * len(key)


def no_access(key: str, account: str) -> ApiError:
    """The key may not act for the connected account."""
    message = (
        f"The provided key '{redacted(key)}' does not have access to account '{account}' (or that account does not"
        " exist). Application access may have been revoked."
    )
    return ApiError(403, message, code="account_invalid", executed=False)


def not_permitted(key: str, permission: str) -> ApiError:
    """A restricted key that lacks the permission for this endpoint."""
    message = (
        f"The provided key '{redacted(key)}' does not have the required permissions for this endpoint. Having the"
        f" '{permission}' permission would allow this request to continue."
    )
    return ApiError(403, message, executed=False)


def rate_limited(reason: str) -> ApiError:
    """Too fast; `reason` goes into Stripe's own header."""
    return ApiError(
        429,
        "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        executed=False,
        headers={"Stripe-Should-Retry": "true", "Stripe-Rate-Limited-Reason": reason},
    )


def lock_timeout() -> ApiError:
    """Another request holds the object; this is not a decline."""
    message = (
        "This object cannot be accessed right now because another API request or Stripe process is currently"
        " accessing it. If you see this error intermittently, retry the request. If you see this error frequently and"
        " are making multiple concurrent requests to a single object, make your requests serially or at a lower rate."
    )
    return ApiError(
        429,
        message,
        code="lock_timeout",
        executed=False,
        headers={"Stripe-Should-Retry": "true", "Stripe-Rate-Limited-Reason": "resource-specific"},
    )


def key_in_use(key: str) -> ApiError:
    """Another request with the same idempotency key is still in flight."""
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        f" twice, and the other request is still going through): {key}. Please try again later."
    )
    return ApiError(
        409,
        message,
        type="idempotency_error",
        code="idempotency_key_in_use",
        executed=False,
        headers={"Stripe-Should-Retry": "true"},
    )


def key_reused(key: str, *, first: str, now: str) -> ApiError:
    """The same key with other parameters, or at another endpoint."""
    same = "for the same endpoint they were first used for" if first != now else "with the same parameters"
    where = f" ('{now}' vs '{first}')" if first != now else " they were first used with"
    message = (
        f"Keys for idempotent requests can only be used {same}{where}. Try using a key other than '{key}' if you meant"
        " to execute a different request."
    )
    return ApiError(400, message, type="idempotency_error", executed=False)


def server_error(status: int, *, stored: bool) -> ApiError:
    """An answer of Stripe's own failure; a stored one will be replayed, so repeating it is no use."""
    return ApiError(
        status,
        "An unknown error occurred.",
        type="api_error",
        executed=stored,
        headers={"Stripe-Should-Retry": "false" if stored else "true"},
    )
