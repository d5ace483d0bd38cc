"""The command line for people and schedulers: it starts, sends commands and shows; the rules are elsewhere."""

import typer

from commands.bank import cli as refunds
from commands.bank import import_cli
from commands.cards import cli as cards
from commands.collections import cli as collections
from commands.collections import control_cli as collection_control
from commands.configuration import cli as definitions
from commands.disputes import cli as disputes
from commands.events import cli as events
from commands.events import webhooks_cli as webhooks
from commands.gateway import cli as movements
from commands.group import EXIT_CODES, DulyGroup
from commands.ledger import accounts_cli as accounts
from commands.ledger import balances_cli as balances
from commands.ledger import corrections_cli as corrections
from commands.ledger import suspense_cli as suspense
from commands.ledger import transactions_cli as transactions
from commands.messages import cli as messages
from commands.operations.demo import demo
from commands.operations.doctor import doctor
from commands.operations.migrate import migrate
from commands.operations.views import views
from commands.process_exit import leave_after
from commands.reconciliation import cli as reconciliation
from commands.reconciliation.invariants_cli import invariants
from commands.recovery import cli as recovery
from commands.reductions import cli as reductions
from commands.reductions import merchants_cli as merchants
from commands.refunds import cli as refund_requests
from commands.runs import billing_cli as billing
from commands.runs import cli as runs
from commands.runs import control_cli as run_control
from commands.runs import schedule_cli as schedule
from commands.supervision.supervise import supervise

app = typer.Typer(
    cls=DulyGroup,
    help=f"Duly: recurring payments as Temporal workflows.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
accounts.app.add_typer(balances.app)
runs.app.add_typer(run_control.app)
collections.app.add_typer(collection_control.app)
transactions.app.add_typer(corrections.app)
refunds.app.add_typer(refund_requests.app)
GROUPS = {
    "accounts": accounts.app,
    "cards": cards.app,
    "transactions": transactions.app,
    "suspense": suspense.app,
    "refunds": refunds.app,
    "reductions": reductions.app,
    "merchants": merchants.app,
    "disputes": disputes.app,
    "reconcile": reconciliation.app,
    "billing": billing.app,
    "runs": runs.app,
    "collections": collections.app,
    "messages": messages.app,
    "events": events.app,
    "movements": movements.app,
    "webhooks": webhooks.app,
    "definitions": definitions.app,
    "schedule": schedule.app,
    "import": import_cli.app,
    "recover": recovery.app,
}
for name, commands in GROUPS.items():
    app.add_typer(commands, name=name)
app.command("invariants")(invariants)
app.command("doctor")(doctor)
app.command("migrate")(migrate)
app.command("supervise")(supervise)
app.command("views")(views)
app.command("demo")(demo)

if __name__ == "__main__":
    leave_after(app)
