"""The command line for people and schedulers: it starts, asks and shows; the rules are elsewhere."""

import typer

from commands import (
    account_books,
    accounts,
    billing,
    cards,
    collection_control,
    collections,
    corrections,
    definitions,
    demo,
    disputes,
    doctor,
    events,
    imports,
    merchants,
    messages,
    migrate,
    reductions,
    refund_requests,
    refunds,
    run_control,
    runs,
    schedule,
    suspense,
    transactions,
    views,
    webhooks,
)
from commands.group import EXIT_CODES, DulyGroup
from commands.leaving import leave_after

app = typer.Typer(
    cls=DulyGroup,
    help=f"Duly: recurring payments as Temporal workflows.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
accounts.app.add_typer(account_books.app)
runs.app.add_typer(run_control.app)
collections.app.add_typer(collection_control.app)
transactions.app.add_typer(corrections.app)
refunds.app.add_typer(refund_requests.app)
NOUNS = (
    accounts,
    cards,
    transactions,
    suspense,
    refunds,
    reductions,
    merchants,
    disputes,
    billing,
    runs,
    collections,
    messages,
    events,
    webhooks,
    definitions,
    schedule,
)
for noun in NOUNS:
    app.add_typer(noun.app, name=noun.__name__.removeprefix("commands."))
app.add_typer(imports.app, name="import")
app.command("doctor")(doctor.doctor)
app.command("migrate")(migrate.migrate)
app.command("views")(views.views)
app.command("demo")(demo.demo)

if __name__ == "__main__":
    leave_after(app)
