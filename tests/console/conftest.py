"""The console over a test's database, asked as a browser asks it."""

import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from activities.console.approvals import Approvals
from activities.console.forms import ConsoleForms
from activities.console.mass_actions import MassActions
from activities.console.passkeys import Passkeys
from activities.console.saved_views import SavedViews
from activities.console.users import Users
from activities.database import Database
from models.console.roles import ConsoleRole
from settings import Settings
from tests.support.command_line import CommandLine
from web.app import build_app
from web.assets import own_assets
from web.context import Web
from web.rendering import Pages
from web.sign_in_limits import SignInLimits

URL = "http://127.0.0.1:8010"
PASSWORD = "correct horse battery"
OURS: Mapping[str, str] = {"sec-fetch-site": "same-origin"}
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
_KEY = re.compile(r'name="key" value="([0-9a-f]+)"')


@dataclass
class Browser:
    """Somebody in front of the console."""

    client: httpx.AsyncClient
    users: Users
    last: str = field(default="", repr=False)

    async def open(self, path: str) -> str:
        """Open a page, which must be there, and return it."""
        answer = await self._get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        self.last = answer.text
        return answer.text

    async def status(self, path: str) -> int:
        """Return how a page is answered."""
        return (await self._get(path)).status_code

    async def _get(self, path: str) -> httpx.Response:
        # The address of a form is that of its key, to which the one without leads.
        return await self.client.get(path, follow_redirects=path.startswith("/do/"))

    async def send(self, path: str, headers: Mapping[str, str] = OURS, **fields: str) -> httpx.Response:
        """Send a form, with the session's token and the key of the page that was opened last."""
        known = {"form_token": _TOKEN, "key": _KEY}
        hidden = {name: found[1] for name, pattern in known.items() if (found := pattern.search(self.last))}
        return await self.client.post(path, data={**hidden, **fields}, headers=headers)

    async def sign_in(self, user: str = "maria", role: ConsoleRole = ConsoleRole.ACCOUNTANT) -> None:
        """Become a user, who is made."""
        await self.users.add(user, role, PASSWORD)
        answer = await self.send("/sign-in", user=user, password=PASSWORD, to="/")
        assert answer.status_code == 303, answer.text
        await self.open("/")


@pytest.fixture
def web(database: Database, settings: Settings) -> Web:
    """The console's parts, over this test's database."""
    forms, approvals = ConsoleForms(database), Approvals(database)
    users, passkeys = Users(database), Passkeys(database)
    parts = forms, approvals, SavedViews(database), MassActions(database)
    return Web(settings, database, users, passkeys, *parts, Pages(own_assets()), SignInLimits())


@pytest.fixture
async def browser(web: Web) -> AsyncIterator[Browser]:
    """A browser that remembers nothing."""
    transport = httpx.ASGITransport(app=build_app(web, own_assets()))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield Browser(client, web.users)


@pytest.fixture
def acting(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings of a process, which the use cases read; the log is as before when it is over."""
    for name, value in cli.environment.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
