"""`accounts create` and `edit`, and what is kept of their owners: `export` and `erase`."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Json
from commands.runner import perform

app = typer.Typer()

Who = Annotated[str, typer.Option("--actor", help="Who does it; kept with the account.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the account.")]
Email = Annotated[str, typer.Option("--email", help="Where payment messages go.")]
Locale = Annotated[str, typer.Option("--locale", help="Language of messages, such as en or el_CY.")]
TimeZone = Annotated[str, typer.Option("--time-zone", help="IANA name, such as Europe/Nicosia.")]
OwnerReference = Annotated[str, typer.Option("--owner-reference", help="The owner's number in another system.")]
CreditLimit = Annotated[str, typer.Option("--credit-limit", help="Most the account may owe, such as 100.00.")]
CreditPeriod = Annotated[
    str, typer.Option("--credit-period-days", help="Days by which due dates differ from the rule, -366 to 366.")
]
DueDateRule = Annotated[str, typer.Option("--due-date-rule", help="Id of a due date rule.")]
Region = Annotated[str, typer.Option("--region", help="For reports.")]
PaymentMethod = Annotated[
    str,
    typer.Option("--payment-method", help="How it pays from now on; a method of no provider is left alone by runs."),
]
Segment = Annotated[str, typer.Option("--segment", help="For reports, dunning policies and run definitions.")]
Classification = Annotated[str, typer.Option("--classification", help="For run definitions, such as vip.")]


@app.command("create")
@changes()
def create_account(
    account: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="Your id of it: 1 to 64 ASCII characters without blanks.")
    ],
    owner: Annotated[str, typer.Option("--owner", help="Who owes.")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217, upper case; it stays.")],
    actor: Who,
    reason: Why,
    *,
    email: Email = "",
    locale: Locale = "",
    time_zone: TimeZone = "",
    owner_reference: OwnerReference = "",
    credit_limit: CreditLimit = "",
    credit_period_days: CreditPeriod = "",
    due_date_rule: DueDateRule = "",
    region: Region = "",
    segment: Segment = "",
    classification: Classification = "",
    payment_method: PaymentMethod = "",
    as_json: Json = False,
) -> None:
    """Create a customer's account. Creating the same again changes nothing."""
    from commands.imports.account_editing import create

    given = _given(
        account_id=account,
        owner_name=owner,
        currency=currency,
        email=email,
        locale=locale,
        time_zone=time_zone,
        owner_reference=owner_reference,
        credit_limit=credit_limit,
        credit_period_days=credit_period_days,
        due_date_rule=due_date_rule,
        region=region,
        segment=segment,
        classification=classification,
        payment_method=payment_method,
    )
    perform(lambda output: create(output, given, actor=actor, reason=reason), as_json=as_json)


@app.command("edit")
@changes()
def edit_account(
    account: AccountId,
    actor: Who,
    reason: Why,
    *,
    owner: Annotated[str, typer.Option("--owner", help="Who owes.")] = "",
    email: Email = "",
    locale: Locale = "",
    time_zone: TimeZone = "",
    owner_reference: OwnerReference = "",
    credit_limit: CreditLimit = "",
    credit_period_days: CreditPeriod = "",
    due_date_rule: DueDateRule = "",
    region: Region = "",
    segment: Segment = "",
    classification: Classification = "",
    payment_method: PaymentMethod = "",
    clear: Annotated[
        list[str] | None, typer.Option("--clear", help="A field to leave empty: credit_limit. May be given again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change fields of an account. What is neither given nor cleared stays as it is; the currency always does."""
    from commands.imports.account_editing import edit

    given = _given(
        owner_name=owner,
        email=email,
        locale=locale,
        time_zone=time_zone,
        owner_reference=owner_reference,
        credit_limit=credit_limit,
        credit_period_days=credit_period_days,
        due_date_rule=due_date_rule,
        region=region,
        segment=segment,
        classification=classification,
        payment_method=payment_method,
    )
    cleared = frozenset(clear or ())
    perform(lambda output: edit(output, account, given, cleared, actor=actor, reason=reason), as_json=as_json)


@app.command("export")
def export_account(
    account: AccountId,
    file: Annotated[
        Path | None,
        typer.Option("--file", dir_okay=False, help="Write it to this new file, which only you may read."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give out everything that is kept under an account: its owner's data, changes of them, cards, books, messages."""
    from commands.imports.personal_data import export

    if file is not None and file.exists():
        raise typer.BadParameter("is there already", param_hint="--file")
    perform(lambda output: export(output, account, file), as_json=as_json)


@app.command("erase")
@changes(final="Name, addresses and removed cards of the account's owner are erased; the books stay.")
def erase_account(account: AccountId, actor: Who, reason: Why, *, as_json: Json = False) -> None:
    """Erase the personal data of a terminated account's owner. Documents, payments and their notes stay, by its id.

    Cards are removed first. Whom to delete at the gateway is said: that is done there.
    """
    from commands.imports.personal_data import erase

    perform(lambda output: erase(output, account, actor=actor, reason=reason), as_json=as_json)


def _given(**columns: str) -> dict[str, str]:
    """Return the columns of an import that were given."""
    return {name: value for name, value in columns.items() if value}
