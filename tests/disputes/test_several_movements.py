"""What banks move for a dispute several times, in any direction, adds up: it is owed, paid again or lost once."""

from datetime import UTC, datetime

from activities.disputes.disputes import record_dispute
from activities.ledger.invariants import find_violations
from models.disputes.dispute import DisputeData, DisputeState
from models.gateway.movements import Movement, MovementKind
from tests.disputes.test_disputes import alerts, disputed, held, workflow_of
from tests.disputes.test_parts import lost_part, written_off
from tests.fixtures.refunds import RefundClient


async def converted(refunds: RefundClient, currency: str = "EUR") -> int:
    """Return what the account of exchange differences holds."""
    rows = await refunds.merchant.run(
        "select debit_minor - credit_minor from duly.trial_balance()"
        " where ledger_account = 'currency_conversion:stripe' and currency = :currency",
        currency=currency,
    )
    return sum(row[0] for row in rows)


async def moved(
    refunds: RefundClient, dispute: str, state: DisputeState, *amounts_minor: int, currency: str = "EUR"
) -> DisputeData:
    """Return a dispute of the only payment, as the gateway has it after such movements."""
    intent = await refunds.merchant.value("select gateway_reference from duly.gateway_requests where kind = 'payment'")
    about = -amounts_minor[0] if currency == "EUR" else 2500
    movements = tuple(
        Movement(f"txn_{dispute}_{place}", MovementKind.OTHER, dispute, amount, 0, currency, datetime.now(UTC))
        for place, amount in enumerate(amounts_minor)
    )
    is_own = currency == "EUR"
    return DisputeData(
        dispute, intent, state, str(state), about, "EUR", "fraudulent", None, has_evidence=False, movements=movements,
        withdrawn_minor=-sum(each for each in amounts_minor if each < 0) if is_own else about,
        reinstated_minor=sum(each for each in amounts_minor if each > 0) if is_own else about,
    )  # fmt: skip


async def test_of_a_lost_dispute_a_part_comes_back_and_later_the_rest_and_all_of_it_is_paid_again(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment)
    refunds.sandbox.close_dispute(dispute, won=False, reinstated=1000)
    await workflow_of(refunds, dispute).signal("gateway_event")
    await workflow_of(refunds, dispute).result()
    after_the_part = await refunds.owed(payment)

    refunds.sandbox.overturn_dispute(dispute)
    await refunds.deliver_events()
    result = await workflow_of(refunds, dispute).result()

    assert (after_the_part, await refunds.owed(payment), result.state) == (1500, 0, DisputeState.WON)
    assert (await held(refunds), await written_off(refunds), await converted(refunds)) == (0, 0, 0)
    assert await refunds.wrong() == []


async def test_a_refund_that_fails_after_its_money_was_written_off_is_owed_and_no_loss(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    refund = await refunds.start(payment, 1000, name="rf_sent_back")
    await lost_part(refunds, payment, 2500)
    lost = (await refunds.owed(payment), await written_off(refunds))

    refunds.sandbox.fail_refund(refund.gateway_reference)
    await refunds.deliver_events()
    await refunds.ended("rf_sent_back")

    assert lost == (2500, 1000)
    assert (await refunds.owed(payment), await held(refunds), await written_off(refunds)) == (2500, 0, 0)
    assert await refunds.merchant.value("select state_reason from duly.cards") == "charged_back"
    assert await refunds.wrong() == []


async def test_of_two_lost_disputes_beyond_a_payment_what_one_gives_back_is_no_loss_of_the_other(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.LOST, -2500))
    await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_2", DisputeState.LOST, -800))
    beyond = (await refunds.owed(payment), await written_off(refunds))

    await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.WON, -2500, 2500))

    assert beyond == (2500, 800)
    assert (await refunds.owed(payment), await held(refunds), await written_off(refunds)) == (800, 0, 0)
    assert not await find_violations(refunds.owner_engine)


async def test_a_dispute_that_was_won_and_is_lost_after_all_cancels_the_payment(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.WON, -2500, 2500))

    lost = await record_dispute(
        refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.LOST, -2500, 2500)
    )
    before_the_money = (await refunds.owed(payment), await held(refunds))
    await record_dispute(
        refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.LOST, -2500, 2500, -2500)
    )

    assert (lost.state, before_the_money) == (DisputeState.LOST, (0, 0))
    assert (await refunds.owed(payment), await held(refunds), await converted(refunds)) == (2500, 0, 0)
    assert await alerts(refunds) == ["dispute_opened", "dispute_decided"]
    assert not await find_violations(refunds.owner_engine)


async def test_who_has_read_a_dispute_before_its_money_came_back_changes_no_decision(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    late = await moved(refunds, "dp_1", DisputeState.LOST, -2500)
    await record_dispute(refunds.database, "stripe", late)
    await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.WON, -2500, 2500))

    recorded = await record_dispute(refunds.database, "stripe", late)

    assert (recorded.state, await refunds.owed(payment), await held(refunds)) == (DisputeState.WON, 0, 0)


async def test_a_reversal_that_the_bank_cancels_is_owed_again_and_no_more_comes_back_than_was_taken(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    steps = ((-1000,), (-1000, 600), (-1000, 600, -600), (-1000, 600, -600, 1000))
    owed = []

    for amounts in steps:
        await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.LOST, *amounts))
        owed.append(await refunds.owed(payment))

    assert owed == [1000, 400, 1000, 0]
    assert (await held(refunds), await written_off(refunds), await converted(refunds)) == (0, 0, 0)
    assert not await find_violations(refunds.owner_engine)


async def test_a_bank_that_gives_back_more_than_it_has_taken_leaves_a_gain_and_nothing_converted(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)

    await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.WON, -1000, 1010))

    assert (await refunds.owed(payment), await held(refunds), await written_off(refunds)) == (0, 0, -10)
    assert await converted(refunds) == 0
    assert not await find_violations(refunds.owner_engine)


async def test_of_a_dispute_that_moves_dollars_only_the_difference_of_the_rates_is_converted(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    # 25.00 EUR are taken as 27.50 USD; two fifths come back at that rate, and the rest at the rate of another day.
    part = await moved(refunds, "dp_1", DisputeState.LOST, -2750, 1100, currency="USD")
    await record_dispute(refunds.database, "stripe", part)
    owed = await refunds.owed(payment)
    all_of_it = await moved(refunds, "dp_1", DisputeState.WON, -2750, 1100, 1700, currency="USD")
    await record_dispute(refunds.database, "stripe", all_of_it)

    assert (owed, await refunds.owed(payment), await held(refunds)) == (1500, 0, 0)
    assert (await converted(refunds, "EUR"), await converted(refunds, "USD")) == (0, -50)


async def test_what_is_still_to_come_of_a_dispute_that_is_won_is_overdue_after_a_week(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)

    await record_dispute(refunds.database, "stripe", await moved(refunds, "dp_1", DisputeState.WON, -2500, 2000))

    waiting = await refunds.merchant.run(
        "select kind, amount_minor, settled_minor, overdue_at > due_at + interval '5 days'"
        " from duly.gateway_expectations where object = 'dp_1' and movement is null"
    )
    assert [tuple(row) for row in waiting] == [("dispute_reversal", 2500, 2000, True)]
    assert (await held(refunds), await refunds.owed(payment)) == (500, 0)
