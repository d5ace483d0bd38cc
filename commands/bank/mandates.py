"""Writing mandates down, showing them, and telling whoever waits for one."""

from dataclasses import dataclass, field
from datetime import date

from activities.bank.debits.mandates import Mandates, MandateTerms, bank_account
from commands.collection_signals import signal_collections
from commands.formatting import document
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of
from models.listing import ListPage


@dataclass(frozen=True)
class NewMandate:
    """What is given of a new mandate."""

    mandate: str
    account: str
    provider: str
    method: str
    payer: str = field(repr=False)
    iban: str = field(repr=False)
    bic: str = field(repr=False)
    signed_on: date | None
    actor: str
    reason: str
    notice_days: int | None = None


async def create(output: Output, new: NewMandate) -> None:
    """Write a mandate down. Raises RefusedError."""
    of = bank_account(new.payer, new.iban, new.bic)
    settings = read_settings()
    async with database_of(settings) as database:
        await Mandates(database).create(
            new.mandate,
            new.account,
            new.provider,
            new.method,
            of,
            terms=MandateTerms(new.signed_on, new.notice_days),
            actor=new.actor,
            reason=new.reason,
        )
        if new.signed_on is not None:
            await signal_collections(output, database, settings, [new.account], signal="card_changed")
    await show(output, new.mandate)


async def sign(output: Output, mandate: str, signed_on: date | None, *, actor: str, reason: str) -> None:
    """Note a signature, today where the creditor is or on a day, and try what waits for one. Raises RefusedError."""
    settings = read_settings()
    async with database_of(settings) as database:
        account = await Mandates(database).sign(mandate, signed_on, actor=actor, reason=reason)
        await signal_collections(output, database, settings, [account], signal="card_changed")
    await show(output, mandate)


async def amend(output: Output, mandate: str, given: tuple[str, str, str], *, actor: str, reason: str) -> None:
    """Change a mandate's bank account, and try what waits for that. Raises RefusedError."""
    to = bank_account(*given, is_payer_known=True)
    settings = read_settings()
    async with database_of(settings) as database:
        account = await Mandates(database).amend(mandate, to, actor=actor, reason=reason)
        await signal_collections(output, database, settings, [account], signal="card_changed")
    await show(output, mandate)


async def cancel(output: Output, mandate: str, *, actor: str, reason: str) -> None:
    """End a mandate. Raises RefusedError."""
    settings = read_settings()
    async with database_of(settings) as database:
        account = await Mandates(database).cancel(mandate, actor=actor, reason=reason)
        # What waited for its file is declined by now.
        await signal_collections(output, database, settings, [account], signal="gateway_event")
    await show(output, mandate)


async def show(output: Output, mandate: str) -> None:
    """Show one mandate. Raises RefusedError (mandate_exists)."""
    async with reading_database_of(read_settings()) as database:
        found = await Mandates(database).find(mandate)
    rows = [
        ("Account", found.account_id),
        ("Provider", found.provider_id),
        ("Payer", found.payer_name),
        ("Bank account", f"ends in {found.iban_end}"),
        ("State", found.state),
        ("Why", found.state_reason),
        ("Signed on", found.signed_on or ""),
        ("Last used on", found.last_used_on or ""),
        ("Notice", f"{found.notice_days} days" if found.notice_days else ""),
        ("Amended", "the next debit says so" if found.is_amended else ""),
    ]
    output.answer(
        document(found),
        table("", "Mandate", mandate, rows=[row for row in rows if row[1]]),
        table("Decisions", "What was decided", rows=[(decision,) for decision in found.decisions]),
    )


async def list_page(output: Output, page: ListPage, *, account_id: str, state: str) -> None:
    """List a page of mandates, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Mandates(database).page(page, account_id=account_id, state=state)
    columns = {
        "Mandate": lambda row: row.id,
        "Account": lambda row: row.account_id,
        "Bank account": lambda row: f"…{row.iban_end}",
        "Signed on": lambda row: row.signed_on or "",
        "Last used on": lambda row: row.last_used_on or "",
        "State": state_word,
        "Why": lambda row: row.state_reason,
    }
    await answer_list(output, settings, "mandates", listed, columns)
