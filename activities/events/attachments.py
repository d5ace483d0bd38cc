"""The files behind a payment request's link: given out as files, and never shown in the page's own place."""

from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from activities.database import Database
from activities.events.request_links import PRIVATE_HEADERS
from activities.request_tokens import hash_of
from models.payments.attachment import ATTACHMENTS_MAX

_NOTHING = "There is no file behind this link."


async def attached_file(database: Database, token: str, place: int) -> Response:
    """Give out a file of a request by one of its links; a link that is none is answered as a file that is not there."""
    if not 1 <= place <= ATTACHMENTS_MAX:
        return PlainTextResponse(_NOTHING, status_code=404, headers=dict(PRIVATE_HEADERS))
    rows = await database.rows("select * from duly.attachment_of_link(:hash, :place)", hash=hash_of(token), place=place)
    if not rows:
        return PlainTextResponse(_NOTHING, status_code=404, headers=dict(PRIVATE_HEADERS))
    found = rows[0]
    headers = {
        **PRIVATE_HEADERS,
        "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)
