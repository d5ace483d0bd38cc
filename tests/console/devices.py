"""A device that holds passkeys, made of keys: what a browser would send for it, right or forged."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

_PRESENT, _VERIFIED, _WITH_KEY = 1, 4, 64


@dataclass
class Device:
    """One passkey: its key, its counter, and where it thinks it is. Change a field to forge an answer."""

    origin: str
    host: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    handle: bytes = b""
    count: int = 0
    is_verified: bool = True
    is_counting: bool = True

    def made(self, options: dict[str, Any]) -> str:
        """Answer what the console asks of a device that registers."""
        self.handle = base64url_to_bytes(options["user"]["id"])
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        public_key = encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public_key
        data = self._data(_WITH_KEY) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        asked = self._asked("webauthn.create", options)
        return self._written(clientDataJSON=asked, attestationObject=attestation)

    def signed(self, options: dict[str, Any]) -> str:
        """Answer what the console asks of a device that signs somebody in."""
        self.count += self.is_counting
        asked, data = self._asked("webauthn.get", options), self._data(0)
        signature = self.key.sign(data + hashlib.sha256(asked).digest(), ec.ECDSA(hashes.SHA256()))
        return self._written(clientDataJSON=asked, authenticatorData=data, signature=signature, userHandle=self.handle)

    def _data(self, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.is_verified else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _asked(self, kind: str, options: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def _written(self, **response: bytes) -> str:
        name = bytes_to_base64url(self.credential_id)
        answer = {part: bytes_to_base64url(value) for part, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": answer})
