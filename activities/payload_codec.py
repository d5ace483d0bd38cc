"""Payloads encrypted before they leave a process, so that Temporal's server stores nothing that it could read.

What goes in and out of workflows and activities, queries, details and failures with their messages is encrypted. Ids,
types and search attributes are not: the server works with them.
"""

import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
_NONCE_BYTES = 12


class PayloadKeyError(RuntimeError):
    """A payload that the configured keys do not open; the message names the key and never the content."""


class EncryptionCodec(PayloadCodec):
    """AES-256-GCM: the first key encrypts, and each of them opens what it has encrypted.

    A payload that is not encrypted is handed on as it is: histories from before, and clients without the codec.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._newest = next(iter(keys))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt payloads by the newest key."""
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt payloads, each by the key that it names. Raises PayloadKeyError."""
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        nonce, name = os.urandom(_NONCE_BYTES), self._newest.encode()
        sealed = self._ciphers[self._newest].encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: name}, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        name = payload.metadata.get(KEY_ID, b"")
        cipher = self._ciphers.get(name.decode(errors="replace"))
        if cipher is None:
            raise PayloadKeyError(f"a payload is encrypted by the key {name!r}, which DULY_PAYLOAD_KEYS does not have")
        try:
            opened = cipher.decrypt(payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:], name)
        except (InvalidTag, ValueError):
            raise PayloadKeyError(f"a payload is not as the key {name!r} has encrypted it") from None
        return Payload.FromString(opened)
