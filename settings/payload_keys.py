"""Keys by which payloads in Temporal are encrypted, and who may read them through the codec server."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping

KEY_BYTES = 32
TOKEN_LENGTH_MIN = 32
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def payload_keys(text: str) -> Mapping[str, bytes]:
    """Read `id:key` pairs, the key that encrypts first. Raises ValueError without any value: a pair is no such pair."""
    keys: dict[str, bytes] = {}
    for name, value in _pairs(text, "id:key, the key 32 bytes in base64, as of `openssl rand -base64 32`").items():
        try:
            keys[name] = b64decode(value, validate=True)
        except (Error, ValueError):
            keys[name] = b""
        if len(keys[name]) != KEY_BYTES:
            raise ValueError(f"the key {name} must be {KEY_BYTES} bytes in base64, as of `openssl rand -base64 32`")
    return keys


def codec_tokens(text: str) -> Mapping[str, str]:
    """Read `who:token` pairs. Raises ValueError: a pair is no such pair, or a token could be guessed."""
    tokens = _pairs(text, f"who:token, the token of {TOKEN_LENGTH_MIN} characters or more")
    for name, token in tokens.items():
        if len(token) < TOKEN_LENGTH_MIN:
            raise ValueError(f"the token of {name} must have {TOKEN_LENGTH_MIN} characters or more")
    return tokens


def _pairs(text: str, meaning: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in re.split(r"[,\s]+", text.strip()) if text.strip() else ():
        name, _, value = part.partition(":")
        if not _NAME.fullmatch(name) or not value:
            raise ValueError(f"must be a list of {meaning}")
        if name in pairs:
            raise ValueError(f"{name} is there twice")
        pairs[name] = value
    return pairs
