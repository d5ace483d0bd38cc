"""A release is upgraded in the middle of a month's run, with a thousand collections open, and goes back and forward.

Those wait at the stages that a command ends; what clocks and lost answers end is few of each in test_open_business.py.
"""

from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from sandbox.workers import running_worker
from tests.house.source import ROOT
from tests.upgrades.deployed_release import deployed
from tests.upgrades.kept_release import releases
from tests.upgrades.months import bill, start_payments
from tests.upgrades.under_way.books import NOT_LOST, wrong_with_money
from tests.upgrades.under_way.open_business import PERIOD
from tests.upgrades.under_way.thousand import Thousand

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(2400)]
PAYERS = 1_010


async def test_a_thousand_open_collections_survive_an_upgrade_in_mid_run_a_rollback_and_the_upgrade_again(
    tmp_path: Path,
) -> None:
    async with deployed(releases()[-1], tmp_path) as duly:
        business = Thousand(duly, tmp_path)
        old_worker, new_worker = duly.worker_of(duly.code), duly.worker_of(ROOT)
        await business.load(PAYERS)

        # when the old workers end while they collect, and new ones go on with the run
        async with running_worker(duly.stack, name="old", argv=old_worker) as old:
            await bill(duly, duly.code, PERIOD)
            run = await start_payments(duly, duly.code, PERIOD)
            begun_by_old = await business.until_open(PAYERS // 3)
            await business.until_open(PAYERS // 2)
            await old.stop()
        assert (await run.describe()).status is WorkflowExecutionStatus.RUNNING
        assert len(await business.opened()) < PAYERS
        await duly.prepare(ROOT)
        async with running_worker(duly.stack, name="new", argv=new_worker):
            await run.result()
            assert len(await business.opened()) >= 1_000
            waits_for_old = begun_by_old[::2]
            by_new = [one for one in business.receivables if one not in waits_for_old][::2]
            await business.go_on(by_new)
            assert await business.ends(by_new) == {}

        # then the old ones go on with what they had begun, and new ones with the rest
        async with running_worker(duly.stack, name="old-again", argv=old_worker):
            await business.go_on(waits_for_old)
            assert await business.ends(waits_for_old) == {}
        async with running_worker(duly.stack, name="new-again", argv=new_worker):
            ended = {one.account for one in (*by_new, *waits_for_old)}
            await business.go_on([one for one in business.receivables if one.account not in ended])
            assert await business.ends(business.receivables) == {}

            assert await business.charged_twice() == []
            assert set(await business.statuses()) <= NOT_LOST
            assert await wrong_with_money(duly) == []
