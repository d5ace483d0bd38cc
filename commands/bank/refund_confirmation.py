"""Reading the bank's answers about refunds: CSV, pain.002, or the debits of a statement in any of its formats."""

import asyncio
import getpass
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.table import Table

from activities.bank.formats.exported_csv import layouts_of
from activities.bank.formats.layouts import statement_layouts
from activities.bank.formats.mt940 import is_mt940
from activities.bank.formats.zipped import files_in
from activities.bank.iso20022 import STATUS_REPORT, message_of
from activities.bank.iso_statement import KINDS, Read
from activities.bank.iso_status import status_answers
from activities.bank.refund_confirmation import Became, Confirmed, RefundConfirm
from activities.imports.csv_files import csv_rows
from commands.bank.statement_files import read_entries
from commands.collection_signals import signal_collections
from commands.output import Output, problem_table, table
from commands.session import database_of, read_settings
from models.bank.entry import BankEntry
from models.bank.exports.layout import StatementLayout
from models.bank.refund_answer import AnswerStatus, BankBatchAnswer, BankRefundAnswer, exported_ids_in
from models.bank.rows import refund_answer
from models.imports.columns import ANSWERS
from models.money import Money
from models.problem import Problem, refusal

Answer = BankRefundAnswer | BankBatchAnswer | Problem
Applied_co = TypeVar("Applied_co", covariant=True)

_REFERENCE = re.compile(r"R[0-9]{1,18}")


async def confirm(output: Output, file: Path, *, actor: str, rejection_reason: str, layout: str = "") -> None:
    """Apply the answers of a file. A bad line is named, and every good one is applied.

    `layout` is the one by which a bank's own CSV is read; "" is the one whose columns the file has.
    """
    settings = read_settings()
    problems: list[Problem] = []
    done: list[Confirmed] = []
    async with database_of(settings) as database:
        confirming = RefundConfirm(database, actor=actor or getpass.getuser(), rejection_reason=rejection_reason)
        # Reading a file is work of the processor: beside the event loop, on which others are served.
        layouts = await statement_layouts(database, layout)
        answers = await asyncio.to_thread(lambda: list(read_all(file, layouts, by_layout=bool(layout))))
        results = await apply_answers(confirming, answers)
        problems += [one for one in results if isinstance(one, Problem)]
        done += [one for one in results if isinstance(one, Confirmed)]
        pending = await confirming.pending()
        # Answers that were applied before an interruption have told nobody.
        touched = sorted({one.account_id for one in done if one.became in {Became.POSTED, Became.UNCHANGED}})
        signals = await signal_collections(output, database, settings, touched)
    counts = Counter({str(became): 0 for became in Became})
    counts.update(str(one.became) for one in done)
    summary = {**counts, "refused": len(problems), "waiting_for_an_answer": pending}
    output.answer(
        {
            "refunds": [_document(one) for one in done],
            "problems": [problem.as_document() for problem in problems],
            "summary": summary,
            **signals,
        },
        _table(done),
        *([problem_table(problems)] if problems else []),
        table("Answers", "Outcome", "Number", rows=list(summary.items()), right=("Number",)),
        is_good=not problems,
    )


class AppliesAnswers(Protocol[Applied_co]):
    """What takes a bank's answers, about refunds or about debits: of one payment, or of all in a file."""

    async def apply(self, answer: BankRefundAnswer) -> Applied_co | Problem: ...

    async def apply_batch(
        self, batch: BankBatchAnswer, answered: Collection[str]
    ) -> Sequence[Applied_co | Problem]: ...


async def apply_answers(
    confirming: AppliesAnswers[Applied_co], answers: Iterable[Answer]
) -> list[Applied_co | Problem]:
    """Apply answers. What is said of a payment counts more than what is said of its file, wherever it stands."""
    results: list[Applied_co | Problem] = []
    batches: list[BankBatchAnswer] = []
    answered: set[str] = set()
    for answer in answers:
        if isinstance(answer, BankBatchAnswer):
            batches.append(answer)
        elif isinstance(answer, Problem):
            results.append(answer)
        else:
            answered.add(answer.reference)
            results.append(await confirming.apply(answer))
    for batch in batches:
        results += await confirming.apply_batch(batch, answered)
    return results


def read_all(file: Path, layouts: Sequence[StatementLayout] = (), *, by_layout: bool = False) -> Iterator[Answer]:
    """Yield the answers of a file, or of each file in a ZIP file."""
    with files_in(file) as files:
        # Each is opened before the first answer is applied: one that holds none refuses them all.
        for answers in [read_answers(one, layouts, by_layout=by_layout) for one in files]:
            yield from answers


def read_answers(file: Path, layouts: Sequence[StatementLayout] = (), *, by_layout: bool = False) -> Iterator[Answer]:
    """Return the answers in a file, whatever it is. Raises RefusedError when it holds none.

    CSV is one of answers, or a statement in one of the layouts; `by_layout`, in the one that is given.
    """
    match message_of(file):
        case "" if by_layout or is_mt940(file) or layouts_of(file, layouts):
            return _paid_in(read_entries(file, layouts, by_layout=by_layout))
        case "":
            return csv_rows(ANSWERS, file, refund_answer)
        case message if message == STATUS_REPORT:
            return status_answers(file)
        case message if message in KINDS:
            return _paid_in(read_entries(file))
        case message:
            raise refusal("file", "answer_message", f"holds {message}; answers are CSV, pain.002 or a statement")


def _paid_in(entries: Iterable[Read]) -> Iterator[Answer]:
    """Yield an answer for each booked debit that names a refund, or a file of refunds; the rest is not ours."""
    for entry in entries:
        if isinstance(entry, BankEntry) and _is_refund(entry):
            major = _major(entry)
            yield BankRefundAnswer(entry.line, entry.end_to_end_id, AnswerStatus.PAID, major, entry.currency)
        elif isinstance(entry, BankEntry) and (batch := _batch(entry)):
            yield batch
        elif isinstance(entry, Problem):
            yield entry


def _is_payment(entry: BankEntry) -> bool:
    return not entry.is_credit and entry.is_booked and not entry.is_return


def _is_refund(entry: BankEntry) -> bool:
    return _is_payment(entry) and bool(_REFERENCE.fullmatch(entry.end_to_end_id))


def _batch(entry: BankEntry) -> BankBatchAnswer | None:
    """Return the answer that a debit of a whole file is, by the file's name or by the payments in it."""
    sent = entry.sent_ids if all(_REFERENCE.fullmatch(id) for id in entry.sent_ids) else ()
    # Of a format without a field for the file's name its words have it, perhaps cut by the bank's line length.
    ids = entry.batch_ids or tuple(exported_ids_in(entry.text) or exported_ids_in(entry.text.replace("\n", "")))
    batch = BankBatchAnswer(entry.line, AnswerStatus.PAID, ids, sent, amount=_major(entry), currency=entry.currency)
    return batch if _is_payment(entry) and (batch.period or batch.references) else None


def _major(entry: BankEntry) -> str:
    return str(Money(entry.amount_minor, entry.currency)).removesuffix(f" {entry.currency}")


def _document(one: Confirmed) -> dict[str, Any]:
    return {
        "line": one.answer.line,
        "reference": one.answer.reference,
        "account_id": one.account_id,
        "transaction_id": one.transaction_id,
        "outcome": one.became,
        "reason": one.answer.reason,
    }


def _table(done: Iterable[Confirmed]) -> Table:
    rows = [(one.answer.line, one.answer.reference, one.account_id, one.became, one.answer.reason) for one in done]
    return table("", "Line", "Reference", "Account", "Outcome", "Why", rows=rows, right=("Line",))
