"""Files that are attached to a payment request: what may be attached, told by its content and never by its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.card_number import REFUSED, holds_card_number
from models.printable import NOT_PRINTABLE, is_printable
from models.problem import refuse_unless

BYTES_MAX = 5 * 1024 * 1024
ATTACHMENTS_MAX = 5
NAME_MAX = 120

# How each type begins, by its own standard, and how its files end.
_MAGIC: Mapping[str, bytes] = MappingProxyType(
    {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
)
SUFFIXES: Mapping[str, str] = MappingProxyType({"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"})
_PATH = re.compile(r'[/\\:*?"<>|]')


class InvalidAttachmentError(ValueError):
    """A file that may not be attached; the message opens with the field."""


@dataclass(frozen=True)
class RequestFile:
    """A file as it is kept: `name` as the payer reads it, with the ending of what it is; `content` as it was given."""

    name: str
    media_type: str
    content: bytes


def attachment_of(name: str, content: bytes) -> RequestFile:
    """Read a file that somebody attaches. Raises InvalidAttachmentError: too large, or neither PDF, PNG nor JPEG."""
    error = InvalidAttachmentError
    refuse_unless(len(content) <= BYTES_MAX, error, f"file: at most {BYTES_MAX // 1024 // 1024} MiB")
    type = next((one for one, magic in _MAGIC.items() if content.startswith(magic)), "")
    refuse_unless(bool(type), error, "file: is neither PDF, PNG nor JPEG by what is in it")
    shown = _PATH.sub("_", name.strip())
    refuse_unless(bool(shown.strip("._ ")), error, "name: say what the file is called")
    refuse_unless(is_printable(shown), error, f"name: {NOT_PRINTABLE}")
    refuse_unless(not holds_card_number(shown), error, f"name: {REFUSED}")
    endings = {SUFFIXES[type], "jpeg"} if type == "image/jpeg" else {SUFFIXES[type]}
    if shown.rpartition(".")[2].lower() not in endings:
        shown = f"{shown}.{SUFFIXES[type]}"
    refuse_unless(len(shown) <= NAME_MAX, error, f"name: at most {NAME_MAX} characters")
    return RequestFile(shown, type, content)
