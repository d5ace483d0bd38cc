"""Reminding customers of invoices, or listing whom it would remind."""

from datetime import UTC, datetime

from activities.messages.reminders import reminders_at
from commands.formatting import document, money
from commands.output import Output, table
from commands.session import read_settings, reading_database_of, temporal_for_orders
from commands.waiting.answers import result_of
from models.workflow_ids import REMINDERS, WORKFLOW_QUEUE
from workflows.messages.reminders import Reminders


async def remind(output: Output, *, is_dry: bool, wait_seconds: float) -> None:
    """Start the day's reminders and wait until they are written; as a dry run, list them."""
    settings = read_settings()
    if is_dry:
        async with reading_database_of(settings) as database:
            rows = await reminders_at(database, datetime.now(UTC))
        shown = [
            (row.account_id, row.kind, row.invoice_id, money(row.amount_minor, row.currency), row.due_on)
            for row in rows
        ]
        heads = ("Account", "Reminder", "Invoice", "Open", "Due")
        output.answer({"reminders": [document(row) for row in rows]}, table("", *heads, rows=shown, right=("Open",)))
        return
    client = await temporal_for_orders(settings)
    handle = await client.start_workflow(
        Reminders.run, id=f"{REMINDERS}-{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", task_queue=WORKFLOW_QUEUE
    )
    written = await result_of(client, handle, noun="reminders", wait_seconds=wait_seconds)
    output.answer({"written": written}, f"{written} reminders are on their way.")
