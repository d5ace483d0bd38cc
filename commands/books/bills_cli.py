"""`bills`: what accounts were billed for a period, with what was brought forward."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import Reason, changes
from commands.options import (
    ANSWER_SECONDS,
    AccountId,
    Actor,
    After,
    AsCsv,
    Json,
    Limit,
    PeriodText,
    Since,
    Until,
    WaitSeconds,
    period_of,
)
from commands.options import list_page as list_page_of
from commands.payments.quick_pay_cli import Card, HandOver, Method, Preference, ThroughProvider, WhyPaid
from commands.runner import perform
from models.printouts.facts import PrintFormat

app = typer.Typer(help="Bills: one an account and period, made by billing runs.", no_args_is_help=True)

BillName = Annotated[str, typer.Argument(metavar="BILL", help="Number or id of a bill: BIL-0000000001, bill_1.")]

Who = Annotated[str, typer.Option("--actor", help="Who says so; kept with the bill.")]
Why = Annotated[str, typer.Option("--reason", help="Why, or how; kept with the bill.")]


class BillWord(StrEnum):
    """States to filter by."""

    POSTED = "posted"
    PRESENTED = "presented"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@app.command("make")
@changes()
def make_bill(account: AccountId, period: PeriodText, actor: Actor = "", as_json: Json = False) -> None:
    """Make the bill of one account for a period, of what was posted up to its end. Making it again changes nothing.

    Billing runs make the bills of the accounts that they have billed by themselves.
    """
    from commands.books.bills import make

    perform(lambda output: make(output, account, period, actor=actor), as_json=as_json)


@app.command("limit")
@changes()
def limit_bills(
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="ISO 4217, such as EUR.")],
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="In major units, such as 500.00; `none` for no limit.")
    ],
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Say above which amount a bill is exceptional. A bill above its account's credit limit is so in any case."""
    from commands.books.bills import limit

    perform(lambda output: limit(output, currency, amount, actor=actor, reason=reason), as_json=as_json)


@app.command("quick-pay")
@changes()
def quick_pay_bill(
    bill: BillName,
    *,
    method: Method,
    card: Card = "",
    preference: Preference = "",
    provider: ThroughProvider = "",
    hand_over: HandOver = False,
    reference: Annotated[str, typer.Option("--reference", help="Reference of the payment.")] = "",
    key: Annotated[str, typer.Option("--key", help="Idempotency key: the same under the same key is done once.")] = "",
    actor: Actor = "",
    reason: WhyPaid = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Pay all that is unsettled of a bill's invoices: booked by a method of yours, or charged by a gateway."""
    from commands.books.bills import pay
    from commands.payments.quick_pay import QuickPay

    asked = QuickPay(method, provider, card, preference, hand_over, reference, reason)
    perform(lambda output: pay(output, bill, asked, key=key, actor=actor, wait_seconds=wait_seconds), as_json=as_json)


@app.command("present")
@changes()
def present_bill(bill: BillName, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Say that a bill was presented to its account, by mail or through a portal. A rejected one may be again."""
    from commands.books.bills import present

    perform(lambda output: present(output, bill, "presented", actor=actor, reason=reason), as_json=as_json)


@app.command("confirm")
@changes()
def confirm_bill(bill: BillName, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Say that the account has confirmed a presented bill. What is owed is its invoices, whatever is answered."""
    from commands.books.bills import present

    perform(lambda output: present(output, bill, "confirmed", actor=actor, reason=reason), as_json=as_json)


@app.command("reject")
@changes()
def reject_bill(bill: BillName, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Say that the account has rejected a presented bill. No money moves: credit what is wrong, and present again."""
    from commands.books.bills import present

    perform(lambda output: present(output, bill, "rejected", actor=actor, reason=reason), as_json=as_json)


@app.command("show")
def show_bill(bill: BillName, as_json: Json = False) -> None:
    """Show a bill: what was brought forward, its invoices and credit notes, and what is unsettled of them."""
    from commands.books.bills import show

    perform(lambda output: show(output, bill), as_json=as_json)


@app.command("print")
def print_bill(
    bill: BillName,
    format: Annotated[PrintFormat, typer.Option("--format", help="As what; a bill is no e-invoice.")] = PrintFormat.PDF,
    output: Annotated[
        Path | None,
        typer.Option("--output", dir_okay=False, help="Write it to this new file; else one named by its number."),
    ] = None,
    language: Annotated[str, typer.Option("--language", help="de or en; else the account's.")] = "",
    as_json: Json = False,
) -> None:
    """Print a bill: what was brought forward, what was posted, what is unsettled today, and how to pay it.

    Nothing is kept of the file. Each invoice of it is a document of its own: `documents print`.
    """
    from commands.printouts.documents import print_bill

    perform(lambda out: print_bill(out, bill, format, output, language=language), as_json=as_json)


@app.command("list")
def list_bills(
    *,
    account: Annotated[str, typer.Option("--account", help="Only bills of this account.")] = "",
    period: Annotated[
        str | None, typer.Option("--period", parser=period_of, metavar="PERIOD", help="Only of this month.")
    ] = None,
    state: Annotated[BillWord | None, typer.Option("--state", help="Only bills in this state.")] = None,
    exceptional: Annotated[bool, typer.Option("--exceptional", help="Only bills above a limit.")] = False,
    unsettled: Annotated[bool, typer.Option("--unsettled", help="Only bills of which something is unsettled.")] = False,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List bills, the newest first, a page at a time."""
    from commands.books.bills import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(
            output,
            page,
            account_id=account,
            period=period or "",
            state=state or "",
            is_exceptional=exceptional,
            is_unsettled=unsettled,
        ),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("history")
def show_bills(
    account: Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="Id of an account; else of all.")] = "",
    *,
    period: Annotated[
        str | None, typer.Option("--period", parser=period_of, metavar="PERIOD", help="Only of this month.")
    ] = None,
    exceptional: Annotated[bool, typer.Option("--exceptional", help="Only bills above a limit.")] = False,
    state: Annotated[BillWord | None, typer.Option("--state", help="Only bills in this state.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show the bills of an account or of all, the newest first."""
    from commands.books.bills import history

    perform(
        lambda output: history(output, account, period or "", limit, is_exceptional=exceptional, state=state or ""),
        as_json=as_json,
    )
