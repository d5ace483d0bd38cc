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


def check_version(version: str | None) -> None:
    """Refuses a version that Stripe never had. Older ones are taken, and answered in the SDK's own version."""
    if version is None or version == stripe.api_version:
        return
    if not _VERSION.fullmatch(version) or version[:10] >= stripe.api_version[:10]:
        raise ApiError(400, f"Invalid Stripe API version: {version}", executed=False)
