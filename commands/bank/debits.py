"""Batches of debits: writing their files, noting them as sent, and applying what the bank says of them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from activities.bank.debits.debit_answers import DebitAnswered, DebitAnswers, DebitBecame
from activities.bank.debits.debit_files import DebitFiles
from activities.bank.debits.mandates import Mandates
from activities.bank.debits.missing_files import DebitAdopted, FileBecame, MissingFiles, debits_in
from activities.bank.formats.zipped import files_in
from activities.bank.iso20022 import STATUS_REPORT, message_of
from activities.bank.iso_status import status_answers
from commands.bank.refund_confirmation import Answer, apply_answers
from commands.bank.release import require_released
from commands.collection_signals import signal_collections
from commands.formatting import money
from commands.lists.paging import answer_list, state_word
from commands.output import Output, problem_table, table
from commands.session import database_of, read_settings, reading_database_of
from models.console.approval import LimitedKind
from models.listing import ListPage
from models.problem import Problem, refusal

_LEFT_OUT = "{} debits are due and not in it: their payers were not notified in time."


async def export(output: Output, provider: str, file: Path, batch: str, *, actor: str, reason: str) -> None:
    """Make a batch of what is due, or take the one that is named, and write its file. Raises RefusedError."""
    _require_new(file)
    async with database_of(read_settings()) as database:
        files = DebitFiles(database)
        id = batch or await files.batch(provider, actor=actor, reason=reason)
        content, debits = await files.content(id) if id else (b"", [])
        unannounced = await files.unannounced(provider)
        if id:
            await require_released(database, LimitedKind.DEBIT_FILE, id, actor=actor, reason=reason)
    if unannounced:
        output.note(_LEFT_OUT.format(unannounced))
    if not id:
        output.answer({"batch": None, "file": None, "debits": [], "not_announced": unannounced})
        output.note("No file: no debit is due.")
        return
    _write(file, content, id)
    rows = [
        (one.id, one.mandate, money(one.amount.amount_minor, one.amount.currency), one.sequence_type, one.collect_on)
        for one in debits
    ]
    output.answer(
        {
            "batch": id,
            "file": file.name,
            "not_announced": unannounced,
            "debits": [
                {
                    "id": one.id,
                    "mandate_id": one.mandate,
                    "amount_minor": one.amount.amount_minor,
                    "currency": one.amount.currency,
                    "sequence_type": one.sequence_type,
                    "collect_on": one.collect_on,
                }
                for one in debits
            ],
        },
        table(f"Batch {id}", "Debit", "Mandate", "Amount", "Type", "Collect on", rows=rows, right=("Amount",)),
    )


async def make_batch(output: Output, provider: str, *, actor: str, reason: str) -> None:
    """Put what is due into a batch, as the export does before it writes. Raises RefusedError: nothing is due."""
    async with database_of(read_settings()) as database:
        files = DebitFiles(database)
        id = await files.batch(provider, actor=actor, reason=reason)
        _, debits = await files.content(id) if id else (b"", [])
        unannounced = await files.unannounced(provider)
    left_out = _LEFT_OUT.format(unannounced) if unannounced else ""
    if not id:
        raise refusal("batch", "debits_due", left_out or "no debit is due")
    totals = Counter[str]()
    for one in debits:
        totals[one.amount.currency] += one.amount.amount_minor
    rows = [
        *(("Batch", id), ("Debits", str(len(debits)))),
        *(("Amount", money(amount, currency)) for currency, amount in sorted(totals.items())),
    ]
    output.answer(
        {"batch": id, "debits": len(debits), "not_announced": unannounced}, table("", "What", "It", rows=rows)
    )
    if left_out:
        output.note(left_out)


def _require_new(file: Path) -> None:
    if file.exists():
        raise refusal("file", "file_is_new", f"{file.name} exists; it may be with the bank already")


def _write(file: Path, content: bytes, batch: str) -> None:
    try:
        # Bank details are for the bank: nobody else on the machine reads them. The name is taken or it fails.
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(content)
    except OSError as error:
        raise refusal("file", "file_writable", f"{error.strerror}; write it with --batch {batch}") from error


async def note_sent(output: Output, batch: str, *, actor: str, reason: str) -> None:
    """Note a batch as given to the bank. Raises RefusedError (batch_exists)."""
    async with database_of(read_settings()) as database:
        files = DebitFiles(database)
        await files.sent(batch, actor=actor, reason=reason)
        found = await files.find(batch)
    output.answer({"batch": batch, "state": found.state}, table("", "Batch", batch, rows=[("State", found.state)]))


async def confirm(output: Output, file: Path, *, actor: str, reason: str) -> None:
    """Apply a status report. A bad line is named, and every good one is applied."""
    settings = read_settings()
    async with database_of(settings) as database:
        answers = DebitAnswers(database)
        results = await apply_answers(answers, _read_all(file))
        done = [one for one in results if isinstance(one, DebitAnswered)]
        touched = await answers.accounts({one.debit for one in done if one.became is not DebitBecame.WAITING})
        signals = await signal_collections(output, database, settings, touched, signal="gateway_event")
    problems = [one for one in results if isinstance(one, Problem)]
    counts = Counter({str(became): 0 for became in DebitBecame})
    counts.update(str(one.became) for one in done)
    summary = {**counts, "refused": len(problems)}
    output.answer(
        {
            "debits": [{"line": one.line, "debit": one.debit, "outcome": one.became, "code": one.code} for one in done],
            "problems": [problem.as_document() for problem in problems],
            "summary": summary,
            "actor": actor,
            "reason": reason,
            **signals,
        },
        table(
            "", "Line", "Debit", "Outcome", "Code", rows=[(one.line, one.debit, one.became, one.code) for one in done]
        ),
        *([problem_table(problems)] if problems else []),
        is_good=not problems,
    )


async def refuse(output: Output, debit: str, code: str, *, actor: str, reason: str) -> None:
    """Note that the bank refuses one debit, as its portal or a letter says. Raises RefusedError naming the rule."""
    settings = read_settings()
    async with database_of(settings) as database:
        answers = DebitAnswers(database)
        became = await answers.refuse(debit, code)
        signals = await signal_collections(
            output, database, settings, await answers.accounts([debit]), signal="gateway_event"
        )
    output.answer(
        {"debit": debit, "outcome": became, "code": code, "actor": actor, "reason": reason, **signals},
        table("", "Debit", debit, rows=[("Outcome", became), ("Code", code)]),
    )


async def adopt(output: Output, provider: str, file: Path, *, actor: str, reason: str) -> None:
    """Write down again the debits of a file that the bank has. A bad one is named, and every good one is kept."""
    sent = debits_in(file)
    async with database_of(read_settings()) as database:
        results = await MissingFiles(database).adopt(provider, sent, actor=actor, reason=reason)
    done = [one for one in results if isinstance(one, DebitAdopted)]
    problems = [one for one in results if isinstance(one, Problem)]
    counts = Counter({str(became): 0 for became in FileBecame})
    counts.update(str(one.became) for one in done)
    output.answer(
        {
            "debits": [{"line": one.line, "debit": one.debit, "outcome": one.became} for one in done],
            "problems": [problem.as_document() for problem in problems],
            "summary": {**counts, "refused": len(problems)},
        },
        table("", "Line", "Debit", "Outcome", rows=[(one.line, one.debit, one.became) for one in done]),
        *([problem_table(problems)] if problems else []),
        is_good=not problems,
    )


def _read_all(file: Path) -> Iterator[Answer]:
    """Yield the answers of a file, or of each in a ZIP file. Raises RefusedError before any, if one is no report."""
    with files_in(file) as files:
        for one in files:
            if (message := message_of(one)) != STATUS_REPORT:
                what = f"holds {message or 'no message'}; answers about debits are pain.002"
                raise refusal("file", "answer_message", what)
        for one in files:
            yield from status_answers(one)


async def list_page(output: Output, page: ListPage, *, account_id: str, state: str) -> None:
    """List a page of debits, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Mandates(database).debits(page, account_id=account_id, state=state)
    columns = {
        "Debit": lambda row: row.id,
        "Account": lambda row: row.account_id,
        "Mandate": lambda row: row.mandate_id,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "Collect on": lambda row: row.collect_on,
        "Batch": lambda row: row.batch_id or "",
        "State": state_word,
        "Why": lambda row: row.code,
    }
    await answer_list(output, settings, "debits", listed, columns)
