"""`transactions`: what moves the balances of accounts, by hand."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import typer

from commands.changing.changes import changes
from commands.ledger.transaction_options import (
    Account,
    Acknowledge,
    Amount,
    AnyDay,
    AnyTransaction,
    BackOfficeCode,
    Behind,
    Category,
    Creatable,
    Document,
    Draft,
    DueOn,
    Invoices,
    IssuedOn,
    Key,
    Lines,
    Method,
    PostedOn,
    Preference,
    Reason,
    Reference,
    Transaction,
    Type,
    Voucher,
    write_options,
)
from commands.options import Actor, AsCsv, Json, Limit, day_of
from commands.runner import perform
from models.ledger.transaction import Classification, LifeCycleState

app = typer.Typer(
    help="Financial transactions: create, post, correct, look up. Nothing posted is ever changed or deleted.",
    no_args_is_help=True,
)


class State(StrEnum):
    """States to filter by; `settled` is one that nothing is left to pay of."""

    DRAFT = LifeCycleState.DRAFT.value
    POSTED = LifeCycleState.POSTED.value
    SETTLED = "settled"
    REJECTED = LifeCycleState.REJECTED.value
    CANCELLED = LifeCycleState.CANCELLED.value
    WRITTEN_OFF = LifeCycleState.WRITTEN_OFF.value


@app.command("create")
@changes()
def create_transaction(
    classification: Annotated[Creatable, typer.Argument(metavar="CLASSIFICATION", help="What to create.")],
    account: Account,
    *,
    document: Document = None,
    line: Lines = None,
    amount: Amount = "",
    method: Method = "",
    invoice: Invoices = None,
    due_on: DueOn = None,
    type: Type = "",
    category: Category = "",
    reason: Reason = "",
    reference: Reference = "",
    preference: Preference = "",
    voucher: Voucher = "",
    back_office_code: BackOfficeCode = "",
    issued_on: IssuedOn = None,
    posted_on: PostedOn = None,
    any_day: AnyDay = "",
    draft: Draft = False,
    acknowledge: Acknowledge = False,
    key: Key = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Create an invoice, credit note, payment or refund, and post it unless it is to be a draft.

    Prices and amounts are in major units of the account's currency. A line's discount is an amount, or a rate such as
    15%; its tax is the product's unless it names another rate, or `none`.
    """
    from commands.ledger.drafts import create

    given = _given(line, amount=amount, method=method, invoices=invoice or (), due_on=_text(due_on), type=type)
    given |= {"category": category, "reason": reason, "reference": reference, "preference": preference}
    given |= {"voucher": voucher, "back_office_code": back_office_code}
    given |= {"issued_on": _text(issued_on), "posted_on": _text(posted_on)}
    options = write_options(actor, key, any_day)
    perform(
        lambda output: create(
            output, classification, account, given, document, options, is_draft=draft, is_acknowledged=acknowledge
        ),
        as_json=as_json,
    )


@app.command("edit")
@changes()
def edit_draft(
    transaction: Transaction,
    *,
    document: Document = None,
    line: Lines = None,
    amount: Amount = "",
    method: Method = "",
    invoice: Invoices = None,
    due_on: DueOn = None,
    type: Type = "",
    category: Category = "",
    reason: Reason = "",
    reference: Reference = "",
    preference: Preference = "",
    back_office_code: BackOfficeCode = "",
    issued_on: IssuedOn = None,
    clear: Annotated[list[str] | None, typer.Option("--clear", help="A field to empty. May be given again.")] = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Change a draft. What is not given stays; lines and invoices are replaced as a whole."""
    from commands.ledger.drafts import edit

    given = _given(line, amount=amount, method=method, invoices=invoice or (), due_on=_text(due_on), type=type)
    given |= {"category": category, "reason": reason, "reference": reference, "preference": preference}
    given |= {"back_office_code": back_office_code, "issued_on": _text(issued_on), "clear": clear or ()}
    perform(lambda output: edit(output, transaction, given, document, write_options(actor)), as_json=as_json)


@app.command("post")
@changes()
def post_draft(
    transaction: Transaction,
    posted_on: PostedOn = None,
    any_day: AnyDay = "",
    acknowledge: Acknowledge = False,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Post a draft: it gets its number, moves the balance and is allocated. Posting it again changes nothing."""
    from commands.ledger.drafts import post

    perform(
        lambda output: post(
            output, transaction, write_options(actor, any_day=any_day), posted_on=posted_on, is_acknowledged=acknowledge
        ),
        as_json=as_json,
    )


@app.command("reject")
@changes(final="The draft is rejected for good.")
def reject_draft(
    transaction: Transaction,
    reason: Annotated[str, typer.Argument(metavar="REASON", help="A reason from `transactions reasons`.")],
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Reject a draft, for one of the configured reasons. It never counts anywhere."""
    from commands.ledger.drafts import reject

    perform(lambda output: reject(output, transaction, reason, write_options(actor)), as_json=as_json)


@app.command("reasons")
def list_reasons(as_json: Json = False) -> None:
    """List the reasons for rejecting drafts and for issuing corrections."""
    from commands.ledger.drafts import reasons

    perform(reasons, as_json=as_json)


@app.command("note")
@changes()
def note_transaction(
    transaction: Transaction,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note, at most 4000 characters.")],
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Add a shared note to a transaction, in any state; who and when is kept with it."""
    from commands.ledger.drafts import note

    perform(lambda output: note(output, transaction, text, write_options(actor)), as_json=as_json)


@app.command("show")
def show_transaction(transaction: AnyTransaction, as_json: Json = False) -> None:
    """Show a transaction: fields, lines, what it settles, its double entry, corrections and notes."""
    from commands.ledger.transactions import show

    perform(lambda output: show(output, transaction), as_json=as_json)


@app.command("list")
def list_transactions(
    *,
    account: Annotated[str, typer.Option("--account", help="Only of this account.")] = "",
    classification: Annotated[Classification | None, typer.Option("--classification", help="Only these.")] = None,
    state: Annotated[State | None, typer.Option("--state", help="Only in this state.")] = None,
    since: Annotated[
        date | None, typer.Option("--from", parser=day_of, metavar="DAY", help="Posted on this day or later.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=day_of, metavar="DAY", help="Posted on this day or before.")
    ] = None,
    unsettled: Annotated[bool, typer.Option("--unsettled", help="Only what is not settled yet.")] = False,
    reference: Annotated[
        str, typer.Option("--reference", help="Only what has this back-office code or payment reference.")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Every page, as they are read.")] = False,
    limit: Limit = 50,
    after: Behind = "",
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List transactions, newest first, a page at a time. Drafts are found by their day of issue."""
    from activities.ledger.transaction_queries import TransactionFilter
    from commands.ledger.transactions import list_pages

    wanted = TransactionFilter(
        account, classification or "", state or "", since, until, unsettled=unsettled, reference=reference
    )
    perform(
        lambda output: list_pages(output, wanted, after=after, limit=limit, is_all=every),
        as_json=as_json,
        as_csv=as_csv,
    )


def _given(lines: list[str] | None, **fields: Any) -> dict[str, Any]:
    return {**fields, "lines": lines or ()}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
