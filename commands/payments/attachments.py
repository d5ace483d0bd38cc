"""Attaching files to payment requests: read and checked before anything is written."""

from collections.abc import Sequence
from pathlib import Path

from activities.payments.payment_requests import attach
from commands.output import Output, table
from commands.session import database_of, read_settings
from commands.updates import require_who_and_why
from models.payments.attachment import ATTACHMENTS_MAX, BYTES_MAX, InvalidAttachmentError, RequestFile, attachment_of
from models.problem import refusal


def read_files(paths: Sequence[Path]) -> tuple[RequestFile, ...]:
    """Read files that are to be attached. Raises RefusedError naming the field and the rule."""
    if len(paths) > ATTACHMENTS_MAX:
        raise refusal("file", "attachments_at_most", f"a request has {ATTACHMENTS_MAX} files at most")
    return tuple(_read(path, path.name) for path in paths)


async def attach_file(output: Output, request_id: str, path: Path, name: str, actor: str, reason: str) -> None:
    """Attach a file to a request that is open. Raises RefusedError, or RuleBrokenError: it is over, or has too many."""
    require_who_and_why(actor, reason)
    file = _read(path, name or path.name)
    async with database_of(read_settings()) as database:
        place = await attach(database, request_id, file, actor)
    facts = [("File", file.name), ("Type", file.media_type), ("Bytes", len(file.content)), ("Place", place)]
    output.answer(
        {
            "request": request_id,
            "name": file.name,
            "media_type": file.media_type,
            "bytes": len(file.content),
            "place": place,
        },
        table("", "Payment request", request_id, rows=facts),
    )


def _read(path: Path, name: str) -> RequestFile:
    try:
        with path.open("rb") as file:
            # No more is read of what is too large anyway.
            return attachment_of(name, file.read(BYTES_MAX + 1))
    except InvalidAttachmentError as error:
        field, _, message = str(error).partition(": ")
        raise refusal(field, "attachment_valid", f"{path.name}: {message}") from error
