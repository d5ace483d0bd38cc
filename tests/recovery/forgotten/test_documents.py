"""Documents and rewards of the gap: their numbers are not given again, and what was paid for them is not paid again."""

import pytest
from aiolimiter import AsyncLimiter

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.reductions.merchants import Merchants, MerchantsDocument
from activities.reductions.reductions import ReductionActivities
from activities.refunds.refunds import RefundActivities
from models.reductions.reduction import Award, Reduction
from models.refunds.refund import RefundAttempt, RefundOrder
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import Delays, SandboxControl
from tests.recovery.conftest import Backup, Watching
from tests.recovery.steps import owner_of, recovered
from tests.support.attempts import request_for
from tests.support.builders import Merchant

# A busy machine does not live to see it by itself, and moving the clock twice leaves it within a minute of the others.
BOOKED_AFTER = 25
CAFE = {"id": "cafe", "name": "Café", "currency": "EUR", "account": "acc_cafe", "reduction": {}}
NUMBER = "select number from duly.transaction_numbers where transaction_id = :id"


async def awarded(database: Database, account: str, amount_minor: int) -> Reduction:
    """Award a reward and reserve its refunds, as its workflow does; the same award every time."""
    reductions = ReductionActivities(database)
    await reductions.open_reduction(Award("award_1", "cafe", account, amount_minor, "EUR"))
    return await reductions.plan_reduction("award_1", is_remedy=False)


def refunds_of(database: Database, gateway: StripeGateway) -> RefundActivities:
    return RefundActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1), "stripe")


async def pay_back(database: Database, gateway: StripeGateway, reduction: Reduction) -> None:
    """Refund every part that was not refunded yet."""
    for part in reduction.under_way:
        order = RefundOrder(part.refund_id, part.payment_id, part.amount_minor, is_acknowledged=True)
        await refunds_of(database, gateway).refund(RefundAttempt(order))


async def checked(database: Database, gateway: StripeGateway) -> Reduction:
    """Look at every refund of the reward once more, and return it as it is then."""
    reductions = ReductionActivities(database)
    for part in (await reductions.load_reduction("award_1")).parts:
        await refunds_of(database, gateway).check_refund(part.refund_id)
    return await reductions.load_reduction("award_1")


async def paid_by_transfer(merchant: Merchant, account: str) -> str:
    """Post a bank transfer and return its number."""
    await merchant.transfer(account, 100)
    return str(await merchant.value("select max(number) from duly.transaction_numbers where number like 'PAY-%'"))


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("prefix", ["INV", "RE"])
async def test_numbers_of_documents_that_customers_may_hold_are_not_given_again(
    merchant: Merchant, watching: Watching, backup: Backup, database: Database, postgres_server: PostgresServer,
    prefix: str,
) -> None:  # fmt: skip
    year = ""
    if prefix == "RE":
        year = await merchant.value("select to_char(now(), 'YYYY')")
        await merchant.configure('[[transaction_types]]\nid = "invoice"\nprefix = "RE"\nper_year = true')
    account = await merchant.account(owes_minor=1000)
    # A series with gaps: from its second number on it has a sequence, which is restored as well.
    before = [await paid_by_transfer(merchant, account) for _ in range(3)]
    bring_back = await backup()
    await watching(database).compare()
    held = await merchant.value(NUMBER, id=await merchant.invoice(account, 500))
    before.append(await paid_by_transfer(merchant, account))
    books = await bring_back()
    await watching(books.database).compare()
    await recovered(books, owner_of(books, postgres_server))

    numbers = [
        await books.merchant.value(NUMBER, id=await books.merchant.invoice(account, amount)) for amount in (500, 700)
    ]
    after = [await paid_by_transfer(books.merchant, account) for _ in range(2)]
    laws = "select * from duly.invariant_violations"
    kept = list(await books.merchant.run(laws))
    await books.merchant.run("delete from duly.number_gaps")

    assert (held, numbers) == (
        f"{prefix}{year}-0000000002",
        [f"{prefix}{year}-0001000001", f"{prefix}{year}-0001000002"],
    )
    assert before[-1] == "PAY-0000000004"
    assert min(after) > "PAY-0001000000"
    assert kept == []
    # A hole that nobody has declared is none of a restore.
    assert [row[0] for row in await books.merchant.run(laws)] == ["I6 numbers without gaps"]


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("is_executed", [True, False])
async def test_a_reward_of_the_gap_that_is_asked_for_again_takes_the_refunds_that_went_out(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    gateway: StripeGateway, postgres_server: PostgresServer, stripe_sandbox: SandboxControl, *, is_executed: bool,
) -> None:  # fmt: skip
    stripe_sandbox.set_delays(Delays(balance_transaction=BOOKED_AFTER))
    account = await merchant.account(owes_minor=2500)
    await merchant.account("acc_cafe", cards=[])
    await Merchants(database).apply(MerchantsDocument.model_validate({"merchants": [CAFE]}))
    await collecting.collect(request_for(account))
    bring_back = await backup()
    await watching(database).compare()
    await pay_back(database, gateway, await awarded(database, account, 400))
    if is_executed:
        stripe_sandbox.advance(BOOKED_AFTER)
    books = await bring_back()
    await watching(books.database).compare()
    await recovered(books, owner_of(books, postgres_server))
    owed = await books.merchant.balance(account)

    await pay_back(books.database, gateway, await awarded(books.database, account, 400))
    stripe_sandbox.advance(BOOKED_AFTER)
    reward = await checked(books.database, gateway)

    assert owed == (400 if is_executed else 0)
    assert [part.amount_minor for part in reward.parts] == [400]
    assert (reward.granted_minor, reward.open_minor) == (400, 0)
    assert sum(total.refunds.amount_minor for total in stripe_sandbox.movements().totals) == 400
    assert await books.merchant.balance(account) == 0
    assert await books.wrong() == []
