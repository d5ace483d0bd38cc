"""Real backups: a base backup, its archive of the log, a moment in the middle of a month; then month after month."""

import pytest

from sandbox.stripe.control.client import SandboxControl
from tests.recovery.backups.months import (
    CUSTOMERS,
    first_month,
    give_back,
    invoice_all,
    month,
    months_from,
    retry_now,
    until_charged,
)
from tests.recovery.backups.shop import Shop
from tests.support.builders import declined

# Servers are started, lost and restored, and months pass.
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(
    ("temporal", "months"),
    [
        pytest.param("goes on", 2, marks=pytest.mark.nightly),
        pytest.param("goes on", 6, marks=pytest.mark.nightly),
        pytest.param("restored too", 4, marks=pytest.mark.nightly),
        pytest.param("lost too", 4, marks=pytest.mark.nightly),
    ],
)
async def test_a_moment_in_the_middle_of_a_run_is_recovered_and_nobody_pays_twice_month_after_month(
    shop: Shop, period: str, stripe_sandbox: SandboxControl, temporal: str, months: int
) -> None:
    first, second, *later = months_from(period, count=months)
    async with shop.at_work() as duly:
        accounts = await first_month(shop, duly, first)
        backup = await shop.postgres.back_up()
        workflows = await shop.temporal.back_up()
        stripe_sandbox.script_card(await shop.merchant.token(accounts[0]), declined("insufficient_funds"))
        stripe_sandbox.script_card(await shop.merchant.token(accounts[7]), declined("insufficient_funds"))
        await invoice_all(shop, accounts)
        run = await duly.start_run(period=second)
        await until_charged(stripe_sandbox, CUSTOMERS + 2)
        moment = await shop.now()
        # All of this is forgotten: the rest of the run, a refund, a reward.
        await run.result()
        await give_back(shop, duly, accounts, first)

        if temporal != "goes on":
            await shop.temporal.restore(workflows if temporal == "restored too" else None)
        await shop.postgres.restore(backup, moment)
        await shop.is_held()
        sent = shop.changes()
        read = await shop.recover()
        unchanged = shop.changes()
        await shop.supervise()
        # Whoever had no answer that the database remembers asks again.
        await give_back(shop, duly, accounts, first)
        for account in (accounts[0], accounts[7]):
            await retry_now(duly, account, second)
        await shop.all_paid()
        for one in later:
            await month(shop, duly, accounts, one)

    assert sent == unchanged
    assert (read["left"], read["adopted"] > 0) == ([], True)
    assert await shop.unequal() == []
    assert await shop.wrong() == []
    assert shop.refunded() == 700


@pytest.mark.nightly
async def test_a_base_backup_from_before_a_whole_month_is_recovered_and_nobody_pays_twice_month_after_month(
    shop: Shop, period: str, stripe_sandbox: SandboxControl
) -> None:
    first, second, *later = months_from(period)
    async with shop.at_work() as duly:
        accounts = await first_month(shop, duly, first)
        backup = await shop.postgres.back_up()
        moment = await shop.now()
        stripe_sandbox.script_card(await shop.merchant.token(accounts[0]), declined("insufficient_funds"))
        await invoice_all(shop, accounts)
        await duly.run(period=second)
        await give_back(shop, duly, accounts, first)

        await shop.postgres.restore(backup, moment)
        await shop.is_held()
        read = await shop.recover()
        await shop.supervise()
        # The month is billed and run again, and a service asks again.
        await invoice_all(shop, accounts)
        await duly.run(period=second)
        await give_back(shop, duly, accounts, first)
        await retry_now(duly, accounts[0], second)
        await shop.all_paid()
        for one in later:
            await month(shop, duly, accounts, one)

    # Seven payments, a decline, a refund, a reward.
    assert (read["left"], read["adopted"]) == ([], CUSTOMERS + 2)
    # A refund without a credit note is owed: the recovered payment, by then a credit, pays it first. The run collects
    # the rest of its invoice.
    assert await shop.unequal() == [(accounts[1], 3 * 1001, 3 * 1001 + 400)]
    assert await shop.merchant.balance(accounts[1]) == 0
    assert await shop.wrong() == []
    assert shop.refunded() == 700
