"""What tests of cards share: a way to register one as a service does."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from activities.database import Database
from activities.event_inbox import EventInbox
from models.card import CardRegistration, CardRequest, CardResult, CardStatus, ValidationResult
from tests.builders import Merchant
from tests.running import RunningDuly
from workflows.card_lifecycle import CardLifecycle
from workflows.visibility import WORKFLOW_QUEUE, card_id


@dataclass
class Wallet:
    """Cards of one merchant's customers, registered through the workflow."""

    duly: RunningDuly
    merchant: Merchant
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def name(self) -> str:
        """The id of a new card."""
        return f"card_{next(self.numbers)}"

    async def register(self, registration: CardRegistration) -> ValidationResult:
        """Register a card and return the first answer about it."""
        start = WithStartWorkflowOperation[CardLifecycle, CardResult](
            CardLifecycle.run,
            CardRequest(registration.card_id, registration.provider, registration),
            id=card_id(registration.card_id),
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        outcome: ValidationResult = await self.duly.client.execute_update_with_start_workflow(
            "first_outcome", start_workflow_operation=start, result_type=ValidationResult
        )
        return outcome

    async def save(self, account: str, test_card: str = "pm_card_visa", **options: Any) -> tuple[str, ValidationResult]:
        """Register a card by token, as a service does that has one; return its id and the first answer."""
        card = self.name()
        token = await self.merchant.fresh_token(test_card)
        registration = CardRegistration(card, account, "stripe", token=token, **options)
        return card, await self.register(registration)

    async def page(self, account: str) -> tuple[str, ValidationResult]:
        """Register a card on a hosted page."""
        card = self.name()
        return card, await self.register(CardRegistration(card, account, "stripe"))

    def life(self, card: str) -> WorkflowHandle[object, CardResult]:
        """The workflow that looks after a card."""
        return self.duly.client.get_workflow_handle(card_id(card), result_type=CardResult)

    async def ended(self, card: str) -> CardResult:
        """Let time pass until a card's life has ended."""
        async with self.duly.environment.time_skipping_unlocked():  # type: ignore[attr-defined]
            return await self.life(card).result()

    async def status(self, card: str) -> CardStatus:
        """What a card's workflow says of it."""
        status: CardStatus = await self.life(card).query("status", result_type=CardStatus)
        return status

    async def stored(self, card: str) -> tuple[str, str]:
        """State and reason as the database has them."""
        rows = await self.merchant.run("select state, state_reason from duly.cards where id = :id", id=card)
        return (rows[0].state, rows[0].state_reason)


@pytest.fixture
def wallet(duly: RunningDuly, merchant: Merchant) -> Wallet:
    """Somewhere to save cards in."""
    return Wallet(duly, merchant)


@pytest.fixture
def inbox(database: Database) -> EventInbox:
    """The provider's inbox of events."""
    return EventInbox(database, "stripe")
