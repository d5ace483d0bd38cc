"""Runs that top up wallets ask cards as every payment run does: charged once, dunned, given up, and taken back."""

import pytest

from models.collections.collection import Stage
from models.disputes.dispute import DisputeState
from models.runs.process_run import Certificate
from sandbox.stripe.control.client import DisputeScript
from tests.disputes.test_disputes import decided, disputed
from tests.fixtures.refunds import RefundClient
from tests.support.builders import declined
from tests.support.running_duly import RunningDuly
from tests.wallets.top_ups import ToppedUp

DAY = "2026-11-27"


@pytest.fixture
async def topped_up(refunds: RefundClient) -> ToppedUp:
    """Runs that top up wallets by cards."""
    client = ToppedUp(refunds.merchant, refunds.database)
    await client.set_up()
    return client


def outcomes(certificate: Certificate) -> list[tuple[str, str, int, int]]:
    return [(one.outcome, one.reason, one.members, one.amount_minor) for one in certificate.totals]


async def test_a_card_pays_the_top_up_and_the_wallet_has_it_in_the_same_commit(
    duly: RunningDuly, topped_up: ToppedUp, refunds: RefundClient
) -> None:
    paid, cardless = await topped_up.low("paid"), await topped_up.low("cardless", cards=())

    certificate = await duly.run("top_ups", DAY)

    assert outcomes(certificate) == [("charged", "", 1, 2000)]
    [left_out] = certificate.left_out
    assert (left_out.reason, left_out.accounts, left_out.amount_minor) == ("no_card", 1, 2000)
    assert certificate.criteria == {"wallet_top_ups": True}
    assert [await topped_up.wallet(account) for account in (paid, cardless)] == [2500, 500]
    commits = await topped_up.value(
        "select count(distinct x.posted_xid) from ("
        "select posted_xid from duly.financial_transactions where provider is not null"
        " union all select posted_xid from duly.wallet_transactions where idempotency_key like 'topped_up:%') x"
    )
    assert commits == 1
    # The next day's run finds the wallet full, and its certificate says so.
    assert outcomes(await duly.run("top_ups", "2026-11-28")) == []
    assert await refunds.wrong() == []


async def test_a_declined_top_up_is_dunned_and_the_wallet_has_it_when_the_card_pays(
    duly: RunningDuly, topped_up: ToppedUp, refunds: RefundClient
) -> None:
    account = await topped_up.low("later", answers=[declined("insufficient_funds")])

    certificate = await duly.run("top_ups", DAY)
    meanwhile = (await topped_up.wallet(account), await topped_up.states())
    result = await duly.collected(account)

    assert outcomes(certificate) == [("in_dunning", "insufficient_funds", 1, 2000)]
    assert meanwhile == (500, [(account, 2000, "requested", 0)])
    assert (result.stage, await topped_up.wallet(account)) == (Stage.SETTLED, 2500)
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_a_top_up_that_is_given_up_is_no_debt_and_none_follows_by_itself(
    duly: RunningDuly, topped_up: ToppedUp, refunds: RefundClient
) -> None:
    account = await topped_up.low("never", answers=[declined("do_not_honor")], answers_for_ever=True)

    await duly.run("top_ups", DAY)
    result = await duly.collected(account)

    assert result.stage == Stage.GIVEN_UP
    assert await topped_up.states() == [(account, 2000, "withdrawn", 0)]
    assert (await topped_up.merchant.balance(account), await topped_up.is_on(account)) == (0, False)
    assert outcomes(await duly.run("top_ups", "2026-11-28")) == []
    assert await refunds.wrong() == []


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(
    ("script", "left", "owed", "taken"), [(None, 0, 1200, 800), (DisputeScript(amount=500), 300, 0, 500)]
)
async def test_a_top_up_that_is_charged_back_leaves_the_wallet_and_what_was_spent_is_owed(
    duly: RunningDuly,
    topped_up: ToppedUp,
    refunds: RefundClient,
    script: DisputeScript | None,
    left: int,
    owed: int,
    taken: int,
) -> None:
    account = await topped_up.low("disputes", holds_minor=0)
    await duly.run("top_ups", DAY)
    await topped_up.value("select duly.wallet_debit('film', :id, 1200, 'EUR', 'film')", id=account)
    payment = str(await topped_up.value("select transaction_id from duly.gateway_requests where kind = 'payment'"))

    dispute = await disputed(refunds, payment, script)
    result = await decided(refunds, dispute, won=False)

    assert result.state == DisputeState.LOST
    assert (await topped_up.wallet(account), await topped_up.merchant.balance(account)) == (left, owed)
    assert await topped_up.states() == [(account, 2000, "credited", taken)]
    assert await topped_up.is_on(account) is False
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_a_top_up_whose_payment_is_cancelled_at_the_gateway_leaves_the_wallet(
    duly: RunningDuly, topped_up: ToppedUp, refunds: RefundClient
) -> None:
    account = await topped_up.low("regrets")
    await duly.run("top_ups", DAY)
    payment = str(await topped_up.value("select transaction_id from duly.gateway_requests where kind = 'payment'"))

    await refunds.cancel(payment, name="rf_top_up")
    await refunds.deliver_events()
    await refunds.ended("rf_top_up")

    assert (await topped_up.wallet(account), await topped_up.merchant.balance(account)) == (500, 0)
    assert await topped_up.states() == [(account, 2000, "credited", 2000)]
    assert await topped_up.is_on(account) is False
    assert await refunds.wrong() == []
