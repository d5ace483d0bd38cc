"""What every page works with, and who has asked for it."""

import hmac
from asyncio import Semaphore, Task
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from activities.console.approvals import Approvals
from activities.console.forms import ConsoleForms
from activities.console.mass_actions import MassActions
from activities.console.passkeys import Passkeys
from activities.console.saved_views import SavedViews
from activities.console.users import Users
from activities.database import Database
from models.console.console_user import ConsoleUser
from settings import Settings
from web.rendering import Pages
from web.sign_in_limits import SignInLimits

# An export reads all of a list: no more of them at a time, of one person and of all.
EXPORTS_OF_ONE = 2
EXPORTS_AT_ONCE = 6
# A report reads all of its days; others wait, and pages of single objects have connections left.
REPORTS_AT_ONCE = 2


class Turns:
    """So many at a time, and so many of one person: whoever asks for ten waits for their own, and holds up nobody."""

    def __init__(self, at_once: int, of_one: int = 1) -> None:
        self._all = Semaphore(at_once)
        self._of_one = of_one
        # A person is forgotten with the last turn that they hold or wait for.
        self._own: WeakValueDictionary[str, Semaphore] = WeakValueDictionary()

    def why_not(self, person: str) -> str:
        """Return why a person would have to wait now; "" when their turn would come at once."""
        own = self._own.get(person)
        if own is not None and own.locked():
            return f"{self._of_one} of yours are under way."
        return "Those of others are under way." if self._all.locked() else ""

    @asynccontextmanager
    async def of(self, person: str) -> AsyncIterator[None]:
        """Wait for a person's turn, and keep it."""
        own = self._own.get(person)
        if own is None:
            own = self._own[person] = Semaphore(self._of_one)
        async with own, self._all:
            yield


@dataclass(frozen=True)
class Web:
    """One process of the console: its settings, a database for reading, users and forms, and its templates."""

    settings: Settings
    reading: Database = field(repr=False)
    users: Users = field(repr=False)
    passkeys: Passkeys = field(repr=False)
    forms: ConsoleForms = field(repr=False)
    approvals: Approvals = field(repr=False)
    views: SavedViews = field(repr=False)
    mass_actions: MassActions = field(repr=False)
    pages: Pages = field(repr=False)
    limits: SignInLimits = field(repr=False)
    exports: Turns = field(default_factory=lambda: Turns(EXPORTS_AT_ONCE, EXPORTS_OF_ONE), repr=False)
    # Trying a file out locks what postings need: one at a time.
    previews: Semaphore = field(default_factory=lambda: Semaphore(1), repr=False)
    reports: Turns = field(default_factory=lambda: Turns(REPORTS_AT_ONCE), repr=False)
    figures: dict[str, Any] = field(default_factory=dict, repr=False)
    progress: dict[str, Any] = field(default_factory=dict, repr=False)
    # What goes on after its answer.
    under_way: set[Task[None]] = field(default_factory=set, repr=False)


@dataclass(frozen=True)
class Visit:
    """A request of somebody who is signed in."""

    web: Web
    request: Request
    user: ConsoleUser
    token: str = field(repr=False)

    @property
    def form_token(self) -> str:
        """What a form of this session carries, so that none of another site is taken for it."""
        return form_token(self.token)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Answer with a page."""
        settings = self.web.settings
        shown = {
            "user": self.user,
            "form_token": self.form_token,
            "mode": settings.gateway_mode,
            "path": self.request.url.path,
            **values,
        }
        return HTMLResponse(self.web.pages.render(template, **shown), status)

    def require_export(self) -> None:
        """Raise HTTPException (429) while this user, or all together, have as many exports under way as may be."""
        if why := self.web.exports.why_not(self.user.id):
            raise HTTPException(429, f"Exports: {why} Try again in a minute.")

    def temporal_link(self, workflow_id: str) -> str:
        """Return the address of a workflow in the Temporal UI; "" when no UI is set."""
        base = self.web.settings.temporal_ui_url.rstrip("/")
        namespace = quote(self.web.settings.temporal_namespace, safe="")
        return f"{base}/namespaces/{namespace}/workflows/{quote(workflow_id, safe='')}" if base else ""


def form_token(session_token: str) -> str:
    """Return the token of a session's forms: whoever has it cannot tell the session's."""
    return hmac.new(session_token.encode(), b"form", sha256).hexdigest()
