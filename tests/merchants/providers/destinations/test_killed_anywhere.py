"""Die before and after every step of a transfer that follows a refund: it is taken back once, and booked once."""

from itertools import product

import pytest

from activities.merchants.transfers import TransferSettlement
from models.merchants.transfer import MoveKind
from sandbox.stripe.control.client import Fault, FaultKind
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.merchants.providers.destinations.conftest import books, customer_of, reconciled, retried, transfers
from tests.merchants.providers.test_application_fees import assert_both_add_up
from tests.support.crashes import Crash, CrashTrigger, KilledError, Moment, killable

REVERSALS = "POST /v1/transfers/{id}/reversals"


async def settled(platform: Platform, trigger: CrashTrigger | None = None) -> None:
    """Let the transfers follow; with a trigger, until the process dies."""
    own = platform.own
    database, gateway, _ = (
        killable(platform.database, own.gateway, trigger) if trigger else (platform.database, own.gateway, None)
    )
    await TransferSettlement(database, gateway).settle("stripe")


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        (("transfers_to_settle", "transfers_of", "record_transfers", "move"), None),
        pytest.param(("move", "note_move_unanswered"), FaultKind.RESPONSE_LOST, marks=pytest.mark.nightly),
        pytest.param(("move", "note_move_unanswered"), FaultKind.STORED_500_AFTER_EFFECT, marks=pytest.mark.nightly),
        pytest.param(("move", "note_move_unanswered"), FaultKind.STORED_500, marks=pytest.mark.nightly),
        pytest.param(("move", "note_move_unanswered"), FaultKind.REQUEST_LOST, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.gate_cases(1)
@pytest.mark.slow
async def test_killed_anywhere_a_transfer_is_taken_back_once(
    platform: Platform, shop: ConnectedMerchant, steps: tuple[str, ...], fault: FaultKind | None
) -> None:
    account = await customer_of(platform, shop)
    crashes = [Crash(step, moment) for step, moment in product(steps, Moment)]
    payments = await platform.own.paid(*([2500] * len(crashes)), account=account)
    await settled(platform)

    for payment, crash in zip(payments, crashes, strict=True):
        if fault:
            platform.sandbox.add_fault(Fault(operation=REVERSALS, kind=fault, times=1))
        await platform.own.start(payment, 777)
        with pytest.raises(KilledError):
            await settled(platform, CrashTrigger(crash))
        for _ in range(3):
            await retried(platform)
            await settled(platform)

    assert await transfers(platform) == [("settled", 2500, 777, 0)] * len(crashes)
    moved = (await platform.own.merchant.stripe.v1.transfers.list_async({"limit": 100})).data
    assert [each.amount_reversed for each in moved] == [777] * len(crashes)
    kinds = await platform.own.merchant.run(
        "select kind, count(*) from duly.merchant_transfer_moves where state = 'moved' group by kind order by kind"
    )
    assert [tuple(row) for row in kinds] == [(MoveKind.REVERSAL, len(crashes)), (MoveKind.TRANSFER, len(crashes))]
    assert await books(platform, "merchant_payables", "due_from_platform") == {}
    assert_both_add_up(await reconciled(platform, shop))
