"""What a provider's token must be before anybody is let in: one that is forged, another's, or over is refused."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from web.identity_provider import IdentityError, claims_of

KEY = RSAKey.generate_key(2048, {"kid": "ours", "alg": "RS256", "use": "sig"})
KEYS: Mapping[str, Any] = {"keys": [KEY.as_dict(private=False)]}
WANTED = {"iss": "https://id.example.com/", "aud": "duly", "nonce": "n-1"}
# Files are read long before their tests run: what holds holds for a week.
DAY = 86_400
NOW = int(time.time())
GOOD: dict[str, Any] = {**WANTED, "iat": NOW, "exp": NOW + 7 * DAY, "email": "maria@example.com"}


def token(claims: Mapping[str, Any], key: RSAKey = KEY) -> str:
    """Return a signed token."""
    return jwt.encode({"alg": "RS256", "kid": "ours"}, dict(claims), key)


def by_hand(algorithm: str, secret: bytes = b"") -> str:
    """Return a token that no library makes: without a signature, or signed by what is no secret."""
    parts = (json.dumps(part).encode() for part in ({"alg": algorithm, "kid": "ours"}, GOOD))
    signed = ".".join(_packed(part) for part in parts)
    return f"{signed}.{_packed(hmac.digest(secret, signed.encode(), 'sha256')) if secret else ''}"


def _packed(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def test_a_token_that_holds_says_who_comes() -> None:
    assert claims_of(token(GOOD), KEYS, WANTED)["email"] == "maria@example.com"
    two = {**GOOD, "aud": ["duly", "other"], "azp": "duly"}
    assert claims_of(token(two), KEYS, WANTED)["azp"] == "duly"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"iss": "https://evil.example.com/"}, id="of another provider"),
        pytest.param({"iss": None}, id="of none"),
        pytest.param({"aud": "other"}, id="for somebody else"),
        pytest.param({"aud": ["duly", "other"]}, id="for two, and nobody says for whom"),
        pytest.param({"aud": ["duly", "other"], "azp": "other"}, id="for two, and for the other"),
        pytest.param({"nonce": "n-2"}, id="of another sign-in"),
        pytest.param({"nonce": None}, id="of no sign-in"),
        pytest.param({"exp": NOW - 120}, id="that is over"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"iat": NOW + DAY}, id="of tomorrow"),
    ],
)
def test_a_token_is_refused(changed: Mapping[str, Any]) -> None:
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}

    with pytest.raises(IdentityError):
        claims_of(token(claims), KEYS, WANTED)


def test_a_token_that_nobody_of_the_provider_has_signed_is_refused() -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "ours"})
    header, body, signature = token(GOOD).split(".")
    other = _packed(json.dumps({**GOOD, "email": "ada@example.com"}).encode())
    forged = [
        by_hand("none"),
        token(GOOD, stranger),
        by_hand("HS256", KEY.as_pem(private=False)),
        f"{header}.{other}.{signature}",
        f"{header}.{body}.",
        "",
        "a.b.c",
    ]

    for one in forged:
        with pytest.raises(IdentityError):
            claims_of(one, KEYS, WANTED)
