"""What the gateway suspects: an early warning of an issuer, a review; one alert each, however often its event comes."""

from typing import Any

import httpx
import pytest

from activities.database import Database
from activities.events.delivery import EventDelivery
from models.gateway.events import Delivered, needed_types
from tests.events.signed_events import an_event, send
from tests.events.test_unknown_events import delivery, its_turn, owner, receiver, state_of  # noqa: F401  # fixtures
from tests.support.builders import Merchant

WARNING, REVIEW = "radar.early_fraud_warning.created", "review.opened"


@pytest.fixture
async def payment(merchant: Merchant, owner: Database) -> str:  # noqa: F811
    """A payment that was sent; its request."""
    account = await merchant.account("acc_ada", owes_minor=2500)
    await merchant.run(
        "select duly.open_attempt(:account, '2026-11', 'stripe', '', 1, 'scheduled', '')", account=account
    )
    await owner.rows("update duly.gateway_requests set gateway_reference = 'pi_1' returning id")
    return str(await merchant.value("select id from duly.gateway_requests"))


async def test_a_warning_and_a_review_are_one_alert_each_whoever_delivers_them_again(
    receiver: httpx.AsyncClient,  # noqa: F811
    merchant: Merchant,
    delivery: EventDelivery,  # noqa: F811
    payment: str,
) -> None:
    about: dict[str, Any] = {"payment_intent": "pi_1", "charge": "ch_1"}
    await send(receiver, an_event("evt_1", type=WARNING, id="issfr_1", object="radar.early_fraud_warning", **about))
    await send(receiver, an_event("evt_2", type=WARNING, id="issfr_1", object="radar.early_fraud_warning", **about))
    await send(receiver, an_event("evt_3", type=REVIEW, id="prv_1", object="review", **about))

    taken = [await delivery.deliver_waiting() for _ in range(2)]

    assert taken == [Delivered(taken=3), Delivered()]
    alerts = await merchant.run("select id, audience, account_id, parameters from duly.messages order by id")
    assert [(row.id, row.audience, row.account_id) for row in alerts] == [
        ("fraud_suspected/acc_ada/issfr_1", "operator", "acc_ada"),
        ("fraud_suspected/acc_ada/prv_1", "operator", "acc_ada"),
    ]
    assert {(row.parameters["amount_minor"], row.parameters["request"]) for row in alerts} == {(2500, payment)}


async def test_a_review_that_comes_before_our_own_row_waits_for_it(
    receiver: httpx.AsyncClient,  # noqa: F811
    merchant: Merchant,
    database: Database,
    delivery: EventDelivery,  # noqa: F811
    owner: Database,  # noqa: F811
) -> None:
    await send(receiver, an_event(type=REVIEW, id="prv_1", object="review", payment_intent="pi_1"))

    early = await delivery.deliver_waiting()
    account = await merchant.account("acc_ada", owes_minor=2500)
    await merchant.run(
        "select duly.open_attempt(:account, '2026-11', 'stripe', '', 1, 'scheduled', '')", account=account
    )
    await owner.rows("update duly.gateway_requests set gateway_reference = 'pi_1' returning id")
    await its_turn(merchant, owner)
    later = await delivery.deliver_waiting()

    assert (early, later) == (Delivered(put_off=1), Delivered(taken=1))
    assert (await state_of(database))[0] == "delivered"
    assert await merchant.value("select count(*) from duly.messages where kind = 'fraud_suspected'") == 1


def test_the_gateway_is_asked_for_both() -> None:
    assert {WARNING, REVIEW} <= set(needed_types())


@pytest.mark.parametrize("standing", ["", "refunded", "disputed"])
async def test_of_a_payment_that_is_disputed_or_refunded_no_refund_is_advised(
    receiver: httpx.AsyncClient,  # noqa: F811
    delivery: EventDelivery,  # noqa: F811
    payment: str,
    database: Database,
    owner: Database,  # noqa: F811
    standing: str,
) -> None:
    about: dict[str, Any] = {"payment_intent": "pi_1", "charge": "ch_1"}
    await send(receiver, an_event("evt_1", type=WARNING, id="issfr_1", object="radar.early_fraud_warning", **about))
    await delivery.deliver_waiting()
    if standing == "refunded":
        await owner.rows(
            "insert into duly.gateway_requests (kind, provider_id, account_id, amount_minor, currency, of_request_id)"
            " values ('refund', 'stripe', 'acc_ada', 2500, 'EUR', :payment) returning id",
            payment=payment,
        )
    elif standing == "disputed":
        await owner.rows(
            "insert into duly.disputes (id, provider_id, request_id, account_id, amount_minor, currency, state, status)"
            " values ('du_1', 'stripe', :payment, 'acc_ada', 2500, 'EUR', 'open', 'needs_response') returning id",
            payment=payment,
        )

    claimed = await database.call("claim_message", id="fraud_suspected/acc_ada/issfr_1")

    assert claimed["standing"] == standing
