"""Duly at work on a server whose clock jumps: what tests of whole processes talk to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from models.collections.collection import CollectionRequest, CollectionResult
from models.runs.process_run import Certificate, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, billing_run_id, collection_id, payment_run_id, shadow_run_id
from tests.support.builders import PERIOD
from workflows.collections.collection import Collection
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun


@dataclass(frozen=True)
class RunningDuly:
    """Duly's workers on a time-skipping server. Time only passes while a result is awaited.

    Runs are asked for whether their period is due or not, for which day it is today is no matter of a test's, and
    whether somebody is due or not.
    """

    environment: WorkflowEnvironment

    @property
    def client(self) -> Client:
        """The client of the server."""
        return self.environment.client

    @asynccontextmanager
    async def time_passing(self) -> AsyncIterator[None]:
        """Let the server's clock jump; on one with a real clock it passes anyway."""
        if not self.environment.supports_time_skipping:
            yield
            return
        async with self.environment.time_skipping_unlocked():  # type: ignore[attr-defined]
            yield

    async def bill(self, definition: str = "plans", period: str = PERIOD, *, supplement: int = 0) -> Certificate:
        """Run a period's billing to its end, or a supplement of it."""
        return await self.client.execute_workflow(
            BillingRun.run,
            RunRequest(definition, period, not_due_yet=True, over_nobody=True, supplement=supplement),
            id=billing_run_id(definition, period, supplement),
            task_queue=WORKFLOW_QUEUE,
        )

    async def run(self, definition: str = "monthly", period: str = PERIOD, *, supplement: int = 0) -> Certificate:
        """Run a period's payments to their certificate, or a supplement of it."""
        return await self.client.execute_workflow(
            PaymentRun.run,
            RunRequest(definition, period, not_due_yet=True, over_nobody=True, supplement=supplement),
            id=payment_run_id(definition, period, supplement),
            task_queue=WORKFLOW_QUEUE,
        )

    async def start_run(
        self, definition: str = "monthly", period: str = PERIOD, *, is_shadow: bool = False
    ) -> WorkflowHandle[PaymentRun, Certificate]:
        """Start a period's payments, or their shadow, and leave the run to itself."""
        make_id = shadow_run_id if is_shadow else payment_run_id
        return await self.client.start_workflow(
            PaymentRun.run,
            RunRequest(definition, period, is_shadow=is_shadow, not_due_yet=True, over_nobody=True),
            id=make_id(definition, period),
            task_queue=WORKFLOW_QUEUE,
        )

    async def start_collection(
        self, account: str, period: str = PERIOD, *, provider: str = "stripe"
    ) -> WorkflowHandle[Collection, CollectionResult]:
        """Start a collection as a service does."""
        return await self.client.start_workflow(
            Collection.run,
            CollectionRequest(account, period, provider),
            id=collection_id(account, period),
            task_queue=WORKFLOW_QUEUE,
        )

    def collection(self, account: str, period: str = PERIOD) -> WorkflowHandle[Collection, CollectionResult]:
        """The collection of an account for a period."""
        return self.client.get_workflow_handle_for(Collection.run, collection_id(account, period))

    async def collected(self, account: str, period: str = PERIOD) -> CollectionResult:
        """Let time pass until the collection is over."""
        async with self.time_passing():
            return await self.collection(account, period).result()
