"""What goes with a message: files of documents, made before it is claimed, by whoever prints them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
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


Files = Sequence[Attachment] | AttachmentError

# So many messages have their files made while one is handed over: e-invoices are written by several processes.
AHEAD = 4


class FilesAhead:
    """The files of messages that are sent one after the other, made for the next ones meanwhile."""

    def __init__(self, make: Callable[[str], Awaitable[Files]], ids: Iterable[str]) -> None:
        self._make = make
        self._waiting = deque(ids)
        self._begun: dict[str, asyncio.Task[Files]] = {}

    async def of(self, message_id: str) -> Files:
        """Return the files of a message; raises whatever making them raised, and makes them anew when asked again."""
        if message_id not in self._begun:
            self._begin(message_id)
        while self._waiting and len(self._begun) <= AHEAD:
            following = self._waiting.popleft()
            if following not in self._begun and following != message_id:
                self._begin(following)
        try:
            return await self._begun[message_id]
        finally:
            del self._begun[message_id]

    async def end(self) -> None:
        """Leave what nobody has asked for: what was printed is kept, and printed once."""
        for task in self._begun.values():
            task.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)

    def _begin(self, message_id: str) -> None:
        self._begun[message_id] = asyncio.ensure_future(self._made(message_id))

    async def _made(self, message_id: str) -> Files:
        return await self._make(message_id)
