"""Releasing files for the bank: within the limits of who asks, or by another person's approval."""

from collections.abc import Iterable, Mapping

from activities.bank.release.bank_files import BankFiles
from activities.console.approvals import Approvals
from activities.database import Database
from commands.bank.bank_refunds import decide
from commands.changing.changes import kept_command, person_of
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.console.approval import LimitedKind
from models.problem import Problem, RefusedError, refusal

_WAITS = "waits for another person as {id}: approvals approve {id}"


async def require_released(database: Database, kind: LimitedKind, subject: str, *, actor: str, reason: str) -> None:
    """Let a file be written, or ask another person. Raises RefusedError (file_is_released) until that one has."""
    kept = kept_command()
    because = reason or (kept.reason if kept else "")
    waiting = await BankFiles(database).release(kind, subject, actor=person_of(actor), reason=because)
    if waiting:
        limits = await _limits_of(database, waiting)
        raise RefusedError(
            [
                Problem(
                    "file", "file_is_released", f"the file of {subject}: {limits[id]}, and it {_WAITS.format(id=id)}"
                )
                for id in waiting
            ]
        )


async def release_refunds(output: Output, period: str, *, actor: str, reason: str) -> list[str]:
    """Release the file of a month's refunds; return the requests that wait for another person.

    What the schedule has drafted is released by its workflow. Raises RefusedError with its reason, as of one decided.
    """
    async with database_of(read_settings()) as database:
        files = BankFiles(database)
        waiting = await files.release(LimitedKind.REFUND_FILE, period, actor=actor, reason=reason)
        state = await files.state_of(LimitedKind.REFUND_FILE, period)
        is_drafted = bool(await files.amounts(LimitedKind.REFUND_FILE, period))
        limits = await _limits_of(database, waiting)
    if waiting:
        _answer(output, "Refunds of", period, waiting, limits)
    elif is_drafted and state in {"", "released"}:
        # Whoever drafts by hand has decided; the schedule's month is decided once.
        _answer(output, "Refunds of", period, [], {})
    else:
        await decide(output, period, release=True, actor=actor, reason=reason)
    return waiting


async def release_debits(output: Output, batch: str, *, actor: str, reason: str) -> list[str]:
    """Release the file of a batch of debits; return the requests that wait for another person."""
    async with database_of(read_settings()) as database:
        files = BankFiles(database)
        if not await files.amounts(LimitedKind.DEBIT_FILE, batch):
            raise refusal("batch", "batch_exists", f"there is no batch {batch!r}")
        waiting = await files.release(LimitedKind.DEBIT_FILE, batch, actor=actor, reason=reason)
        limits = await _limits_of(database, waiting)
    _answer(output, "Batch", batch, waiting, limits)
    return waiting


async def amount_of(database: Database, kind: LimitedKind, subject: str, currency: str) -> int:
    """Return what a file comes to now in a currency, in minor units. Raises RefusedError: nothing of it waits."""
    found = (await BankFiles(database).amounts(kind, subject)).get(currency)
    if found is None:
        raise refusal("file", "file_waits", f"nothing of {subject} in {currency} waits for a file")
    return found


async def _limits_of(database: Database, waiting: Iterable[str]) -> Mapping[str, str]:
    """Return for each request the limit of who has asked for it, as a sentence without its full stop."""
    approvals, limits = Approvals(database), {}
    for id in waiting:
        if (asked := await approvals.find(id)) is not None:
            limits[id] = str(await approvals.limit_alone(LimitedKind(asked.kind), asked.asked_by, asked.currency))
    return limits


def _answer(output: Output, title: str, subject: str, waiting: list[str], limits: Mapping[str, str]) -> None:
    state = "waits" if waiting else "released"
    output.answer(
        {"subject": subject, "state": state, "waits_as": waiting}, table("", title, subject, rows=[("State", state)])
    )
    for id in waiting:
        output.note(f"{limits[id][:1].upper()}{limits[id][1:]}: it {_WAITS.format(id=id)}")
