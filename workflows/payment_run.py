"""One payment run: freeze who is due, let shards collect, certify what became of everyone (X16 to X30)."""

import asyncio
from collections import Counter

from temporalio import workflow
from temporalio.workflow import ChildWorkflowHandle

from activities.runs import RunActivities
from models.process_run import Certificate, RunPlan, RunRequest, ShardProgress, ShardRequest
from workflows import visibility
from workflows.options import DATABASE_SWEEP
from workflows.payment_run_shard import PaymentRunShard


@workflow.defn(name="PaymentRun")
class PaymentRun:
    """The monthly run of one definition for one period; its id is the pair, so it exists once."""

    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._plan: RunPlan | None = None
        self._tallies: dict[int, dict[str, int]] = {}

    @workflow.run
    async def run(self, request: RunRequest) -> Certificate:
        """Collect from everyone who is due in the period. Fails when the definition may not run."""
        self._plan = await self._freeze()
        self._show()
        shards = await asyncio.gather(*(self._start_shard(self._plan, n) for n in range(self._plan.shards)))
        await asyncio.gather(*shards)
        return await self._certify(self._plan)

    @workflow.signal(description="A shard has finished a page.")
    def shard_progressed(self, progress: ShardProgress) -> None:
        """Take note of what a shard has come to so far."""
        self._tallies[progress.shard] = progress.tally
        self._show()

    @workflow.query(description="How many members have come to which outcome so far.")
    def totals(self) -> dict[str, int]:
        """Return the live totals by outcome."""
        return dict(sum((Counter(tally) for tally in self._tallies.values()), Counter()))

    async def _freeze(self) -> RunPlan:
        return await workflow.execute_activity_method(
            RunActivities.freeze_payment_run,
            self._request,
            summary=f"freeze who is due in {self._request.period}",
            **DATABASE_SWEEP,
        )

    async def _start_shard(self, plan: RunPlan, shard: int) -> ChildWorkflowHandle[PaymentRunShard, dict[str, int]]:
        return await workflow.start_child_workflow(
            PaymentRunShard.run,
            ShardRequest(
                run_id=plan.run_id,
                period=self._request.period,
                provider=plan.provider,
                shard=shard,
                window=plan.window,
                page=plan.page,
            ),
            id=visibility.shard_id(plan.run_id, shard),
            search_attributes=visibility.known_at_start(run=plan.run_id, provider=plan.provider),
            static_summary=f"shard {shard + 1} of {plan.shards}",
        )

    async def _certify(self, plan: RunPlan) -> Certificate:
        certificate = await workflow.execute_activity_method(
            RunActivities.certify_run,
            plan.run_id,
            summary="count every member once, and compare with the ledger",
            **DATABASE_SWEEP,
        )
        workflow.set_current_details(_closing_statement(certificate))
        return certificate

    def _show(self) -> None:
        if self._plan is not None:
            workflow.set_current_details(_progress(self._plan, self.totals()))


def _progress(plan: RunPlan, totals: dict[str, int]) -> str:
    done = sum(totals.values())
    rows = "\n".join(f"| {outcome} | {count} |" for outcome, count in sorted(totals.items()))
    return (
        f"**{done} of {plan.members}** members done; {plan.skipped} were skipped when the run was frozen.\n\n"
        f"| outcome | members |\n|---|---|\n{rows}\n\nNext: the remaining pages of {plan.shards} shards, then the certificate."
    )


def _closing_statement(certificate: Certificate) -> str:
    rows = "\n".join(
        f"| {total.outcome} | {total.reason} | {total.members} | {total.amount_minor} {total.currency} |"
        for total in certificate.totals
    )
    return (
        f"**Closed.** {certificate.members} members, each with one outcome.\n\n"
        f"| outcome | reason | members | minor units |\n|---|---|---|---|\n{rows}\n\nSeal: `{certificate.sha256}`"
    )
