"""Actions on files of the bank: what was uploaded is imported or applied, and what is written for it is released."""

import base64
import binascii
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from commands.bank.bank_refunds import decide
from commands.bank.debits import make_batch, note_sent
from commands.bank.refund_confirmation import confirm
from commands.bank.refund_export import draft, read_payees
from commands.bank.release import release_debits, release_refunds
from commands.bank.statement_import import import_statement
from commands.console.limited import AskedAction, CapturedOutput
from commands.output import Output
from models.bank.refund_plan import FileFormat, Terms
from models.console.roles import Permission
from models.period import InvalidPeriodError, Period
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


async def _import(output: Output, asked: AskedAction) -> None:
    # Lines that are wrong are named, and the good ones are posted all the same: it was done, not refused.
    captured = CapturedOutput()
    await import_statement(captured, Path(asked["path"]), actor=asked.actor, layout=asked["layout"])
    _kept_lines(output, captured)


async def _answer(output: Output, asked: AskedAction) -> None:
    captured = CapturedOutput()
    rejection = asked["rejection"] or DECLINED
    await confirm(captured, Path(asked["path"]), actor=asked.actor, rejection_reason=rejection)
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


async def _reject_refunds(output: Output, asked: AskedAction) -> None:
    await decide(output, asked.id, release=False, actor=asked.actor, reason=asked.reason)


def _note_waiting(output: Output, waiting: list[str]) -> None:
    if waiting and isinstance(output, CapturedOutput):
        output.waits = True


async def _draft(output: Output, asked: AskedAction) -> None:
    """Draft a month's refunds. Bank details are read for whom there are some, and kept nowhere."""
    period, file_format = month_of_form(asked.id), format_of_form(asked["format"])
    with stored_payees(asked["content"]) as file:
        known = frozenset(read_payees(file))
    terms = Terms(file_format, known, includes_gateway=asked["gateway"] == "yes")
    await draft(output, period, terms, actor=asked.actor)


async def _batch(output: Output, asked: AskedAction) -> None:
    await make_batch(output, asked.id, actor=asked.actor, reason=asked.reason)


async def _sent(output: Output, asked: AskedAction) -> None:
    await note_sent(output, asked.id, actor=asked.actor, reason=asked.reason)


@contextmanager
def stored_payees(content: str) -> Iterator[Path | None]:
    """Lend a file of bank details that was uploaded, or nothing where none was."""
    if not content:
        yield None
        return
    with stored(content) as file:
        yield file


def month_of_form(given: str) -> str:
    """Return a month of a form. Raises RefusedError (period_valid)."""
    try:
        return str(Period.parse(given))
    except InvalidPeriodError as error:
        raise refusal("period", "period_valid", str(error)) from error


def format_of_form(given: str) -> FileFormat:
    """Return what a bank reads, as it was chosen. Raises RefusedError (file_format)."""
    try:
        return FileFormat(given)
    except ValueError as error:
        raise refusal("format", "file_format", f"must be one of {', '.join(FileFormat)}") from error


FORMAT = FormField(
    "format",
    "What the bank reads",
    "select",
    words=[(one.value, "CSV" if one is FileFormat.CSV else f"ISO 20022 {one}") for one in FileFormat],
    is_required=True,
    value=FileFormat.PAIN_001,
)
DRAFT = Action(
    *("refund-files", "draft", "Draft the refunds", "refunds export", Permission.CORRECT),
    "A refund is drafted for every account in credit, once a month. Drafts move nothing: their file is written later.",
    _draft,
    (
        FormField("period", "Month", "month", is_required=True, help="Such as 2026-11."),
        FORMAT,
        FormField("gateway", "Also accounts whose money a gateway could send back", "checkbox"),
    ),
    place="/refund-files/{id}",
)
BATCH = Action(
    *("debit-files", "batch", "Make a batch", "debits export", Permission.CORRECT),
    "Every debit that is due is put into a batch, for good. The batch's file is written after it is released.",
    _batch,
    (FormField("provider", "Creditor", "select", "creditors", is_required=True),),
    place="/bank-files",
)
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
REJECT = Action(
    *("refund-files", "reject", "Reject", "refunds reject", Permission.CORRECT),
    "Every draft that the schedule has made for the month is rejected: what is due comes with the next month's.",
    _reject_refunds,
    states=frozenset({"waiting"}),
    final="Every draft of the month is rejected, and nobody of it is refunded.",
)
SENT = Action(
    *("debit-files", "sent", "Note as sent", "debits sent", Permission.CORRECT),
    "You have given the file to the bank; the bank's own answer says the same.",
    _sent,
    states=frozenset({"written"}),
)
ACTIONS = (STATEMENT, ANSWERS, DRAFT, BATCH, *RELEASES, REJECT, SENT)
