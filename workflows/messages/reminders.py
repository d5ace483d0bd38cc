"""Reminds customers of invoices that fall due or are overdue, once a day (S8, S21)."""

from temporalio import workflow

from activities.messages.mailing import MailingActivities
from activities.messages.reminders import ReminderActivities
from models import workflow_ids
from models.messages.message import MailingStart
from workflows.options import DATABASE, DATABASE_SWEEP


@workflow.defn(name="Reminders")
class Reminders:
    """One day's reminders, started by a schedule. Whatever is repeated, nobody is reminded twice."""

    @workflow.run
    async def run(self) -> int:
        """Write the reminders that are due, and let them be sent; return how many there are.

        Payers are notified of bank debits, and operators of overdue ones, by the same mailing.
        """
        now = workflow.now()
        written = await workflow.execute_activity_method(
            ReminderActivities.write_reminders, now, summary="who is to be reminded?", **DATABASE_SWEEP
        )
        if written:
            await workflow.execute_activity_method(
                MailingActivities.start_mailing,
                MailingStart(
                    "", workflow_ids.mailing_id(f"reminders/{now:%Y-%m-%dT%H%M}"), workflow_ids.WORKFLOW_QUEUE
                ),
                summary="send them",
                **DATABASE,
            )
        workflow.set_current_details(
            f"**{written}** reminders of invoices that fall due or are overdue, notices of bank debits, and alerts of"
            " overdue ones."
        )
        return written
