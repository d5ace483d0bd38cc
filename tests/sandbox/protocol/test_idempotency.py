"""Idempotency keys: the first executed answer is final for a day."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.sandbox.contract import payer

DAY = 24 * 3600
CREATE = "POST /v1/payment_intents"


def charges(control: SandboxControl) -> int:
    return sum(total.charges.count for total in control.movements().totals)


def test_a_decline_is_replayed_although_the_card_is_good_by_now(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.script_card(customer.method.id, CardOutcome(answer=Answer.DECLINE, decline_code="lost_card"))

    answers = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            customer.pay(key="one")
        answers.append(declined.value)

    assert [each.error.decline_code for each in answers if each.error] == ["lost_card", "lost_card"]
    assert answers[0].http_body == answers[1].http_body
    assert (
        "idempotent-replayed" in (answers[0].headers or {}),
        "idempotent-replayed" in (answers[1].headers or {}),
    ) == (
        False,
        True,
    )
    assert charges(stripe_sandbox) == 0


@pytest.mark.parametrize(("kind", "charged"), [(FaultKind.STORED_500, 0), (FaultKind.STORED_500_AFTER_EFFECT, 1)])
def test_a_stored_500_is_replayed_whether_or_not_it_charged(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, kind: FaultKind, charged: int
) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.add_fault(Fault(operation=CREATE, kind=kind, calls=(1,)))

    with pytest.raises(stripe.APIError) as first:
        customer.pay(key="one")
    with pytest.raises(stripe.APIError) as second:
        customer.pay(key="one")

    assert (first.value.http_status, second.value.http_status) == (500, 500)
    assert second.value.headers is not None
    assert second.value.headers["idempotent-replayed"] == "true"
    assert charges(stripe_sandbox) == charged


def test_what_failed_validation_is_not_stored(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)

    with pytest.raises(stripe.InvalidRequestError):
        customer.pay(1, key="one")
    payment = customer.pay(2000, key="one")

    assert payment.status == "succeeded"


def test_what_was_refused_before_it_was_executed_is_not_stored(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    customer = payer(stripe_sdk)
    kinds = (FaultKind.RATE_LIMIT, FaultKind.LOCK_TIMEOUT, FaultKind.CONFLICT, FaultKind.SERVER_ERROR_500)
    for kind in kinds:
        stripe_sandbox.add_fault(Fault(operation=CREATE, kind=kind, calls=(1,)))
        with pytest.raises(stripe.StripeError):
            customer.pay(key="one")
        stripe_sandbox.clear_faults()

    assert customer.pay(key="one").status == "succeeded"
    assert charges(stripe_sandbox) == 1


def test_other_parameters_under_the_same_key_are_refused(stripe_sdk: StripeClient) -> None:
    customer = payer(stripe_sdk)
    customer.pay(2000, key="one")

    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refused:
        customer.pay(2001, key="one")

    assert (refused.value.http_status, refused.value.json_body["error"]["type"]) == (400, "idempotency_error")  # type: ignore[index]


def test_another_endpoint_under_the_same_key_is_refused(stripe_sdk: StripeClient) -> None:
    stripe_sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        stripe_sdk.v1.setup_intents.create({}, {"idempotency_key": "one"})


def test_thirty_requests_at_once_charge_once(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)

    with ThreadPoolExecutor(30) as pool:
        payments = list(pool.map(lambda _: customer.pay(key="one").id, range(30)))

    assert len(set(payments)) == 1
    assert charges(stripe_sandbox) == 1


def test_a_request_in_flight_blocks_its_key(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.add_fault(Fault(operation=CREATE, kind=FaultKind.SLOW_ANSWER, calls=(1,), delay_seconds=1.5))

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(customer.pay, key="one")
        while charges(stripe_sandbox) == 0:
            stripe_sandbox.now()
        with pytest.raises(stripe.APIError) as conflict:
            customer.pay(key="one")
        first = slow.result()

    assert (conflict.value.http_status, conflict.value.json_body["error"]["code"]) == (409, "idempotency_key_in_use")  # type: ignore[index]
    assert customer.pay(key="one").id == first.id


def test_a_key_is_forgotten_after_a_day(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    first = customer.pay(key="one")
    stripe_sandbox.advance(DAY - 60)
    assert customer.pay(key="one").id == first.id

    stripe_sandbox.advance(61)

    assert customer.pay(key="one").id != first.id
    assert charges(stripe_sandbox) == 2


def test_a_key_has_at_most_255_characters(stripe_sdk: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="255 characters"):
        stripe_sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k" * 256})


def test_requests_without_the_same_key_are_different_requests(stripe_sdk: StripeClient) -> None:
    customer = payer(stripe_sdk)

    assert customer.pay().id != customer.pay().id
