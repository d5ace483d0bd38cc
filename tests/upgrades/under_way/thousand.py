"""A thousand collections of a deployed release, opened by a month's run, and what brings each to its end."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.upgrades.deployed_release import DeployedRelease
from tests.upgrades.under_way.open_business import PERIOD, POLICY, OpenBusiness
from tests.upgrades.under_way.open_collections import STAGES, Receivable, ask

LOADER = Path(__file__).with_name("load_payers.py")
# Whom one command brings to an end: a thousand of the others would wait for clocks, or for a process each.
BY_COMMAND = {
    "an operator retries",
    "every attempt is left out",
    "given up",
    "paid outside",
    "to be authenticated",
    "a page is open for whoever was declined",
    "another card is needed",
}
OPEN = "select account_id from duly.collections where period = %(period)s and closed_at is null"
COMMANDS_AT_ONCE = 16


class Thousand(OpenBusiness):
    """Collections that wait at the stages which a command ends, as many as the test asks for."""

    def __init__(self, duly: DeployedRelease, folder: Path) -> None:
        super().__init__(duly, folder)
        self._folder_of_payers = folder / "payers"

    async def load(self, payers: int) -> None:
        """Give the release so many payers more, none of whose first attempts is paid."""
        policy = self._folder_of_payers.with_suffix(".toml")
        policy.write_text(POLICY, encoding="utf-8")
        await self.duly.command(self.duly.code, "definitions", "apply", str(policy))
        stages = [stage for stage in STAGES if stage.name in BY_COMMAND]
        for number, line in enumerate(await self._loaded(payers)):
            account, token = line.split()
            stage = stages[number % len(stages)]
            self.receivables.append(Receivable(self.duly, account, PERIOD, token, stage))
            self.duly.control.script_card(token, *stage.answers)

    async def opened(self) -> set[str]:
        """Return the accounts whose collections are open."""
        return {row["account_id"] for row in await ask(self.duly, OPEN, period=PERIOD)}

    async def until_open(self, count: int) -> list[Receivable]:
        """Wait until so many collections are open, and return those of the receivables."""

        async def are_open() -> bool:
            return len(await self.opened()) >= count

        await self.until(are_open)
        opened = await self.opened()
        return [one for one in self.receivables if one.account in opened]

    async def go_on(self, receivables: Sequence[Receivable]) -> None:
        """Do to each what brings it to its end, some at a time."""
        at_once = asyncio.Semaphore(COMMANDS_AT_ONCE)

        async def end(receivable: Receivable) -> None:
            async with at_once:
                await self.until_it_waits(receivable)
                await receivable.stage.after(receivable)

        await asyncio.gather(*(end(receivable) for receivable in receivables))

    async def _loaded(self, payers: int) -> list[str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(LOADER),
            str(self._folder_of_payers),
            str(payers),
            cwd=self.duly.code,
            env={**self.duly.stack.environment, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(self.duly.code)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        written, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return written.decode().splitlines()
