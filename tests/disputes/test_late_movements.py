"""What a bank moves for a dispute after its decision, or once more, is booked once."""

from datetime import UTC, datetime

from activities.disputes.disputes import record_dispute
from activities.ledger.invariants import find_violations
from models.disputes.dispute import DisputeData, DisputeState
from models.gateway.movements import Movement, MovementKind
from tests.disputes.test_disputes import held
from tests.fixtures.refunds import RefundClient


async def test_money_that_is_taken_after_the_decision_pays_for_the_loss(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    intent = await refunds.merchant.value("select gateway_reference from duly.gateway_requests")
    lost = DisputeData("dp_1", intent, DisputeState.LOST, "lost", 2500, "EUR", "fraudulent", None, has_evidence=False)
    await record_dispute(refunds.database, "stripe", lost)
    at_first = (await held(refunds), await refunds.state_of(payment))

    taken = {"reference": "txn_1", "amount_minor": -2500, "fee_minor": 1500, "currency": "EUR"}
    expected = {"provider_id": "stripe", "object": "dp_1", "kind": "dispute", "movement": taken}
    booked = [await refunds.database.call("book_movement", timeout_seconds=None, **expected) for _ in range(2)]

    assert at_first == (0, "posted")
    assert booked == [True, False]
    assert (await held(refunds), await refunds.state_of(payment), await refunds.owed(payment)) == (0, "cancelled", 2500)


async def test_a_further_movement_of_a_dispute_is_booked_once_in_its_own_currency(
    refunds: RefundClient,
) -> None:
    await refunds.paid(2500)
    intent = await refunds.merchant.value("select gateway_reference from duly.gateway_requests")
    moved = (
        Movement("txn_1", MovementKind.DISPUTE, "dp_1", -2750, 1500, "USD", datetime.now(UTC)),
        Movement("txn_2", MovementKind.DISPUTE, "dp_1", -40, 25, "USD", datetime.now(UTC)),
    )
    opened = DisputeData(
        "dp_1", intent, DisputeState.OPEN, "needs_response", 2500, "EUR", "fraudulent", None,
        has_evidence=False, withdrawn_minor=2500, movements=moved,
    )  # fmt: skip

    for _ in range(2):
        await record_dispute(refunds.database, "stripe", opened)

    rows = await refunds.merchant.run(
        "select kind, currency, amount_minor from duly.gateway_bookings where gateway_reference = 'dp_1' order by id"
    )
    assert sorted(tuple(row) for row in rows) == [
        ("converted_from", "USD", 40),
        ("converted_from", "USD", 2750),
        ("converted_to", "EUR", 2500),
        ("dispute_held", "EUR", 2500),
        ("fee", "USD", 25),
        ("fee", "USD", 1500),
    ]


async def test_of_a_dispute_about_more_than_was_paid_what_is_beyond_the_payment_is_written_off(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    intent = await refunds.merchant.value("select gateway_reference from duly.gateway_requests")
    moved = (Movement("txn_1", MovementKind.DISPUTE, "dp_1", -2600, 1500, "EUR", datetime.now(UTC)),)
    lost = DisputeData(
        "dp_1", intent, DisputeState.LOST, "lost", 2600, "EUR", "fraudulent", None,
        has_evidence=False, withdrawn_minor=2600, movements=moved,
    )  # fmt: skip

    for _ in range(2):
        await record_dispute(refunds.database, "stripe", lost)

    written_off = await refunds.merchant.value(
        "select debit_minor - credit_minor from duly.trial_balance() where ledger_account = 'write_off'"
    )
    assert (await held(refunds), await refunds.state_of(payment), await refunds.owed(payment)) == (0, "cancelled", 2500)
    assert written_off == 100
    assert not await find_violations(refunds.owner_engine)
