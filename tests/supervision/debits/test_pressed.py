"""Whatever is pressed on a collection by bank debit: the payer is debited once, and what the bank brings is booked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.gateway.gateway_request import CollectResult
from models.workflow_ids import collection_id
from settings import Settings
from tests.bank.debits.direct_debits import DirectDebits, credited
from tests.supervision.pressing import Button, press, until_right
from tests.supervision.scenario import Company, Moment, Opened, Scenario
from tests.support.attempts import broken_invariants
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from worker import debit_worker

MOMENTS = (Moment.BEFORE_CALL, Moment.WAITING, Moment.DONE)


@pytest.fixture
async def debits(company: Company, cli: CommandLine, settings: Settings, tmp_path: Path) -> AsyncIterator[DirectDebits]:
    """The company collects by bank debit too; a worker of the bank's provider is at work."""
    debits = DirectDebits(company.merchant, cli, company.database, tmp_path)
    await debits.set_up()
    async with debit_worker(company.duly.client, company.database, settings.model_copy(update={"provider": "sepa"})):
        yield debits


class DebitScenario(Scenario):
    """In the end the receivable is settled by one debit, which the bank brought once."""

    def __init__(self, company: Company, debits: DirectDebits) -> None:
        super().__init__(company)
        self._debits = debits

    async def open(self, name: str, moment: Moment) -> Opened:
        account = await self._debits.payer(name.replace("_", "-"))
        handle = await self.company.duly.start_collection(account, self.company.period, provider="sepa")
        if moment is Moment.BEFORE_CALL:
            # Of what ends before it has a row nothing was begun, and nobody but its starter knows.
            await until(lambda: self._is_begun(account))
        else:
            await handle.execute_update("first_outcome", result_type=CollectResult)
        workflow_id = collection_id(account, self.company.period)
        if moment is Moment.DONE:
            await self._bring(account)
            await self.company.signal(workflow_id)
            await handle.result()

        async def go_on() -> None:
            await self._bring(account)
            await self.company.signal(workflow_id)
            if await self._was_let_go(account):
                await self.company.duly.start_collection(account, self.company.period, provider="sepa")

        return Opened(workflow_id, go_on, lambda: self._wrong(account))

    async def _bring(self, account: str) -> None:
        """Let the bank have whatever waits, and bring what it has, once."""
        written = len(list(self._debits.folder.iterdir()))
        await self._debits.export(f"{account}-{written}.xml")
        lines = await self.company.merchant.run(
            "select id, amount_minor from duly.debits where account_id = :account and state = 'exported'",
            account=account,
        )
        for line in lines:
            amount = f"{line.amount_minor / 100:.2f}"
            await self._debits.statement(credited(line.id, amount, f"B-{line.id}"), name=f"{line.id}.xml")

    async def _is_begun(self, account: str) -> bool:
        begun = "select count(*) from duly.collections where account_id = :account"
        return bool(await self.company.merchant.value(begun, account=account))

    async def _was_let_go(self, account: str) -> bool:
        closed = "select reason from duly.collections where account_id = :account and closed_at is not null"
        return "cancelled" in [row.reason for row in await self.company.merchant.run(closed, account=account)]

    async def _wrong(self, account: str) -> str:
        merchant = self.company.merchant
        stages = [row.stage for row in await merchant.run(
            "select stage from duly.collections where account_id = :account", account=account)]  # fmt: skip
        debits = [row.state for row in await merchant.run(
            "select state from duly.debits where account_id = :account", account=account)]  # fmt: skip
        owed = await merchant.balance(account)
        is_right = (owed, stages, debits) == (0, ["settled"], ["collected"])
        return "" if is_right else f"owes {owed}: {stages}, {debits}"


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_bank_debit_is_made_once_and_booked_once(
    company: Company, debits: DirectDebits, moment: Moment
) -> None:
    scenario = DebitScenario(company, debits)
    opened = {button: await scenario.open(f"{button}-{company.period}", moment) for button in Button}

    for button, each in opened.items():
        await press(company.duly.client, button, each.workflow_id)

    assert await until_right(company, opened) == dict.fromkeys(Button, "")
    assert await debits.ledger("gateway_clearing:sepa") == 0
    assert await broken_invariants(company.merchant) == []
