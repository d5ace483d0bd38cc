"""Exporting the monthly refunds: draft them once, and write the bank's file as often as wanted."""

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from activities.bank.bank_refunds import state_of_month
from activities.bank.refund_export import RefundExport
from activities.bank.refund_file import Instruction, Payer, as_csv, as_pain_001, month_content
from activities.database import Database
from activities.imports.csv_files import csv_rows
from commands.bank.release import require_released
from commands.formatting import money
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.bank.bank_refunds import file_problem
from models.bank.payee import IbanError, Payee, bic_is_written_well, iban_of
from models.bank.refund_plan import Candidate, FileFormat, PainVersion, SkipReason, Terms, against
from models.bank.rows import payee
from models.console.approval import LimitedKind
from models.imports.columns import PAYEES
from models.money import Money
from models.problem import Problem, RefusedError, refusal


@dataclass(frozen=True)
class Export:
    """What an operator asks for."""

    period: str
    file: Path
    file_format: FileFormat
    payees: Path | None
    payer: tuple[str, str, str]
    execute_on: date
    includes_gateway: bool
    actor: str
    version: PainVersion = PainVersion.V09


async def export(output: Output, options: Export) -> None:
    """Draft a month's refunds unless that is done, and write their file. Wrong options draft nothing."""
    if options.file.exists():
        raise refusal("file", "file_is_new", f"{options.file.name} exists; it may be with the bank already")
    payer, payees = payer_of(options), read_payees(options.payees)
    terms = Terms(options.file_format, frozenset(payees), includes_gateway=options.includes_gateway)
    async with database_of(read_settings()) as database:
        drafted, skipped = await _drafted(database, options.period, terms, options.actor)
        waiting = _waiting(drafted)
        if waiting:
            await require_released(database, LimitedKind.REFUND_FILE, options.period, actor=options.actor, reason="")
    if waiting:
        _write(options, _content(options, drafted, payees, payer))
    _report(output, options.period, options.file_format, drafted, skipped, file=options.file.name if waiting else None)
    if overtaken := [row.reference_number for row in drafted if row.is_overtaken and not row.is_at_bank]:
        output.note(
            f"Not in the file: {' '.join(overtaken)}. The credit went back otherwise in the restore's gap,"
            " or is at the bank; what no bank has is ended by `refunds confirm` with the status rejected."
        )
    if not waiting:
        output.note("No file: nothing waits for it. What a file has that `refunds adopt` was shown is with the bank.")


async def draft(output: Output, period: str, terms: Terms, *, actor: str) -> None:
    """Draft a month's refunds unless that is done, as the export does before it writes. Nothing is written."""
    async with database_of(read_settings()) as database:
        drafted, skipped = await _drafted(database, period, terms, actor)
    _report(output, period, terms.file_format, drafted, skipped, file=None)


async def _drafted(
    database: Database, period: str, terms: Terms, actor: str
) -> tuple[Sequence[Row[Any]], Sequence[tuple[Candidate, SkipReason]]]:
    """Return the refunds of a month, drafted now unless they were, and who is left out of what is drafted now."""
    # A file that was sent before a restore would be sent again.
    await database.call("require_sending", provider_id="")
    await database.call("require_no_missing_refund_file")
    if problem := file_problem(period, await state_of_month(database, period)):
        raise refusal("period", "month_is_released", problem)
    exporting = RefundExport(database, actor=actor or getpass.getuser())
    if drafted := await exporting.of_period(period):
        return drafted, ()
    checked = [(one, against(one, terms)) for one in await exporting.candidates()]
    await exporting.draft(period, [one for one, reason in checked if reason is None])
    return await exporting.of_period(period), [(one, reason) for one, reason in checked if reason is not None]


def payer_of(options: Export) -> Payer:
    """Check who pays: pain.001 needs it. Raises RefusedError."""
    name, iban, bic = options.payer
    if options.file_format is FileFormat.CSV:
        return Payer(name, iban, bic)
    if not name or not iban:
        raise refusal("payer", "payer_required", "pain.001 needs --payer-name and --payer-iban")
    if not bic_is_written_well(bic):
        raise refusal("payer-bic", "bic_format", "must be 8 or 11 letters and digits")
    try:
        return Payer(name, iban_of(iban), bic)
    except IbanError as error:
        raise refusal("payer-iban", "iban_valid", str(error)) from error


def read_payees(file: Path | None) -> dict[str, Payee]:
    """Read bank details. A file with a bad row is refused whole: nobody loses a refund by a slip of the pen."""
    if file is None:
        return {}
    problems: list[Problem] = []
    payees: dict[str, Payee] = {}
    for one in csv_rows(PAYEES, file, payee):
        if isinstance(one, Problem):
            problems.append(one)
        elif one.account_id in payees:
            problems.append(Problem("account_id", "id_once", f"{one.account_id!r} is there twice", PAYEES))
        else:
            payees[one.account_id] = one
    if problems:
        raise RefusedError(problems)
    return payees


def _waiting(drafted: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return what no bank has: a file that was shown after a restore has its refunds for good.

    What its account's credit does not cover any more was rejected before the restore, and has gone back since.
    """
    return [row for row in drafted if row.state == "draft" and not row.is_at_bank and not row.is_overtaken]


def _content(options: Export, drafted: Sequence[Row[Any]], payees: dict[str, Payee], payer: Payer) -> bytes:
    refunds = [
        Instruction(row.reference_number, row.account_id, Money(row.total_minor, row.currency), row.owner_name)
        for row in _waiting(drafted)
    ]
    # Of the whole month, whatever became of its refunds: a file with those that are left is refused as known.
    month = month_content((row.reference_number, Money(row.total_minor, row.currency)) for row in drafted)
    if options.file_format is FileFormat.CSV:
        return as_csv(refunds, payees, f"Refund {options.period}")
    if missing := [one.account_id for one in refunds if one.account_id not in payees]:
        raise RefusedError([Problem("payees", "payee_missing", f"{id!r} is drafted and has no row") for id in missing])
    if foreign := [one.account_id for one in refunds if one.amount.currency != "EUR"]:
        raise RefusedError([Problem("format", "currency_of_format", f"{id!r} is not in euros") for id in foreign])
    return as_pain_001(
        refunds,
        payees,
        payer,
        period=options.period,
        execute_on=options.execute_on,
        version=options.version,
        month=month,
    )


def _write(options: Export, content: bytes) -> None:
    try:
        # Bank details are for the bank: nobody else on the machine reads them. The name is taken or it fails.
        options.file.touch(mode=0o600, exist_ok=False)
        options.file.write_bytes(content)
    except OSError as error:
        raise refusal("file", "file_writable", str(error.strerror)) from error


def _report(
    output: Output,
    period: str,
    file_format: FileFormat,
    drafted: Sequence[Row[Any]],
    skipped: Iterable[tuple[Candidate, SkipReason]],
    *,
    file: str | None,
) -> None:
    refunds = [
        {
            "reference": row.reference_number,
            "transaction_id": row.id,
            "account_id": row.account_id,
            "amount_minor": row.total_minor,
            "currency": row.currency,
            "state": row.state,
        }
        for row in drafted
    ]
    left_out = [
        {"account_id": one.account_id, "credit_minor": one.credit_minor, "currency": one.currency, "reason": reason}
        for one, reason in skipped
    ]
    rows = [(row.reference_number, row.account_id, money(row.total_minor, row.currency), row.state) for row in drafted]
    others = [(one["account_id"], str(one["reason"]).replace("_", " ")) for one in left_out]
    output.answer(
        {
            "period": period,
            "file": file,
            "format": file_format,
            "refunds": refunds,
            "skipped": left_out,
        },
        table(f"Refunds of {period}", "Reference", "Account", "Amount", "State", rows=rows, right=("Amount",)),
        *([table("In credit and left out", "Account", "Why", rows=others)] if others else []),
    )
