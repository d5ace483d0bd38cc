"""The state of a payment run: what its shards report, what operators decided, and what it shows of itself."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from activities.runs.payment_runs import RunActivities
from models.operations.event_names import EventName
from models.runs.process_run import Certificate, ItemOutcome, RunPlan, RunSnapshot, ShardProgress
from models.runs.run_control import Pace, RunDecisions, RunStage, RunStatus, sum_of
from workflows import visibility
from workflows.options import DATABASE_SWEEP
from workflows.runs.payment_run_details import WAITS_FOR, closing_statement, progress_of
from workflows.waiting import noted

GATEWAY_UNANSWERED = "gateway_unanswered"

# The change that lets a run count its members' rows where it begins again: its totals began with nobody, and what a
# shard that was terminated had come to since its last report was missing from them.
COUNTS_ROWS = "counts-rows"

# So many decisions of operators are kept for the certificate.
DECISIONS_MAX = 200


class PaymentRunState:
    """One run on its way from frozen to closed."""

    def __init__(self, resumed: RunSnapshot, *, is_shadow: bool) -> None:
        self.is_shadow = is_shadow
        self.plan: RunPlan | None = None
        self.steering = resumed.steering
        self.calls_per_second = resumed.calls_per_second
        self.decisions = list(resumed.decisions)
        self._phase = RunStage.FREEZING
        self._shown: RunStage | None = None
        self._progress = {one.shard: one for one in resumed.progress}
        self._pace = Pace()

    @property
    def stage(self) -> RunStage:
        """Where the run stands, what operators decided included."""
        if self._phase is not RunStage.COLLECTING:
            return self._phase
        if self.steering.is_aborted:
            return RunStage.ABORTING
        if self.steering.is_paused:
            return RunStage.PAUSED
        return RunStage.HELD if self._held_since else RunStage.COLLECTING

    @property
    def totals(self) -> dict[str, int]:
        """Members by outcome, as far as the shards have reported."""
        return sum_of([progress.tally for progress in self._progress.values()])

    def begin(self, plan: RunPlan) -> None:
        """Go on with a frozen membership."""
        self.plan = plan
        self._pace.take(workflow.now(), sum(self.totals.values()))
        self.enter(RunStage.COLLECTING)

    def enter(self, phase: RunStage) -> None:
        """Go on to the next part of the run."""
        self._phase = phase
        self.show()

    def close(self, certificate: Certificate) -> None:
        """End with a certificate, which knows what shards did not report that ended early, and what came later."""
        tally, charged = Counter[str](), Counter[str]()
        for total in certificate.totals:
            tally[total.outcome] += total.members
            if total.outcome is ItemOutcome.CHARGED:
                charged[total.currency] += total.amount_minor
        # The plan counts those whom it passed over.
        tally[ItemOutcome.SKIPPED] -= self.plan.skipped if self.plan else 0
        self._progress = {0: ShardProgress(0, dict(+tally), dict(charged))}
        self.enter(RunStage.CLOSED)
        workflow.set_current_details(closing_statement(certificate))

    def take(self, progress: ShardProgress) -> None:
        """Take note of what a shard has come to so far."""
        self._progress[progress.shard] = progress
        self._pace.take(workflow.now(), sum(self.totals.values()))
        self.show()

    def steer(self, *, is_paused: bool, is_aborted: bool = False) -> None:
        """Change how the shards are steered."""
        revision = self.steering.revision + 1
        self.steering = replace(self.steering, revision=revision, is_paused=is_paused, is_aborted=is_aborted)
        self.show()

    def note(self, decision: str) -> None:
        """Keep a decision with its moment; the oldest is let go."""
        self.decisions.append(noted(f"{workflow.now():%Y-%m-%d %H:%M}Z {decision}"))
        del self.decisions[:-DECISIONS_MAX]

    def snapshot(self) -> RunSnapshot:
        """Return what the next execution goes on with."""
        # Whether the gateway answers is found out anew.
        progress = tuple(replace(one, held_since=None) for one in self._progress.values())
        return RunSnapshot(self.steering, tuple(self.decisions), self.calls_per_second, progress)

    def reported(self, shard: int) -> ShardProgress:
        """Return what a shard has come to so far: one that begins again goes on counting from there."""
        return self._progress.get(shard, ShardProgress(shard, {}))

    def ask_a_person(self, reason: str) -> None:
        """Let operators find that the run does not get on by itself."""
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
        )

    def decided(self, run_id: str) -> RunDecisions:
        """Return what the run's record has to keep."""
        return RunDecisions(run_id, tuple(self.decisions), self.steering.is_aborted)

    def status(self) -> RunStatus:
        """Return what the query `status` answers."""
        return RunStatus(
            stage=self.stage,
            members=self.plan.members if self.plan else 0,
            skipped=self.plan.skipped if self.plan else 0,
            totals=self.totals,
            due=self.plan.due if self.plan else {},
            charged=sum_of([progress.charged for progress in self._progress.values()]),
            payments_per_minute=self._pace.per_minute(),
            calls_per_second=self.calls_per_second,
            waits_for=WAITS_FOR[self.stage],
            held_since=self._held_since,
            decisions=tuple(self.decisions),
        )

    def show(self) -> None:
        """Refresh what the UI says about the run; what is searched for only when it changes, for it costs an event."""
        workflow.set_current_details(
            progress_of(self.status(), run_id=workflow.info().workflow_id, is_shadow=self.is_shadow)
        )
        before, self._shown = self._shown, self.stage
        if before is self._shown:
            return
        updates: list[SearchAttributeUpdate[Any]] = [
            visibility.STAGE.value_set(_word_of(self._shown)),
            visibility.RUN.value_set(workflow.info().workflow_id),
        ]
        if self.plan is not None:
            updates.append(visibility.PROVIDER.value_set(self.plan.provider))
        if self._shown is RunStage.HELD:
            updates += [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(GATEWAY_UNANSWERED)]
            workflow.logger.warning(EventName.RUN_HELD, extra={"run_id": workflow.info().workflow_id})
        elif before is RunStage.HELD:
            updates += [visibility.NEEDS_REVIEW.value_set(False), visibility.REVIEW_REASON.value_unset()]
            workflow.logger.info(EventName.RUN_GOES_ON, extra={"run_id": workflow.info().workflow_id})
        workflow.upsert_search_attributes(updates)

    @property
    def _held_since(self) -> datetime | None:
        return min((p.held_since for p in self._progress.values() if p.held_since), default=None)


def _word_of(stage: RunStage) -> str:
    is_released = stage is RunStage.CLOSED and not workflow.patched("closed-reads-as-completed")
    return stage if is_released else stage.word


async def count_rows(run_id: str) -> tuple[ShardProgress, ...]:
    """Return what a run's members have come to by their rows, of each shard that has come to anything."""
    counted = await workflow.execute_activity_method(
        RunActivities.progress_of_shards,
        run_id,
        summary="count what the members have come to so far",
        **DATABASE_SWEEP,
    )
    return counted.shards
