"""Collections, disputes and cards, to be pressed on."""

from contextlib import suppress

import httpx

from models.cards.card import CardRegistration, CardRequest, ValidationResult
from models.collections.collection import RetryCommand
from models.gateway.gateway_request import CollectResult
from models.workflow_ids import WORKFLOW_QUEUE, card_id, collection_id, dispute_id
from sandbox.stripe.control.client import STRIPES_DELAYS, ControlError
from tests.disputes.test_disputes import charge_of
from tests.supervision.scenario import Moment, Opened, Scenario
from tests.support.attempts import CHARGES, LISTS
from tests.support.builders import declined
from workflows.cards.card_lifecycle import CardLifecycle


async def visit(page: str, card: str = "pm_card_visa") -> None:
    """Let the customer enter a card, should the page be open still."""
    async with httpx.AsyncClient() as browser:
        await browser.post(page, data={"card": card})


class CollectionScenario(Scenario):
    """In the end the receivable is settled, once: what was cancelled is collected again."""

    call = CHARGES
    evidence = LISTS

    async def prepare(self, name: str) -> None:
        await self.company.merchant.account(f"acc-{name}", cards=[])

    async def open(self, name: str, moment: Moment) -> Opened:
        company, account = self.company, f"acc-{name}"
        await company.merchant.card(account, "pm_card_visa")
        await company.merchant.invoice(account, 2500)
        if moment in {Moment.WAITING, Moment.PAGE_OPEN}:
            company.sandbox.script_card(await company.merchant.token(account), declined("insufficient_funds"))
        page, handle = "", await company.duly.start_collection(account, company.period)
        if moment is not Moment.BEFORE_CALL:
            await handle.execute_update("first_outcome", result_type=CollectResult)
        if moment is Moment.PAGE_OPEN:
            page = await handle.execute_update("open_page", result_type=str)
        elif moment is Moment.DONE:
            await handle.result()
        workflow_id = collection_id(account, company.period)

        async def go_on() -> None:
            if page:
                await visit(page)
                await company.deliver()
            await company.signal(workflow_id)
            if moment is Moment.WAITING:
                await company.command(workflow_id, "retry_now", RetryCommand("maria", "the card is good by now"))
            if await self._was_let_go(account):
                await company.duly.start_collection(account, company.period)

        return Opened(workflow_id, go_on, lambda: self._wrong(account))

    async def _was_let_go(self, account: str) -> bool:
        reasons = "select reason from duly.collections where account_id = :account and closed_at is not null"
        return "cancelled" in [row.reason for row in await self.company.merchant.run(reasons, account=account)]

    async def _wrong(self, account: str) -> str:
        stages = "select stage, reason, closed_at from duly.collections where account_id = :account"
        rows = [(row.stage, row.reason) for row in await self.company.merchant.run(stages, account=account)]
        owed = await self.company.merchant.balance(account)
        return "" if owed == 0 and [stage for stage, _ in rows] == ["settled"] else f"owes {owed}: {rows}"


class DisputeScenario(Scenario):
    """In the end the bank's decision is booked."""

    absent = {Moment.PAGE_OPEN: "nobody pays a dispute"}
    call = "GET /v1/disputes"
    evidence = "GET /v1/disputes"

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # what its base takes
        self._payments: dict[str, str] = {}

    async def prepare(self, name: str) -> None:
        account = await self.company.merchant.account(f"acc-{name}")
        [payment] = await self.company.refunds.paid(2500, account=account)
        self._payments[name] = await charge_of(self.company.refunds, payment)

    async def open(self, name: str, moment: Moment) -> Opened:
        company = self.company
        dispute = str(company.sandbox.create_dispute(self._payments[name])["id"])
        company.sandbox.advance(STRIPES_DELAYS.withdrawal)
        await company.refunds.deliver_events()
        workflow_id = dispute_id(dispute)
        if moment in {Moment.WAITING, Moment.DONE}:
            await self.handle(workflow_id).execute_update("first_reading")
        if moment is Moment.DONE:
            await self._decide(dispute)
            await company.signal(workflow_id)
            await self.handle(workflow_id).result()

        async def go_on() -> None:
            await self._decide(dispute)
            await company.signal(workflow_id)

        async def wrong() -> str:
            rows = await company.merchant.run("select state, closed_at from duly.disputes where id = :id", id=dispute)
            return "" if [row.state for row in rows] == ["won"] else f"{dispute} is {rows}"

        return Opened(workflow_id, go_on, wrong)

    async def _decide(self, dispute: str) -> None:
        if dispute not in self._payments:
            self._payments[dispute] = "decided"
            # What was accepted is lost already.
            with suppress(ControlError):
                self.company.sandbox.close_dispute(dispute, won=True)


class CardScenario(Scenario):
    """In the end the card is validated, once, and looked after; one that was removed stays so."""

    call = "POST /v1/setup_intents"
    evidence = "GET /v1/setup_intents"

    async def prepare(self, name: str) -> None:
        await self.company.merchant.account(f"acc-{name}", cards=[])

    async def open(self, name: str, moment: Moment) -> Opened:
        company, card = self.company, f"card_{name}"
        token = "" if moment is Moment.PAGE_OPEN else await company.merchant.fresh_token("pm_card_visa")
        registration = CardRegistration(card, f"acc-{name}", "stripe", token=token)
        handle = await company.duly.client.start_workflow(
            CardLifecycle.run, CardRequest(card, "stripe", registration), id=card_id(card), task_queue=WORKFLOW_QUEUE
        )
        page = ""
        if moment is not Moment.BEFORE_CALL:
            page = (await handle.execute_update("first_outcome", result_type=ValidationResult)).url
        if moment is Moment.DONE:
            await company.command(handle.id, "remove")
            await handle.result()
        expected = "removed" if moment is Moment.DONE else "active"

        async def go_on() -> None:
            if moment is Moment.PAGE_OPEN:
                await visit(page)
            await company.signal(handle.id)

        async def wrong() -> str:
            state = await company.merchant.value("select state from duly.cards where id = :id", id=card)
            is_running = await company.is_running(handle.id)
            is_right = (state, is_running) == (expected, expected == "active")
            return "" if is_right else f"{card} is {state}, {'' if is_running else 'not '}looked after"

        return Opened(handle.id, go_on, wrong)
