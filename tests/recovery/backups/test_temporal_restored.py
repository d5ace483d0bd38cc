"""Temporal's own database is lost, or restored to an older state: what is open goes on from the rows of ours."""

import pytest
from temporalio.client import WorkflowFailureError

from sandbox.stripe.control.client import SandboxControl
from tests.recovery.backups.months import first_month, give_back, invoice_all, month, months_from, retry_now
from tests.recovery.backups.shop import Shop
from tests.support.builders import declined

# Servers are started, lost and restored, and months pass.
pytestmark = pytest.mark.timeout(600)


@pytest.mark.nightly
@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_temporal_has_forgotten_goes_on_from_its_rows_and_nobody_pays_twice_month_after_month(
    shop: Shop, period: str, stripe_sandbox: SandboxControl, *, is_lost: bool
) -> None:
    first, second, *later = months_from(period)
    async with shop.at_work() as duly:
        accounts = await first_month(shop, duly, first)
        workflows = await shop.temporal.back_up()
    # The next process has Temporal remember that the database has counted on.
    async with shop.at_work() as duly:
        stripe_sandbox.script_card(await shop.merchant.token(accounts[0]), declined("insufficient_funds"))
        await invoice_all(shop, accounts)
        await duly.run(period=second)
        await give_back(shop, duly, accounts, first)
    await shop.temporal.restore(None if is_lost else workflows)

    async with shop.at_work() as duly:
        await shop.supervise()
        # The month is closed in our database, whatever Temporal knows of it.
        with pytest.raises(WorkflowFailureError):
            await duly.run(period=second)
        await give_back(shop, duly, accounts, first)
        await retry_now(duly, accounts[0], second)
        await shop.all_paid()
        for one in later:
            await month(shop, duly, accounts, one)

    alerts = await shop.merchant.run("select kind from duly.messages where kind in ('temporal_forgot', 'sending_held')")
    assert [row.kind for row in alerts] == ["temporal_forgot"]
    assert await shop.unequal() == []
    assert await shop.wrong() == []
    assert shop.refunded() == 700
