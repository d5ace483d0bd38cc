"""Sees to it that what is open has a workflow: what was stopped, lost or never started goes on from its row."""

from temporalio import workflow

from activities.supervision.supervision import SupervisionActivities
from models.supervision.supervision import (
    KindRequest,
    NextStep,
    ObjectKind,
    Supervised,
    SupervisionReport,
    SupervisionRequest,
)
from workflows import visibility
from workflows.inputs.checks import checked_init
from workflows.markdown import aligned, paragraphs
from workflows.options import SUPERVISION


@workflow.defn(name="Supervisor")
class Supervisor:
    """One comparison, started by a schedule or a command. Twice at once is as good as once."""

    @checked_init
    def __init__(self, request: SupervisionRequest) -> None:
        self._request = request

    @workflow.run
    async def run(self, request: SupervisionRequest) -> SupervisionReport:
        """Look at one kind after the other, and say what was resumed and what asks a person."""
        kinds: list[Supervised] = []
        for kind in ObjectKind:
            # Comparisons that began before there were such months did not look for them.
            if kind is ObjectKind.BANK_REFUNDS and not workflow.patched("looks-for-bank-refunds"):
                continue
            kinds.append(await self._compare(kind))
            workflow.set_current_details(details_of(SupervisionReport(tuple(kinds))))
        report = SupervisionReport(tuple(kinds))
        if report.in_review:
            workflow.upsert_search_attributes(
                [
                    visibility.NEEDS_REVIEW.value_set(True),
                    visibility.REVIEW_REASON.value_set("stopped_workflows"),
                ]
            )
        return report

    async def _compare(self, kind: ObjectKind) -> Supervised:
        return await workflow.execute_activity_method(
            SupervisionActivities.resume_open,
            KindRequest(kind, self._request),
            summary=f"has every open {kind.replace('_', ' ')} its workflow?",
            **SUPERVISION,
        )


def details_of(report: SupervisionReport) -> str:
    """Return what was found, in Markdown."""
    rows = [("Kind", "Open", "Have a workflow", "Resumed", "Wait", "Ask a person")]
    rows += [
        (one.kind, str(one.open), str(one.running), str(one.resumed), str(one.waiting), str(one.in_review))
        for one in report.kinds
    ]
    in_review = [
        f"- `{one.workflow_id}` was {one.how}{f' by {one.actor}' if one.actor else ''}"
        f"{f': {one.reason}' if one.reason else ''}\n  `{one.command}`"
        for one in report.stopped
        if one.next_step is NextStep.ASK
    ]
    return paragraphs(
        "### Open business objects and their workflows",
        aligned(rows, right=frozenset({1, 2, 3, 4, 5})),
        "**A person is needed**\n\n" + "\n".join(in_review) if in_review else "",
    )
