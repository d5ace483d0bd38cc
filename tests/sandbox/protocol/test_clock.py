"""The sandbox's clock: real time, pushed forward, and the work that becomes due."""

import time

import pytest
from stripe import StripeClient

from sandbox.stripe.control.client import ControlError, SandboxControl
from sandbox.stripe.state.clock import Clock


def test_the_clock_starts_at_real_time_and_moves_on_command() -> None:
    clock = Clock()
    assert clock.exactly() == pytest.approx(time.time(), abs=1)

    clock.advance(3600)

    assert clock.exactly() == pytest.approx(time.time() + 3600, abs=1)


def test_due_work_is_done_in_the_order_of_its_time() -> None:
    clock, done = Clock(), list[str]()
    clock.after(20, lambda: done.append("second"))
    clock.after(10, lambda: done.append("first"))
    clock.after(30, lambda: done.append("third"))

    clock.advance(25)

    assert done == ["first", "second"]


def test_work_that_plans_more_work_has_it_done_in_the_same_step() -> None:
    clock, done = Clock(), list[str]()
    clock.after(10, lambda: clock.after(0, lambda: done.append("follow-up")))

    clock.advance(10)

    assert done == ["follow-up"]


def test_the_clock_does_not_go_back() -> None:
    clock = Clock()

    with pytest.raises(ValueError, match="only goes forward"):
        clock.advance(-1)


def test_objects_are_created_at_the_sandboxs_time(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    tomorrow = stripe_sandbox.now() + 86_400

    stripe_sandbox.set_clock(tomorrow)

    assert stripe_sdk.v1.customers.create({"name": "Ada"}).created == pytest.approx(tomorrow, abs=5)


def test_an_earlier_time_is_refused(stripe_sandbox: SandboxControl) -> None:
    with pytest.raises(ControlError, match="only goes forward"):
        stripe_sandbox.set_clock(1)


def test_a_reset_forgets_everything_but_the_time(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sdk.v1.customers.create({"name": "Ada"})
    before = stripe_sandbox.now()

    stripe_sandbox.reset()

    assert stripe_sdk.v1.customers.list().data == []
    assert stripe_sandbox.movements().totals == ()
    assert stripe_sandbox.now() >= before


def test_a_sandbox_that_begins_again_knows_nothing_and_has_the_real_time(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    stripe_sdk.v1.customers.create({"name": "Ada"})
    stripe_sandbox.advance(5 * 86_400)

    stripe_sandbox.begin_again()

    assert stripe_sdk.v1.customers.list().data == []
    assert stripe_sandbox.now() == pytest.approx(time.time(), abs=60)
