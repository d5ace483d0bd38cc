"""Arguments and options of the commands about transactions."""

import re
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import AccountId, day_of, moment_of

if TYPE_CHECKING:
    from commands.ledger.transaction_writer import WriteOptions


def issue_of(text: str) -> date:
    """Read a day of issue, or a moment, in UTC unless it says its zone."""
    return moment_of(text) if "T" in text else day_of(text)


class Creatable(StrEnum):
    """What a person creates; cancellations and write-offs are made of what they undo."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUND = "refund"


Account = AccountId
Transaction = Annotated[
    str, typer.Argument(metavar="TRANSACTION", help="Id, number or reference number: ft_7, INV-0000000007, R7.")
]
AnyTransaction = Annotated[
    str,
    typer.Argument(
        metavar="TRANSACTION",
        help="Id, number or reference number: ft_7, INV-0000000007, R7; or a back-office code or payment reference.",
    ),
]
Document = Annotated[
    Path | None,
    typer.Option(
        "--from", exists=True, dir_okay=False, readable=True, help="A TOML or JSON document instead of the options."
    ),
]
Lines = Annotated[
    list[str] | None,
    typer.Option(
        "--line",
        help="A line: product=gold,quantity=2,price=100.00,discount=15%,tax_rate=vat. May be given again.",
    ),
]
Amount = Annotated[str, typer.Option("--amount", help="Amount in major units, such as 12.50.")]
Method = Annotated[str, typer.Option("--method", help="Payment or refund method, such as bank_transfer.")]
Invoices = Annotated[
    list[str] | None, typer.Option("--invoice", help="An invoice that it is meant for. May be given again.")
]
Type = Annotated[str, typer.Option("--type", help="Transaction type; else the classification's default.")]
Category = Annotated[str, typer.Option("--category", help="One of the type's categories.")]
Reason = Annotated[str, typer.Option("--reason", help="Issue reason.")]
Reference = Annotated[str, typer.Option("--reference", help="Reference of the payment, such as a cheque's number.")]
Preference = Annotated[str, typer.Option("--preference", help="Payment preference of the account.")]
Voucher = Annotated[str, typer.Option("--voucher", help="Number of the voucher that paid.")]
BackOfficeCode = Annotated[str, typer.Option("--back-office-code", help="Unique code for other systems.")]
AnyDay = Annotated[
    str,
    typer.Option(
        "--any-day", metavar="WHY", help="Post on a day that is closed or has not come yet: why; needs the right to."
    ),
]
IssuedOn = Annotated[
    date | None,
    typer.Option(
        "--issued-on",
        parser=issue_of,
        metavar="DAY|MOMENT",
        help="Day or moment of issue (UTC, or with its zone); else now.",
    ),
]
DueOn = Annotated[
    date | None, typer.Option("--due-on", parser=day_of, metavar="DAY", help="Due date; else the rule's.")
]
PostedOn = Annotated[
    date | None,
    typer.Option(
        "--posted-on", parser=day_of, metavar="DAY", help="Accounting day; else today where the account lives."
    ),
]
Draft = Annotated[bool, typer.Option("--draft", help="Save as a draft: no number, no effect on the balance.")]
Acknowledge = Annotated[
    bool, typer.Option("--acknowledge-warning", help="Refund although it takes the balance above the credit limit.")
]
Key = Annotated[str, typer.Option("--key", help="Idempotency key: the same command under the same key is done once.")]


def transaction_id(text: str) -> str:
    """Check an id on the command line."""
    if text and not re.fullmatch(r"ft_[0-9]{1,18}", text):
        raise typer.BadParameter(f"{text!r} is no id such as ft_7")
    return text


Behind = Annotated[
    str,
    typer.Option(
        "--after", metavar="ID", parser=transaction_id, help="Continue behind this id: the `next` of the page before."
    ),
]


def write_options(actor: str, key: str = "", any_day: str = "") -> "WriteOptions":
    """Return who asks, under which key, and why on a day that is not open, if so."""
    from commands.ledger.transaction_writer import WriteOptions

    return WriteOptions(actor, key, any_day)
