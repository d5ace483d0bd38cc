"""A release is upgraded under all that may be open: each goes on to its right end, and is charged once.

Real servers, and both releases' workers as processes of their own, in the order of docs/upgrading.md.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.workflow_ids import collection_id
from sandbox.workers import running_worker
from tests.house.source import ROOT
from tests.upgrades.deployed_release import deployed
from tests.upgrades.kept_release import releases
from tests.upgrades.months import start_payments
from tests.upgrades.under_way.books import NOT_LOST, wrong_with_money
from tests.upgrades.under_way.open_business import PERIOD, OpenBusiness
from tests.upgrades.under_way.open_collections import ask, signal_event

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(1500)]
# Two of each: one that waits, and one whose outcome nobody knows.
FORGOTTEN = {"in grace", "the answer is lost"}
# The month that the release was kept with, whose workflows are over.
KEPT = "2026-10"
AN_HOUR_AGO = "update duly.collections set opened_at = opened_at - interval '1 hour' where closed_at is null"


@pytest.fixture
async def business(tmp_path: Path) -> AsyncIterator[OpenBusiness]:
    """The last release in the middle of its business; none of its workers run."""
    async with deployed(releases()[-1], tmp_path) as duly:
        business = OpenBusiness(duly, tmp_path)
        yield business


async def assert_right(business: OpenBusiness) -> None:
    """Everything has come to its end, nothing has failed, and no money differs."""

    async def returned() -> bool:
        return not await business.returns.wrong()

    try:
        await business.until(returned)
    except TimeoutError:
        assert await business.returns.wrong() == {}
    assert set(await business.statuses()) <= NOT_LOST
    assert await wrong_with_money(business.duly) == []


async def assert_all_ends(business: OpenBusiness) -> None:
    """Each collection has come to its own end, and then all that is on its way back.

    In this order: the card that a holder enters would pay what its account has until a deadline to pay.
    """
    assert await business.ends(business.receivables) == {}
    await business.returns.end()
    await assert_right(business)


async def test_whatever_is_open_goes_on_under_new_workers_and_what_has_lost_its_workflow_is_resumed(
    business: OpenBusiness,
) -> None:
    duly = business.duly
    async with running_worker(duly.stack, name="old", argv=duly.worker_of(duly.code)) as old:
        await business.open()
        await duly.prepare(ROOT)
        async with running_worker(duly.stack, name="new", argv=duly.worker_of(ROOT)):
            await business.go_on(business.receivables[::2])
            await old.stop()
            rest = business.receivables[1::2]
            lost = [one for one in rest if one.stage.name in FORGOTTEN]
            for receivable in lost:
                await business.forget(collection_id(receivable.account, PERIOD))
            await ask(duly, AN_HOUR_AGO)
            await duly.command(ROOT, "supervise")
            await business.go_on([one for one in rest if one not in lost])
            await business.go_on_where_open(lost)

            assert len(lost) >= 2
            await assert_all_ends(business)


async def test_old_workers_come_back_to_the_migrated_schema_and_go_on_with_what_new_ones_have_not_begun(
    business: OpenBusiness,
) -> None:
    duly = business.duly
    async with running_worker(duly.stack, name="old", argv=duly.worker_of(duly.code)):
        await business.open()
        by_new, begun_by_new, rest = (business.receivables[n::3] for n in range(3))
        # How long new workers are there is the machine's: what they may have gone on with waits for them.
        begun_by_new += [one for one in rest if one.stage.goes_on_by_itself]
        untouched = [one for one in rest if one not in begun_by_new]
        await duly.prepare(ROOT)
    async with running_worker(duly.stack, name="new", argv=duly.worker_of(ROOT)):
        await business.go_on(by_new)
        for receivable in begun_by_new:
            await signal_event(receivable)
        assert await business.ends(by_new) == {}
    async with running_worker(duly.stack, name="old-again", argv=duly.worker_of(duly.code)):
        await business.go_on(untouched)
        assert await business.ends(untouched) == {}
    async with running_worker(duly.stack, name="new-again", argv=duly.worker_of(ROOT)):
        await business.go_on(begun_by_new)
        await assert_all_ends(business)


async def test_what_retention_has_purged_is_known_from_its_rows_and_charged_no_second_time(
    business: OpenBusiness,
) -> None:
    duly = business.duly
    await duly.prepare(ROOT)
    async with running_worker(duly.stack, name="new", argv=duly.worker_of(ROOT)):
        assert await business.purge() > 0
        await business.returns.send_reward_back()
        await business.until(business.returns.is_remedied)

        with pytest.raises(AssertionError, match="one_run_a_period"):
            await start_payments(duly, ROOT, KEPT)
        assert await business.charged_twice() == []
        assert set(await business.statuses()) <= NOT_LOST
        assert await wrong_with_money(duly) == []
