"""Actions on files of the bank: what was uploaded is imported or applied, and what is written for it is released."""

import base64
import binascii
import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from commands.bank.refund_confirmation import confirm
from commands.bank.release import release_debits, release_refunds
from commands.bank.statement_import import import_statement
from commands.console.limited import AskedAction, CapturedOutput
from commands.output import Output
from models.console.roles import Permission
from models.problem import refusal
from web.actions.action import Action, FormField

PLACE = "/bank-files"
DECLINED = "declined"


@contextmanager
def stored(content: str) -> Iterator[Path]:
    """Lend a file that was uploaded, for as long as it is read; its own name is nobody's business."""
    read = content_of(content)
    with TemporaryDirectory(prefix="duly-bank-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(read)
        if zipfile.is_zipfile(path):
            raise refusal("file", "file_is_no_zip", "is a ZIP file: unpack it first, or import it by the command line")
        yield path


def content_of(content: str) -> bytes:
    """Return what a form's field holds of a file. Raises RefusedError for one that did not come whole."""
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refusal("file", "file_readable", "did not come whole: choose it again") from error


def name_of(content: bytes) -> str:
    """Return by what a file is known: of the same file always the same."""
    return f"sha256:{hashlib.sha256(content).hexdigest()[:24]}"


async def _import(output: Output, asked: AskedAction) -> None:
    # Lines that are wrong are named, and the good ones are posted all the same: it was done, not refused.
    captured = CapturedOutput()
    with stored(asked["content"]) as file:
        await import_statement(captured, file, actor=asked.actor, layout=asked["layout"])
    _kept_lines(output, captured)


async def _answer(output: Output, asked: AskedAction) -> None:
    captured = CapturedOutput()
    with stored(asked["content"]) as file:
        await confirm(captured, file, actor=asked.actor, rejection_reason=asked["rejection"] or DECLINED)
    _kept_lines(output, captured)


def _kept_lines(output: Output, captured: CapturedOutput) -> None:
    for line in captured.lines:
        if not line.endswith(": 0"):
            output.note(line)


STATEMENT = Action(
    *("bank-files", "statement", "Import the statement", "import bank", Permission.CORRECT),
    "Credits become payments; money of which nobody knows whose it is goes to suspense.",
    _import,
    (FormField("layout", "Layout", "select", "layouts"),),
    place=PLACE,
)
ANSWERS = Action(
    *("bank-files", "answers", "Apply the answers", "refunds confirm", Permission.CORRECT),
    "Refunds that the bank has paid are posted, those that it refused are rejected.",
    _answer,
    (FormField("rejection", "Rejected because", "select", "reasons:rejection"),),
    place=PLACE,
)


async def _release_refunds(output: Output, asked: AskedAction) -> None:
    _note_waiting(output, await release_refunds(output, asked.id, actor=asked.actor, reason=asked.reason))


async def _release_debits(output: Output, asked: AskedAction) -> None:
    _note_waiting(output, await release_debits(output, asked.id, actor=asked.actor, reason=asked.reason))


def _note_waiting(output: Output, waiting: list[str]) -> None:
    if waiting and isinstance(output, CapturedOutput):
        output.waits = True


_FINAL = "The bank's file can be written, and what it asks for be carried out."
RELEASES = (
    Action(
        *("refund-files", "release", "Release", "refunds release", Permission.CORRECT),
        "The file of the month's refunds may be written from now on. Above the limit another person has to approve it.",
        _release_refunds,
        states=frozenset({"waiting", "drafted"}),
        final=_FINAL,
    ),
    Action(
        *("debit-files", "release", "Release", "debits release", Permission.CORRECT),
        "The file of the batch may be written from now on. Above the limit another person has to approve it.",
        _release_debits,
        states=frozenset({"written"}),
        final=_FINAL,
    ),
)
ACTIONS = (STATEMENT, ANSWERS, *RELEASES)
