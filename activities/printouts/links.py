"""Links to files that were printed: made where they are handed out, answered by the receiver; kept as hashes."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from activities.database import Database
from activities.request_tokens import hash_of
from models.printouts.facts import PrintFormat
from models.printouts.formats import MEDIA_TYPES, SUFFIXES

LINK_DAYS = 30
# What our links end in is random beyond guessing, so that a bare hash of it cannot be turned back.
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

# A document is somebody's: kept out of caches and search engines; an HTML file runs nothing wherever it is opened.
_PRIVATE = MappingProxyType(
    {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
    }
)


@dataclass(frozen=True)
class FileLink:
    """The path of a new link, and when it ends."""

    path: str
    expires_at: datetime


class DocumentLinks:
    """Makes links to kept files, and answers them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def made(self, file_id: int, *, days: int = LINK_DAYS) -> FileLink:
        """Return a new link to a kept file, for some days."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        ends = await self._database.call("note_document_link", file_id=file_id, token_hash=hash_of(token), days=days)
        return FileLink(f"/documents/{token}", ends)

    async def download(self, request: Request) -> Response:
        """Give out the file behind a link; one that is over is answered as one that never was."""
        token = request.path_params["token"]
        rows = (
            await self._database.rows("select * from duly.document_of_link(:hash)", hash=hash_of(token))
            if _TOKEN.fullmatch(token)
            else ()
        )
        if not rows:
            return PlainTextResponse("There is no document behind this link any more.", status_code=404)
        found = rows[0]
        format = PrintFormat(found.format)
        name = quote(f"{found.number}.{SUFFIXES[format]}", safe="")
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", **_PRIVATE}
        return Response(found.content, media_type=MEDIA_TYPES[format], headers=headers)
