"""`documents`: invoices and what else customers are given, as files."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Json, day_of
from commands.runner import perform
from models.printouts.facts import PrintFormat

app = typer.Typer(
    help="Documents: invoices, credit notes, cancellations, receipts, refunds and statements as files; e-invoices.",
    no_args_is_help=True,
)


class TemplateKind(StrEnum):
    """What templates write; all other formats are of programs, or follow from these."""

    PDF = "pdf"
    HTML = "html"
    RTF = "rtf"


Transaction = Annotated[str, typer.Argument(metavar="TRANSACTION", help="Number, reference number or id.")]
Format = Annotated[PrintFormat, typer.Option("--format", help="As what; factur-x is a PDF with the e-invoice in it.")]
Language = Annotated[str, typer.Option("--language", help="de or en; else the account's.")]
Target = Annotated[
    Path | None,
    typer.Option("--output", dir_okay=False, help="Write it to this new file; else one named by its number."),
]


@app.command("print")
@changes()
def print_document(
    transaction: Transaction,
    format: Format = PrintFormat.PDF,
    output: Target = None,
    language: Language = "",
    as_json: Json = False,
) -> None:
    """Print the document of a transaction. What is posted is printed once and kept: later prints are that file.

    A draft is printed as it is now, marked as one and without a number. An e-invoice (factur-x, ubl, cii) is checked by
    the business rules of EN 16931, and refused with each rule that it breaks.
    """
    from commands.printouts.documents import print_one

    perform(lambda out: print_one(out, transaction, format, output, language=language), as_json=as_json)


@app.command("statement")
def print_statement(
    account: AccountId,
    format: Format = PrintFormat.PDF,
    since: Annotated[
        date | None, typer.Option("--from", parser=day_of, metavar="DAY", help="First day; else from the beginning.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=day_of, metavar="DAY", help="Last day; else today (UTC).")
    ] = None,
    output: Target = None,
    language: Language = "",
    as_json: Json = False,
) -> None:
    """Print an account's statement: what was posted between two balances. Nothing is kept of it."""
    from commands.printouts.documents import print_statement_of

    if since and until and since > until:
        raise typer.BadParameter(f"{since} is after {until}", param_hint="--from")
    perform(
        lambda out: print_statement_of(out, account, since, until, format, output, language=language), as_json=as_json
    )


@app.command("link")
@changes()
def link_document(
    transaction: Transaction,
    format: Format = PrintFormat.PDF,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How long the link leads to it.")] = 30,
    language: Language = "",
    as_json: Json = False,
) -> None:
    """Print a posted transaction's document, and make a link from which it can be downloaded.

    Whoever has the link has the document; what it ends in is kept nowhere, so each time it is another one.
    """
    from commands.printouts.documents import link_one

    perform(lambda out: link_one(out, transaction, format, days, language=language), as_json=as_json)


@app.command("template")
def show_template(
    kind: Annotated[TemplateKind, typer.Argument(metavar="FORMAT", help="pdf (Typst), html or rtf (Jinja).")],
    as_json: Json = False,
) -> None:
    """Print our own template of a format, to begin a seller's own with (`[sellers.templates]` of the definitions)."""
    from commands.printouts.documents import show_our_template

    perform(lambda out: show_our_template(out, kind), as_json=as_json)


@app.command("show")
def show_document(transaction: Transaction, as_json: Json = False) -> None:
    """Show what a document says, what was printed of it, and why it can or cannot be an e-invoice."""
    from commands.printouts.documents import show

    perform(lambda out: show(out, transaction), as_json=as_json)
