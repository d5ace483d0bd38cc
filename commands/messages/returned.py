"""`messages bounces`: reading what came back to the sender's mailbox: files, an mbox, a maildir, or a pipe."""

import mailbox
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from activities.messages.returned_mail import ReturnedMail, ReturnedMails, ReturnOutcome
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.problem import refusal

STDIN = "-"
# The report stands at the head of it; what else came back is not needed.
_READ_AT_MOST = 1 << 20
_MBOX = b"From "


async def take(output: Output, places: Sequence[str]) -> None:
    """Take all mail of some places. Raises RefusedError for a place that is not there."""
    mails = [mail for place in places for mail in mails_in(place)]
    found: list[ReturnedMail] = []
    async with database_of(read_settings()) as database:
        returned = ReturnedMails(database)
        for mail in mails:
            found += await returned.take(mail)
    counts = Counter(one.outcome for one in found)
    noted = [one for one in found if one.outcome in {ReturnOutcome.STOPPED, ReturnOutcome.FAILED}]
    output.answer(
        {
            "read": len(mails),
            "counts": {str(outcome): counts[outcome] for outcome in ReturnOutcome},
            "messages": [{"id": one.message_id, "outcome": one.outcome, "status": one.status} for one in noted],
        },
        table("", "Mail that came back", "Number", rows=[(_WORDS[one], counts[one]) for one in ReturnOutcome]),
        *(f"{one.message_id}: {one.status}" for one in noted),
    )


_WORDS = {
    ReturnOutcome.STOPPED: "Failed, and the address is written to no more",
    ReturnOutcome.FAILED: "Failed; the address is still written to",
    ReturnOutcome.KNOWN: "Known before",
    ReturnOutcome.UNKNOWN: "About no message of ours",
    ReturnOutcome.NOT_FINAL: "Delayed or delivered",
    ReturnOutcome.NO_REPORT: "No report of a delivery",
}


def mails_in(place: str) -> Iterator[bytes]:
    """Yield the beginning of each mail of a place. Raises RefusedError (place_exists)."""
    if place == STDIN:
        yield sys.stdin.buffer.read(_READ_AT_MOST)
        return
    path = Path(place)
    files: Iterator[Path]
    if (path / "new").is_dir() or (path / "cur").is_dir():
        files = (one for name in ("new", "cur") for one in sorted((path / name).glob("*")))
    elif path.is_dir():
        files = iter(sorted(one for one in path.iterdir() if one.is_file()))
    elif path.is_file():
        files = iter((path,))
    else:
        raise refusal("place", "place_exists", f"{place!r} is no file and no folder that can be read")
    for file in files:
        yield from _in_file(file)


def _in_file(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as opened:
            head = opened.read(_READ_AT_MOST)
    except OSError as error:
        raise refusal("place", "place_exists", f"{path} cannot be read: {error.strerror}") from error
    if not head.startswith(_MBOX):
        yield head
        return
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.iterkeys():
            with box.get_file(key) as mail:
                yield mail.read(_READ_AT_MOST)
    finally:
        box.close()
