"""What goes with a message: files of documents, made before it is claimed, by whoever prints them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Attachment:
    """A file. It is somebody's, so it is never logged."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


class AttachmentError(Exception):
    """A file that belongs to a message cannot be made as things are; a person has to look at it."""


class Attachments(Protocol):
    """Makes the files that go with messages."""

    async def of(self, message_id: str) -> Sequence[Attachment]:
        """Return the files of a message, none for most kinds. Raises AttachmentError."""
        ...
