"""A test that waits in vain is told apart from one that fails: it says where it waits, and what for."""

import asyncio
import re

import pytest

from tests.fixtures.time_limit import limited
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly
from tests.support.started_workflows import STARTED, open_workflows


async def test_what_a_test_waits_for_is_in_its_failure(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account("acc_1", answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")

    async def waits_in_vain() -> None:
        with duly.environment.auto_time_skipping_disabled():
            await handle.result()

    with pytest.raises(pytest.fail.Exception) as failed:
        await limited(waits_in_vain, 0.5)()

    assert "await handle.result()" in str(failed.value)
    assert re.search(rf"{handle.id}: activities \[\], timers \['\d+ days", str(failed.value))


async def test_a_time_out_of_the_test_itself_stays_what_it_is() -> None:
    async def runs_out_of_its_own_time() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await limited(runs_out_of_its_own_time, 10)()


async def test_what_has_ended_is_not_named(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    await (await duly.start_collection(account)).result()

    assert await open_workflows(STARTED.started) == "no workflow that the test had started is open"
