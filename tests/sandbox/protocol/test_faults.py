"""Every way in which a request can go wrong: what the client sees, and what really happened."""

from collections.abc import Iterator

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.control.client import ControlError, Fault, FaultKind, SandboxControl
from sandbox.stripe.control.faults import Faults
from tests.sandbox.contract import Payer, payer
from tests.support.builders import API_KEY

CREATE = "POST /v1/payment_intents"

# What the client gets, its HTTP status, and whether the charge took place.
SEEN: dict[FaultKind, tuple[type[stripe.StripeError], int | None, bool]] = {
    FaultKind.REQUEST_LOST: (stripe.APIConnectionError, None, False),
    FaultKind.RESPONSE_LOST: (stripe.APIConnectionError, None, True),
    FaultKind.RESET_MID_BODY: (stripe.APIConnectionError, None, True),
    FaultKind.STORED_500: (stripe.APIError, 500, False),
    FaultKind.STORED_500_AFTER_EFFECT: (stripe.APIError, 500, True),
    FaultKind.SERVER_ERROR_500: (stripe.APIError, 500, False),
    FaultKind.UNAVAILABLE_503: (stripe.APIError, 503, False),
    FaultKind.RATE_LIMIT: (stripe.RateLimitError, 429, False),
    FaultKind.LOCK_TIMEOUT: (stripe.RateLimitError, 429, False),
    FaultKind.CONFLICT: (stripe.APIError, 409, False),
    FaultKind.SLOW_ANSWER: (stripe.APIConnectionError, None, True),
    FaultKind.SLOW_EFFECT: (stripe.APIConnectionError, None, True),
}


@pytest.fixture
def short_timeout(stripe_sandbox: SandboxControl) -> Iterator[Payer]:
    """A payer whose client waits for half a second."""
    http = stripe.RequestsClient(timeout=0.5)
    yield payer(StripeClient(API_KEY, base_addresses={"api": stripe_sandbox.base_url}, http_client=http))
    http.close()  # type: ignore[no-untyped-call]


def charges(control: SandboxControl) -> int:
    return sum(total.charges.count for total in control.movements().totals)


def wait_for_charges(control: SandboxControl, count: int) -> None:
    while charges(control) < count:
        control.now()


def test_every_fault_is_described() -> None:
    assert SEEN.keys() == set(FaultKind)


@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_is_seen_as_what_it_is_and_the_effect_is_as_described(
    short_timeout: Payer, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    error, status, takes_effect = SEEN[kind]
    stripe_sandbox.add_fault(Fault(operation=CREATE, kind=kind, calls=(1,), delay_seconds=0.8))

    with pytest.raises(error) as seen:
        short_timeout.pay(key="one")

    assert seen.value.http_status == status
    wait_for_charges(stripe_sandbox, int(takes_effect))
    assert charges(stripe_sandbox) == int(takes_effect)
    assert stripe_sandbox.faults_injected() == {kind: 1}


@pytest.mark.parametrize("kind", [FaultKind.REQUEST_LOST, FaultKind.RESPONSE_LOST, FaultKind.RESET_MID_BODY])
def test_after_a_lost_line_the_same_key_charges_once_and_tells(
    short_timeout: Payer, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    stripe_sandbox.add_fault(Fault(operation=CREATE, kind=kind, calls=(1,)))
    with pytest.raises(stripe.APIConnectionError):
        short_timeout.pay(key="one")

    payment = short_timeout.pay(key="one")

    assert payment.status == "succeeded"
    assert charges(stripe_sandbox) == 1


def test_the_two_kinds_of_429_say_which_they_are(short_timeout: Payer, stripe_sandbox: SandboxControl) -> None:
    codes = []
    for kind in (FaultKind.RATE_LIMIT, FaultKind.LOCK_TIMEOUT):
        stripe_sandbox.add_fault(Fault(operation=CREATE, kind=kind, times=1))
        with pytest.raises(stripe.RateLimitError) as refused:
            short_timeout.pay()
        assert refused.value.error is not None
        assert refused.value.headers is not None
        codes.append((refused.value.error.code, refused.value.headers["stripe-should-retry"]))
        stripe_sandbox.clear_faults()

    assert codes == [("rate_limit", "true"), ("lock_timeout", "true")]


def test_a_fault_strikes_the_calls_it_was_told_to(short_timeout: Payer, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.add_fault(Fault(operation=CREATE, kind=FaultKind.SERVER_ERROR_500, calls=(2, 4)))

    outcomes = [_outcome(short_timeout) for _ in range(5)]

    assert outcomes == ["succeeded", "APIError", "succeeded", "APIError", "succeeded"]


def _outcome(customer: Payer) -> str:
    try:
        return customer.pay().status
    except stripe.StripeError as error:
        return type(error).__name__


def test_a_fault_strikes_only_its_endpoint(short_timeout: Payer, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.add_fault(Fault(operation="GET /v1/payment_intents/{id}", kind=FaultKind.SERVER_ERROR_500))

    payment = short_timeout.pay()

    with pytest.raises(stripe.APIError):
        short_timeout.client.v1.payment_intents.retrieve(payment.id)
    assert len(short_timeout.client.v1.payment_intents.list().data) == 1


def test_a_fault_strikes_what_carries_its_metadata(short_timeout: Payer, stripe_sandbox: SandboxControl) -> None:
    payment = short_timeout.pay()
    stripe_sandbox.add_fault(Fault(kind=FaultKind.SERVER_ERROR_500, metadata={"duly_request": "req_1"}))

    with pytest.raises(stripe.APIError):
        short_timeout.pay()
    with pytest.raises(stripe.APIError):
        short_timeout.client.v1.payment_intents.retrieve(payment.id)
    assert short_timeout.client.v1.customers.retrieve(short_timeout.customer.id).name == "Ada"


def test_a_fault_stops_after_its_times(short_timeout: Payer, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.add_fault(Fault(operation=CREATE, kind=FaultKind.UNAVAILABLE_503, times=2))

    assert [_outcome(short_timeout) for _ in range(3)] == ["APIError", "APIError", "succeeded"]


def injections(seed: int, order: list[int]) -> dict[int, FaultKind | None]:
    faults = Faults()
    faults.add(Fault(probability=0.3, seed=seed))
    injected = {number: faults.next_fault(CREATE, f"req_{number}:1", dict) for number in order}
    return {number: fault.kind if fault else None for number, fault in injected.items()}


def test_the_same_seed_strikes_the_same_requests_in_any_order() -> None:
    there, back = injections(7, list(range(500))), injections(7, list(range(500))[::-1])

    assert there == back
    assert there != injections(8, list(range(500)))


def test_mixed_faults_spread_over_every_kind_with_the_probability_asked_for() -> None:
    injected = [kind for kind in injections(1, list(range(4000))).values() if kind is not None]

    assert set(injected) == set(FaultKind)
    assert len(injected) == pytest.approx(1200, rel=0.1)


def test_reading_has_no_effect_to_lose() -> None:
    faults = Faults()
    faults.add(Fault(probability=0.9))
    injected = [faults.next_fault("GET /v1/balance", str(number), dict) for number in range(500)]

    kinds = {fault.kind for fault in injected if fault}

    assert kinds.isdisjoint({FaultKind.STORED_500, FaultKind.STORED_500_AFTER_EFFECT, FaultKind.SLOW_EFFECT})


@pytest.mark.parametrize("bad", ['{"probability": 2}', '{"kind": "bored"}', '{"opreation": "*"}'])
def test_a_bad_plan_is_refused_by_field_and_rule(stripe_sandbox: SandboxControl, bad: str) -> None:
    answer = stripe_sandbox._client.post("faults", content=bad)

    assert answer.status_code == 400
    assert "probability" in answer.text or "kind" in answer.text or "opreation" in answer.text


def test_a_control_that_is_refused_raises(stripe_sandbox: SandboxControl) -> None:
    with pytest.raises(ControlError, match="No such charge: 'ch_nothing'"):
        stripe_sandbox.create_dispute("ch_nothing")
