"""What a setting must be, in words: people read no patterns."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

_ADDRESS = "must be an address without a path, like https://pay.example.com"
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        r"^https?://[^/]+$": _ADDRESS,
        r"^(https?://[^/]+)?$": _ADDRESS,
        r"^(https?://[^/]+(/.*)?)?$": "must be an address, like https://login.example.com",
        r"^[a-z][a-z0-9_-]{0,31}$": "must begin with a letter, and have at most 32 of a-z 0-9 _ -",
        "^(DEBUG|INFO|WARNING|ERROR)$": "must be one of DEBUG, INFO, WARNING, ERROR",
    }
)


def about(message: str, variables: Collection[str]) -> tuple[str, str]:
    """Split a message that begins with the variable that it is about; ("", message) where it does not."""
    name, _, rest = message.partition(" ")
    name = name.removesuffix(":")
    return (name, rest) if name.removesuffix("_FILE") in variables else ("", message)
