"""What every page of the portal works with, and whose session has asked for it."""

import asyncio
import secrets
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from limits import RateLimitItem
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from activities.database import Database
from activities.portal.access import PortalAccess, PortalCustomer
from activities.portal.queries import PortalQueries
from settings import Settings
from web.context import form_token
from web.portal.limits import PortalLimits
from web.portal.words import PortalPages, Reader, reader_of, reader_of_header

# A file that was not printed before takes a core for a moment.
FILES_AT_ONCE = 2


@dataclass(frozen=True)
class Portal:
    """One process of the portal: its settings, databases for reading and writing, templates and limits."""

    settings: Settings
    reading: Database = field(repr=False)
    writing: Database = field(repr=False)
    pages: PortalPages = field(repr=False)
    limits: PortalLimits = field(repr=False, default_factory=PortalLimits)
    printing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FILES_AT_ONCE), repr=False)

    @property
    def access(self) -> PortalAccess:
        """Who is let in."""
        return PortalAccess(self.writing)

    @property
    def sender(self) -> str:
        """Return who the portal is of, as letters are signed."""
        name, address = parseaddr(self.settings.mail_from)
        return name or address.rpartition("@")[2]

    def page(self, reader: Reader, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Answer with a page for a reader."""
        shown = {
            "sender": self.sender,
            "customer": None,
            "form_token": "",
            "path": "",
            "notice": "",
            "is_done": False,
            "way": "",
            **values,
        }
        headers = {"retry-after": "3600"} if status == 429 else None
        return HTMLResponse(self.pages.render(template, reader, **shown), status, headers=headers)

    def message(self, reader: Reader, key: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Answer with a page that says one thing: its title and text stand in the catalogue under a key."""
        return self.page(
            reader, "message.html", status, title=reader.text(f"{key}_title"), text=reader.text(key), **values
        )


@dataclass(frozen=True)
class PortalVisit:
    """A request of a customer who is signed in.

    `notice` is the key of the text that its page says first, and `key` is that of its forms.
    """

    portal: Portal
    request: Request
    customer: PortalCustomer
    token: str = field(repr=False)
    notice: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def reader(self) -> Reader:
        """Return in whose language and calendar the page is."""
        return reader_of(self.customer.locale)

    @property
    def queries(self) -> PortalQueries:
        """Return the reads of this account, which find no other's."""
        return PortalQueries(self.portal.reading, self.customer.account_id)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Answer with a page of the session."""
        return self.portal.page(self.reader, template, status, **self._of_session, **values)

    def message(self, key: str, status: int = 200, *, way: str = "") -> Response:
        """Answer with a page of the session that says one thing; `way` is the page on which something can be done."""
        return self.portal.message(self.reader, key, status, way=way, **self._of_session)

    def require(self, limit: RateLimitItem, what: str) -> None:
        """Count one more of something by this account. Raises HTTPException (429) beyond the limit."""
        if not self.portal.limits.allows(limit, what, self.customer.account_id):
            raise HTTPException(429)

    @property
    def _of_session(self) -> dict[str, Any]:
        return {
            "customer": self.customer,
            "form_token": form_token(self.token),
            "path": self.request.url.path,
            "notice": self.notice,
            "is_done": self.request.method == "GET" and self.request.query_params.get("done") == "yes",
        }


def reader_before(request: Request) -> Reader:
    """Return the reader of a page that is nobody's yet."""
    return reader_of_header(request.headers.get("accept-language", ""))
