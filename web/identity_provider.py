"""Signing in by a provider of identities: OpenID Connect, an authorization code with PKCE."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from settings import Settings

TIMEOUT = aiohttp.ClientTimeout(total=10)
# How far the provider's clock may be from ours.
LEEWAY_SECONDS = 60
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_SECRET_BYTES = 32
CALLBACK = "/sign-in/provider/back"


class IdentityError(Exception):
    """The provider does not answer, or what it says is not to be believed."""


@dataclass(frozen=True)
class BegunSignIn:
    """What a browser keeps of a sign-in while it is at the provider: only whoever began it can end it."""

    state: str
    nonce: str
    verifier: str
    to: str

    def packed(self) -> str:
        """Return it as the value of a cookie."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def unpacked(cls, text: str) -> "BegunSignIn | None":
        """Read the value of a cookie; None for what is none of ours."""
        try:
            found = json.loads(base64.urlsafe_b64decode(text.encode()))
            return cls(**{name: str(found[name]) for name in ("state", "nonce", "verifier", "to")})
        except (ValueError, KeyError, TypeError):
            return None


class IdentityProvider:
    """One provider, as the settings name it. Its document is read once, its keys with each sign-in: they change."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.console_oidc_issuer.rstrip("/")
        self._client_id = settings.console_oidc_client_id
        secret = settings.console_oidc_client_secret
        self._client_secret = secret.get_secret_value() if secret else ""
        self._redirect = settings.console_url + CALLBACK
        self._known: Mapping[str, Any] | None = None

    async def begin(self, to: str) -> tuple[str, BegunSignIn]:
        """Return where somebody signs in, and what their browser keeps meanwhile. Raises IdentityError."""
        state, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(3))
        begun = BegunSignIn(state, nonce, verifier, to)
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect,
            "scope": "openid email profile",
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": create_s256_code_challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        document = await self._document()
        place = str(document["authorization_endpoint"])
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}", begun

    async def name_of(self, code: str, begun: BegunSignIn) -> str:
        """Return the e-mail of whoever has signed in, in small letters. Raises IdentityError."""
        document = await self._document()
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": self._client_id,
            "code_verifier": begun.verifier,
        }
        login = aiohttp.encode_basic_auth(self._client_id, self._client_secret) if self._client_secret else ""
        tokens = await _json("POST", str(document["token_endpoint"]), data=given, headers=_authorized(login))
        claims = claims_of(
            str(tokens.get("id_token", "")),
            await _json("GET", str(document["jwks_uri"])),
            {"iss": str(document["issuer"]), "aud": self._client_id, "nonce": begun.nonce},
        )
        name = str(claims.get("email", "")).lower()
        if not name or claims.get("email_verified") is False:
            raise IdentityError("it does not name a verified e-mail")
        return name

    async def _document(self) -> Mapping[str, Any]:
        if self._known is None:
            found = await _json("GET", f"{self._issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                raise IdentityError("it calls itself by another name than DULY_CONSOLE_OIDC_ISSUER")
            self._known = found
        return self._known


def _authorized(login: str) -> dict[str, str]:
    return {"authorization": login} if login else {}


def claims_of(token: str, keys: Mapping[str, Any], wanted: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what a token says, once its signature, issuer, audience, nonce and time hold. Raises IdentityError."""
    try:
        decoded = jwt.decode(token, KeySet.import_key_set(dict(keys)), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            exp={"essential": True},
            iat={"essential": True},
            iss={"essential": True, "value": wanted["iss"]},
            aud={"essential": True, "value": wanted["aud"]},
            nonce={"essential": True, "value": wanted["nonce"]},
        )
        rules.validate(decoded.claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise IdentityError(f"its token does not hold: {type(error).__name__}") from error
    claims: Mapping[str, Any] = decoded.claims
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != wanted["aud"]:
        raise IdentityError("its token is for somebody else too")
    return claims


async def _json(method: str, url: str, **given: Any) -> Mapping[str, Any]:
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.request(method, url, **given) as answer:
            if answer.status != 200:
                raise IdentityError(f"it answers {answer.status}")
            found = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise IdentityError(f"it does not answer: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise IdentityError("it answers with no object")
    return found
