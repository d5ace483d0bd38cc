"""The command line for people and schedulers: it starts, sends commands and shows; the rules are elsewhere."""

import gc

# What is imported stays: to look for garbage in it would take a quarter of the start.
gc.disable()

from typing import Annotated

import typer

from commands.bank import cli as refunds
from commands.bank import debits_cli, import_cli, mandates_cli
from commands.books import bills_cli as bills
from commands.books import cli as books
from commands.cards import cli as cards
from commands.collections import cli as collections
from commands.collections import control_cli as collection_control
from commands.configuration import cli as definitions
from commands.configuration import segments_cli
from commands.console import approvals_cli as approvals
from commands.console import cli as users
from commands.disputes import cli as disputes
from commands.events import cli as events
from commands.events import webhooks_cli as webhooks
from commands.gateway import cli as movements
from commands.group import EXIT_CODES, DulyGroup
from commands.imports import account_edit_cli as account_edits
from commands.imports import exchange_rates_cli
from commands.ledger import accounts_cli as accounts
from commands.ledger import balances_cli as balances
from commands.ledger import corrections_cli as corrections
from commands.ledger import suspense_cli as suspense
from commands.ledger import transactions_cli as transactions
from commands.merchants import cli as merchants
from commands.messages import cli as messages
from commands.messages import communicate_cli
from commands.operations import codec, namespace
from commands.operations.demo import demo
from commands.operations.doctor import doctor
from commands.operations.migrate import migrate
from commands.operations.views import views
from commands.payments import cli as payments
from commands.payments import fraud_cli
from commands.payments import payment_requests_cli as payment_requests
from commands.payments import quick_pay_cli as quick_pay
from commands.portal import cli as portal
from commands.printouts import address_cli
from commands.printouts import cli as documents
from commands.process_exit import leave_after
from commands.reconciliation import cli as reconciliation
from commands.reconciliation.invariants_cli import invariants
from commands.recovery import cli as recovery
from commands.reductions import cli as reductions
from commands.refunds import cli as refund_requests
from commands.reports import cli as reports
from commands.runs import billing_cli as billing
from commands.runs import cli as runs
from commands.runs import control_cli as run_control
from commands.runs import schedule_cli as schedule
from commands.subscriptions import change_cli as subscription_changes
from commands.subscriptions import cli as subscriptions
from commands.supervision import commands_cli as given_commands
from commands.supervision.supervise import supervise
from commands.vouchers import cli as vouchers
from commands.wallets import cli as wallets

gc.freeze()
gc.enable()

app = typer.Typer(
    cls=DulyGroup,
    help=f"Duly: recurring payments as Temporal workflows.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
accounts.app.add_typer(account_edits.app)
accounts.app.add_typer(balances.app)
accounts.app.add_typer(address_cli.app)
import_cli.app.add_typer(exchange_rates_cli.app)
subscriptions.app.add_typer(subscription_changes.app)
runs.app.add_typer(run_control.app)
collections.app.add_typer(collection_control.app)
transactions.app.add_typer(corrections.app)
transactions.app.add_typer(quick_pay.app)
refunds.app.add_typer(refund_requests.app)
GROUPS = {
    "accounts": accounts.app,
    "subscriptions": subscriptions.app,
    "commands": given_commands.app,
    "cards": cards.app,
    "portal": portal.app,
    "transactions": transactions.app,
    "documents": documents.app,
    "suspense": suspense.app,
    "books": books.app,
    "bills": bills.app,
    "wallets": wallets.app,
    "vouchers": vouchers.app,
    "refunds": refunds.app,
    "reductions": reductions.app,
    "fraud": fraud_cli.app,
    "merchants": merchants.app,
    "disputes": disputes.app,
    "mandates": mandates_cli.app,
    "debits": debits_cli.app,
    "reconcile": reconciliation.app,
    "reports": reports.app,
    "billing": billing.app,
    "runs": runs.app,
    "payments": payments.app,
    "payment-requests": payment_requests.app,
    "requests": payments.requests_app,
    "collections": collections.app,
    "messages": messages.app,
    "communicate": communicate_cli.app,
    "events": events.app,
    "movements": movements.app,
    "webhooks": webhooks.app,
    "definitions": definitions.app,
    "segments": segments_cli.app,
    "schedule": schedule.app,
    "import": import_cli.app,
    "namespace": namespace.app,
    "codec": codec.app,
    "recover": recovery.app,
    "users": users.app,
    "approvals": approvals.app,
}
for name, commands in GROUPS.items():
    app.add_typer(commands, name=name)
app.command("invariants")(invariants)
app.command("doctor")(doctor)
app.command("migrate")(migrate)
app.command("supervise")(supervise)
app.command("views")(views)
app.command("demo")(demo)


def show_version(is_asked: bool) -> None:
    """Say which release this is, and do nothing else."""
    if is_asked:
        from migrations.run import VERSION

        typer.echo(f"duly {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[  # its callback has answered
        bool, typer.Option("--version", is_eager=True, callback=show_version, help="Say which release this is.")
    ] = False,
) -> None:
    """Duly: recurring payments as Temporal workflows."""


def main() -> None:
    """Run the command line: `duly` in the virtual environment, or this file."""
    leave_after(app)


if __name__ == "__main__":
    main()
