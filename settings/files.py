"""Settings that stand in files, such as the secrets of compose or Kubernetes, and passwords beside their addresses."""

import os
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

# What may be given a line each.
_LISTS = frozenset({"payload_keys", "codec_tokens"})


def values_in_files(variables: Mapping[str, str], given: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields whose value is in a file that <variable>_FILE names; an empty file is none.

    Raises ValueError for a file that cannot be read, that has several lines, or whose setting is given as well.
    """
    for field, name in variables.items():
        path = os.environ.get(f"{name}_FILE")
        if not path:
            continue
        try:
            value = Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{name}_FILE: {path} cannot be read: {error}") from None
        if len(value.splitlines()) > 1 and field not in _LISTS:
            raise ValueError(f"{name}_FILE: {path} must hold one line, the value alone")
        if value and (field in given or name in given):
            raise ValueError(f"{name}_FILE: {name} is set as well; set one of them")
        if value:
            yield field, value


def with_password(url: str, password: str) -> str:
    """Put a password into an address that names a user without one."""
    named = urlsplit(url).netloc
    user, at, place = named.rpartition("@")
    if not at or ":" in user:
        return url
    return url.replace(f"//{named}", f"//{user}:{quote(password, safe='')}@{place}", 1)
