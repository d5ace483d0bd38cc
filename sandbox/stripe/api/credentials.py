"""Who asks, and in which version of the API: the headers that every request carries."""

import base64
import binascii
import re

import stripe

from sandbox.stripe.api.errors import ApiError

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


def key_of(header: bytes | None) -> str | None:
    """The secret key, which comes as a bearer token or as the user of HTTP Basic authentication."""
    scheme, _, credentials = (header or b"").partition(b" ")
    if scheme.lower() == b"bearer":
        return credentials.decode("latin-1") or None
    if scheme.lower() == b"basic":
        return _user(credentials)
    return None


def _user(credentials: bytes) -> str | None:
    try:
        user, _, _password = base64.b64decode(credentials, validate=True).partition(b":")
    except binascii.Error:
        return None
    return user.decode("latin-1") or None


# Where the name of a permission is not that of the first part of the address.
_NOUNS = {"checkout": "checkout_session", "webhook_endpoints": "webhook"}


def permission_of(method: str, template: str) -> str:
    """What a restricted key needs for an operation, by Stripe's name."""
    first = template.split("/")[2]
    noun = _NOUNS.get(first, first.removesuffix("s"))
    return f"rak_{noun}_{'read' if method == 'GET' else 'write'}"


def is_permitted(permission: str, given: frozenset[str]) -> bool:
    """Whether what was given to a key includes the permission; writing includes reading."""
    return permission in given or f"{permission.removesuffix('_read')}_write" in given


def check_version(version: str | None) -> None:
    """Refuses a version that Stripe never had. Older ones are taken, and answered in the SDK's own version."""
    if version is None or version == stripe.api_version:
        return
    if not _VERSION.fullmatch(version) or version[:10] >= stripe.api_version[:10]:
        raise ApiError(400, f"Invalid Stripe API version: {version}", executed=False)
