"""What another person's approval of a file for the bank does: it is released, and with it the month of its refunds."""

from activities.bank.release.bank_files import ACTIONS, BankFiles
from activities.database import Database
from commands.bank.release import amount_of, release_refunds
from commands.console.limited import LIMITED, Amounting, AskedAction, LimitedAction, amounting
from commands.output import Output
from commands.session import database_of, read_settings
from models.console.approval import LimitedKind


async def amounting_of(database: Database, action: str, asked: AskedAction) -> Amounting:
    """Return what an action that was approved comes to now. Raises RefusedError: there is no such thing any more."""
    if action not in RELEASES:
        return await amounting(database, action, asked)
    amount = await amount_of(database, RELEASES[action].kind, asked.id, asked["currency"])
    return Amounting(None, amount, asked["currency"])


async def _release_refunds(output: Output, asked: AskedAction) -> None:
    await _release(asked)
    await release_refunds(output, asked.id, actor=asked.actor, reason=asked.reason)


async def _release_debits(output: Output, asked: AskedAction) -> None:
    await _release(asked)
    output.note(f"Now write the file: duly debits export PROVIDER FILE --batch {asked.id}")


async def _release(asked: AskedAction) -> None:
    async with database_of(read_settings()) as database:
        await BankFiles(database).release_approved(f"apv_{asked.key}")


RELEASES = {
    ACTIONS[kind]: LimitedAction(kind, command, carry)
    for kind, command, carry in (
        (LimitedKind.REFUND_FILE, "refunds release", _release_refunds),
        (LimitedKind.DEBIT_FILE, "debits release", _release_debits),
    )
}
# Everything that a request may be about.
APPROVABLE = {**LIMITED, **RELEASES}
