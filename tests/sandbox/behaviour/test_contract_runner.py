"""`make contract`: asks two addresses the same, a bounded number of times, and leaves nothing behind."""

import pytest
from stripe import StripeClient
from typer import Typer
from typer.testing import CliRunner

from sandbox.stripe.contract.__main__ import compared, main
from sandbox.stripe.contract.calls import Calls, TooManyCallsError
from sandbox.stripe.contract.report import BEHAVIOURS
from sandbox.stripe.contract.requests import saved_card
from sandbox.stripe.control.client import AT_ONCE, SandboxControl
from tests.support.builders import API_KEY


@pytest.fixture
def program() -> Typer:
    """The runner as a command."""
    program = Typer()
    program.command()(main)
    return program


def test_a_stripe_that_does_the_same_shows_no_difference(
    stripe_sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]
) -> None:
    differences = compared(stripe_sandbox.base_url, API_KEY, limit=400)

    assert differences == 0
    assert f"{len(BEHAVIOURS)} behaviours, " in capsys.readouterr().out


def test_a_stripe_that_does_otherwise_is_reported_with_what_was_seen_at_both(
    stripe_sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]
) -> None:
    stripe_sandbox.set_delays(AT_ONCE)

    differences = compared(stripe_sandbox.base_url, API_KEY, limit=400)

    assert differences >= 1
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "is booked after it succeeded" in line]
    assert "null, later txn, by charge.updated" in row
    assert "txn" in row.rsplit("|", 2)[1]


def test_the_customers_and_cards_of_a_run_are_gone_after_it(
    stripe_sandbox: SandboxControl, stripe_sdk: StripeClient
) -> None:
    with Calls(stripe_sandbox.base_url, API_KEY, stripe_sandbox) as calls:
        saved_card(calls, "pm_card_visa")
        calls.post("/v1/webhook_endpoints", {"url": "https://example.com/x", "enabled_events[]": "payout.paid"})
        calls.post("/v1/checkout/sessions", {"mode": "setup", "currency": "usd", "success_url": "https://example.com"})

    assert stripe_sdk.v1.customers.list().data == []
    assert stripe_sdk.v1.webhook_endpoints.list().data == []
    assert [session.status for session in stripe_sdk.v1.checkout.sessions.list()] == ["expired"]


def test_a_run_stops_at_its_limit(stripe_sandbox: SandboxControl) -> None:
    with Calls(stripe_sandbox.base_url, API_KEY, stripe_sandbox, limit=2) as calls:
        calls.get("/v1/balance")
        calls.get("/v1/balance")
        with pytest.raises(TooManyCallsError, match="more than 2 requests"):
            calls.get("/v1/balance")


@pytest.mark.parametrize("key", ["", "sk_live_something"])
def test_without_a_key_of_the_test_mode_nothing_is_sent(
    program: Typer, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("STRIPE_TEST_KEY", key)

    result = CliRunner().invoke(program, [])

    assert result.exit_code == 2
    assert "STRIPE_TEST_KEY" in result.output
