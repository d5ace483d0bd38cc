"""The portal over a test's database, asked as a customer's browser asks it."""

import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from activities.database import Database
from activities.request_tokens import PortalLinks
from settings import Settings
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.assets import own_assets
from web.portal.app import build_portal
from web.portal.context import Portal
from web.portal.words import PortalPages

URL = "http://127.0.0.1:8020"
OURS: Mapping[str, str] = {"sec-fetch-site": "same-origin"}
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
KEY = re.compile(r'name="key" value="([0-9a-f]{32})"')


@dataclass
class Customer:
    """Somebody in front of the portal."""

    client: httpx.AsyncClient
    links: PortalLinks
    last: str = field(default="", repr=False)

    async def open(self, path: str) -> str:
        """Open a page, which must be there, and return it."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        self.last = answer.text
        return answer.text

    async def status(self, path: str) -> int:
        """Return how a page is answered."""
        return (await self.client.get(path)).status_code

    async def send(self, path: str, headers: Mapping[str, str] = OURS, **fields: str) -> httpx.Response:
        """Send a form, with the session's token and the last key of the page that was opened last."""
        hidden = {"form_token": _TOKEN.findall(self.last), "key": KEY.findall(self.last)}
        known = {name: values[-1] for name, values in hidden.items() if values}
        return await self.client.post(path, data={**known, **fields}, headers=headers)

    async def enter(self, account: str) -> None:
        """Sign in by a link of an account."""
        answer = await self.send(f"/enter/{await self.links.made(account)}")
        assert answer.status_code == 303, answer.text
        await self.open("/")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation with a portal."""
    return settings.model_copy(update={"portal_url": URL})


@pytest.fixture
def portal(database: Database, settings: Settings) -> Portal:
    """The portal's parts, over this test's database."""
    return Portal(settings, database, database, PortalPages(own_assets()))


@pytest.fixture
async def customer(portal: Portal, database: Database) -> AsyncIterator[Customer]:
    """A browser that remembers nothing."""
    transport = httpx.ASGITransport(app=build_portal(portal, own_assets(), Counter()))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield Customer(client, PortalLinks(database))


@pytest.fixture
def acting(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings of a process, which the use cases read; the log is as before when it is over."""
    for name, value in {**cli.environment, "DULY_PORTAL_URL": URL}.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


async def reachable(merchant: Merchant, account: str, email: str = "anna@example.com", locale: str = "en") -> str:
    """Give an account an address and a language."""
    await merchant.run(
        "update duly.accounts set email = :email, locale = :locale where id = :id",
        id=account,
        email=email,
        locale=locale,
    )
    return account
