"""Audits the ledger: what was posted is summed and sealed, and every rule is checked against all of it."""

from temporalio import workflow

from activities.ledger.audit import LedgerAuditActivities
from activities.messages.mailing import MailingActivities
from models import workflow_ids
from models.ledger.audit import AuditResult
from models.messages.message import MailingStart
from workflows import visibility
from workflows.markdown import paragraphs
from workflows.options import AUDIT, DATABASE


@workflow.defn(name="LedgerAudit")
class LedgerAudit:
    """One audit, started by a schedule every night."""

    @workflow.run
    async def run(self) -> AuditResult:
        """Seal, check, and notify operators of what is broken, by its ids."""
        roll_up = await workflow.execute_activity_method(
            LedgerAuditActivities.seal_ledger, summary="sum and seal what was posted", **AUDIT
        )
        violations = await workflow.execute_activity_method(
            LedgerAuditActivities.find_violations, summary="does every rule hold?", **AUDIT
        )
        result = AuditResult(roll_up, tuple(violations))
        workflow.set_current_details(_details(result))
        if violations:
            await self._alert(result)
        return result

    async def _alert(self, result: AuditResult) -> None:
        workflow.upsert_search_attributes(
            [
                visibility.NEEDS_REVIEW.value_set(True),
                visibility.REVIEW_REASON.value_set("invariants_broken"),
            ]
        )
        occasion = workflow.info().workflow_id
        await workflow.execute_activity_method(
            LedgerAuditActivities.alert_of_violations,
            args=[occasion, result.violations],
            summary="notify operators",
            **DATABASE,
        )
        await workflow.execute_activity_method(
            MailingActivities.start_mailing,
            MailingStart("", workflow_ids.mailing_id(occasion), workflow_ids.WORKFLOW_QUEUE),
            summary="send it",
            **DATABASE,
        )


def _details(result: AuditResult) -> str:
    roll_up = result.roll_up
    sealed = f"{roll_up.filled} roll-ups were sealed; the last reaches transfer {roll_up.upto_transfer_id}."
    if not result.violations:
        return paragraphs("Every rule of the ledger holds.", sealed, f"Seal `{roll_up.seal}`")
    broken = "\n".join(f"- **{one.rule}**: `{one.offender}`" for one in result.violations)
    return paragraphs(f"**{len(result.violations)} violations.** `duly invariants` checks again.", broken, sealed)
