"""What passkeys are asked, and whether their answers are right: WebAuthn for the console's own address and no other."""

import json
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, generate_challenge
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

_PORTS = {"https": 443, "http": 80}
_REQUIRED = UserVerificationRequirement.REQUIRED
# What the library raises of an answer that is no answer: its readers of CBOR and keys let these through.
_WRONG = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


class PasskeyAnswerError(ValueError):
    """An answer that is not one, or does not fit its question."""


@dataclass(frozen=True)
class PasskeyAnswer:
    """What a browser has sent: unverified, but for its shape."""

    document: dict[str, Any]
    credential_id: bytes
    challenge: bytes
    handle: bytes


class RelyingParty:
    """The console, as devices know it: its host is the RP id, its address the origin."""

    def __init__(self, console_url: str) -> None:
        address = urlsplit(console_url)
        self.host = (address.hostname or "").lower()
        port = "" if address.port in (None, _PORTS.get(address.scheme)) else f":{address.port}"
        self.origin = f"{address.scheme}://{self.host}{port}"

    @property
    def is_possible(self) -> bool:
        """Whether browsers make passkeys for this address: a passkey belongs to a name, never to a number."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False

    def registration(self, challenge: bytes, user: str, handle: bytes, known: list[bytes]) -> str:
        """Return what a browser hands to a device that is to make a passkey."""
        options = generate_registration_options(
            rp_id=self.host,
            rp_name="Duly",
            user_name=user,
            user_id=handle,
            challenge=challenge,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
            ),
        )
        return options_to_json(options)

    def sign_in(self, challenge: bytes) -> str:
        """Return what a browser hands to whichever device knows somebody here: no name is asked, and none is told."""
        return options_to_json(
            generate_authentication_options(rp_id=self.host, challenge=challenge, user_verification=_REQUIRED)
        )

    def registered(self, answer: PasskeyAnswer) -> VerifiedRegistration:
        """Return the public key that a device has made. Raises PasskeyAnswerError."""
        try:
            return verify_registration_response(
                credential=answer.document,
                expected_challenge=answer.challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except _WRONG as error:
            raise PasskeyAnswerError(str(error)) from error

    def verified(self, answer: PasskeyAnswer, public_key: bytes, sign_count: int) -> VerifiedAuthentication:
        """Return what a device has signed, with its new counter. Raises PasskeyAnswerError."""
        try:
            return verify_authentication_response(
                credential=answer.document,
                expected_challenge=answer.challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=True,
            )
        except _WRONG as error:
            raise PasskeyAnswerError(str(error)) from error


def is_synced(made: VerifiedRegistration) -> bool:
    """Tell whether a passkey may be on several devices of its user."""
    return made.credential_device_type is CredentialDeviceType.MULTI_DEVICE


def new_challenge() -> bytes:
    """Return what nobody can guess."""
    return generate_challenge()


def answer_of(text: str) -> PasskeyAnswer:
    """Read what a browser has sent. Raises PasskeyAnswerError."""
    try:
        document = json.loads(text)
        response = document["response"]
        asked = json.loads(base64url_to_bytes(response["clientDataJSON"]))
        return PasskeyAnswer(
            document,
            base64url_to_bytes(document["rawId"]),
            base64url_to_bytes(asked["challenge"]),
            base64url_to_bytes(response.get("userHandle") or ""),
        )
    except (*_WRONG, RecursionError) as error:
        raise PasskeyAnswerError(str(error)) from error
