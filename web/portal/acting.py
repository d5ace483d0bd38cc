"""What a customer does: the use case behind a command, kept like it with who and why."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from commands.changing.changes import KeptCommand
from commands.changing.keeping import keeping
from commands.output import ExitCode, Failure, Output
from commands.runner import translated
from web.portal.context import PortalVisit
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


def is_unknown(failure: Failure) -> bool:
    """Whether nobody can say what became of a command: its answer was lost, perhaps after its commit."""
    return failure.code is not ExitCode.REFUSED


async def unknown(
    visit: PortalVisit, show: Callable[[PortalVisit], Awaitable[Response]], form: FormData | None = None
) -> Response:
    """Say on a page that nobody knows whether what was sent was done, and show what is so now (503).

    The page keeps the key of the form, by which it is done once however often it is sent. Raises
    DatabaseUnavailableError: nothing can be read either.
    """
    given = text_of(form, "key") if form is not None else ""
    key = given if _KEY.fullmatch(given) else visit.key
    customer = await visit.portal.access.of_session(visit.token) or visit.customer
    shown = await show(replace(visit, customer=customer, notice="unknown_now", key=key))
    shown.status_code = 503
    return shown


def key_of(form: FormData, account_id: str) -> str:
    """Return by what key a form begins something once. Raises HTTPException: it has none of ours.

    The account is in it: a browser sends what it likes, and must not name what another account has begun.
    """
    key = text_of(form, "key")
    if not _KEY.fullmatch(key):
        raise HTTPException(409)
    return sha256(f"{account_id}/{key}".encode()).hexdigest()[:32]
