"""Answers that arrive after a restore, to what was asked before it: nothing is done twice, and nothing is missing."""

import asyncio
from contextlib import suppress

import pytest
import stripe
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.cards.card import CardRegistration, CardRequest
from models.refunds.refund import RefundOrder, RefundRequest
from models.workflow_ids import WORKFLOW_QUEUE, card_id, refund_id
from sandbox.stripe.control.client import SandboxControl
from tests.recovery.backups.months import months_from
from tests.recovery.backups.shop import Shop
from tests.support.attempts import CHARGES
from tests.support.gateways import HeldGateway
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.refunds.refund import Refund

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

REFUNDS, VALIDATIONS = "POST /v1/refunds", "POST /v1/setup_intents"


class InFlight:
    """A charge, a refund and the validation of a card, each asked for by a service that repeats itself."""

    def __init__(self, shop: Shop, duly: RunningDuly, period: str) -> None:
        self._shop = shop
        self._duly = duly
        self._period = period
        self._payment = ""
        self._token = ""

    async def prepare(self, paid_period: str) -> None:
        """Have a customer who owes, one who has paid, and one with a new card."""
        merchant = self._shop.merchant
        await merchant.account("acc-paid", owes_minor=1000)
        await (await self._duly.start_collection("acc-paid", paid_period)).result()
        self._payment = str(await merchant.value("select transaction_id from duly.gateway_requests"))
        await merchant.account("acc-owes", owes_minor=2500)
        await merchant.account("acc-card", cards=[])
        self._token = await merchant.fresh_token("pm_card_visa")

    async def ask(self) -> None:
        """Ask for all three, as it was asked for before."""
        start = self._duly.client.start_workflow
        order = RefundOrder("rf-1", self._payment, 400, is_acknowledged=True, actor="maria", reason="as agreed")
        card = CardRequest("card_1", "stripe", CardRegistration("card_1", "acc-card", "stripe", token=self._token))
        with suppress(WorkflowAlreadyStartedError):
            await self._duly.start_collection("acc-owes", self._period)
        with suppress(WorkflowAlreadyStartedError):
            refund = RefundRequest("rf-1", "stripe", order)
            await start(Refund.run, refund, id=refund_id("rf-1"), task_queue=WORKFLOW_QUEUE)
        with suppress(WorkflowAlreadyStartedError):
            await start(CardLifecycle.run, card, id=card_id("card_1"), task_queue=WORKFLOW_QUEUE)

    async def outcome(self) -> tuple[int, int, list[str], list[str]]:
        """What is owed, what went back, and where the refund and the card stand here."""
        merchant = self._shop.merchant
        refunds = await merchant.run("select state::text from duly.gateway_requests where kind = 'refund'")
        cards = await merchant.run("select state::text from duly.cards where id = 'card_1'")
        return (
            await merchant.balance("acc-owes"),
            self._shop.refunded(),
            [row.state for row in refunds],
            [row.state for row in cards],
        )


@pytest.mark.parametrize("arrives", ["while all is held", "after the release"])
@pytest.mark.parametrize("backup_is_of", ["while it was under way", "before it was asked for"])
async def test_an_answer_that_arrives_after_the_restore_is_booked_once(
    shop: Shop, period: str, stripe_sandbox: SandboxControl, stripe_client: stripe.StripeClient, backup_is_of: str,
    arrives: str,
) -> None:  # fmt: skip
    first, second = months_from(period, count=2)
    shop.gateway = gateway = HeldGateway(stripe_sandbox)
    right = (0, 400, ["posted"], ["active"])
    async with shop.at_work() as duly:
        asked = InFlight(shop, duly, second)
        await asked.prepare(first)
        backup, moment = await shop.postgres.back_up(), await shop.now()
        gateway.hold(CHARGES, REFUNDS, VALIDATIONS, holds_answers=True)
        await asked.ask()
        await gateway.arrived(3)
        if backup_is_of == "while it was under way":
            moment = await shop.now()

        await shop.postgres.restore(backup, moment)
        await shop.is_held()
        if arrives == "while all is held":
            gateway.let_go()
        await shop.recover()
        gateway.let_go()
        await shop.supervise()
        await asked.ask()

        async def is_right() -> bool:
            return await asked.outcome() == right

        with suppress(TimeoutError):
            async with asyncio.timeout(150):
                await until(is_right)
        outcome = await asked.outcome()

    assert outcome == right
    assert len((await stripe_client.v1.setup_intents.list_async()).data) == 1
    assert await shop.unequal() == []
    assert await shop.wrong() == []
    await gateway.close()
