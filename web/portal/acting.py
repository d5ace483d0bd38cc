"""What a customer does: the use case behind a command, kept like it with who and why."""

import re
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from commands.changing.changes import KeptCommand
from commands.changing.keeping import keeping
from commands.output import Output
from commands.runner import translated
from web.security import text_of

if TYPE_CHECKING:
    from rich.console import RenderableType

ACTOR = "customer"
WHY = "asked for in the portal"
_KEY = re.compile(r"[0-9a-f]{32}")


class AnsweredDocument(Output):
    """What a use case answers, kept as its document."""

    def __init__(self) -> None:
        super().__init__(as_json=True)
        self.document: Mapping[str, Any] = {}

    def answer(self, document: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Keep the document."""
        del view, is_good
        self.document = document

    def note(self, text: str) -> None:
        """Leave out what is said beside the answer: it is for people at a terminal."""


async def carried_out(
    command: str, subject: str, work: Callable[[AnsweredDocument], Awaitable[None]]
) -> Mapping[str, Any]:
    """Carry a command out in the customer's name and return what it answers. Raises Failure as the command does."""
    output = AnsweredDocument()

    async def kept() -> None:
        async with keeping(KeptCommand(command, subject, ACTOR, WHY), output):
            await work(output)

    await translated(kept())
    return output.document


def key_of(form: FormData, account_id: str) -> str:
    """Return by what key a form begins something once. Raises HTTPException: it has none of ours.

    The account is in it: a browser sends what it likes, and must not name what another account has begun.
    """
    key = text_of(form, "key")
    if not _KEY.fullmatch(key):
        raise HTTPException(409)
    return sha256(f"{account_id}/{key}".encode()).hexdigest()[:32]
