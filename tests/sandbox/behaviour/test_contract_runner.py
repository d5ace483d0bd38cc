"""`make contract`: asks two addresses the same, a bounded number of times, and leaves nothing behind."""

import pytest
from stripe import StripeClient
from typer import Typer
from typer.testing import CliRunner

from sandbox.stripe.contract.__main__ import OtherSide, compared, main
from sandbox.stripe.contract.behaviours.requests import pay, saved_card
from sandbox.stripe.contract.calls import Calls, TooManyCallsError
from sandbox.stripe.contract.key_check import KeyRefusedError, check_form, check_with_stripe
from sandbox.stripe.contract.report import BEHAVIOURS
from sandbox.stripe.contract.side import Side
from sandbox.stripe.contract.visitors import Person, Wish
from sandbox.stripe.control.client import AT_ONCE, Fault, FaultKind, RestrictedKey, SandboxControl
from tests.support.builders import API_KEY

RESTRICTED = "rk_test_of_somebody"
EVERYTHING = (
    *("rak_balance_read", "rak_balance_transaction_read", "rak_charge_read", "rak_checkout_session_write"),
    *("rak_customer_write", "rak_event_read", "rak_payment_intent_write", "rak_payment_method_write"),
    *("rak_refund_write", "rak_setup_intent_write", "rak_webhook_write"),
)


@pytest.fixture
def program() -> Typer:
    """The runner as a command."""
    program = Typer()
    program.command()(main)
    return program


def another(sandbox: SandboxControl, key: str = API_KEY, limit: int = 400) -> OtherSide:
    """Another sandbox in Stripe's place, whose clock may be moved."""
    return OtherSide(sandbox.base_url, key, limit, waits=False)


def test_a_stripe_that_does_the_same_shows_no_difference(
    stripe_sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]
) -> None:
    differences = compared(another(stripe_sandbox))

    printed = capsys.readouterr().out
    assert differences == 0, printed
    assert f"{len(BEHAVIOURS)} behaviours, " in printed
    assert "Not seen" not in printed
    assert "there stay:" in printed


@pytest.mark.nightly
def test_a_stripe_that_does_otherwise_is_reported_with_what_was_seen_at_both(
    stripe_sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]
) -> None:
    stripe_sandbox.set_delays(AT_ONCE)

    differences = compared(another(stripe_sandbox))

    assert differences >= 1
    printed = capsys.readouterr().out.splitlines()
    (row,) = [line for line in printed if "is booked after it succeeded" in line and line.startswith("|")]
    assert "null, later txn, by charge.updated" in row
    assert "txn" in row.rsplit("|", 2)[1]


@pytest.mark.nightly
def test_a_run_leaves_no_customer_no_endpoint_no_open_page_and_no_open_payment(
    stripe_sandbox: SandboxControl, stripe_sdk: StripeClient
) -> None:
    compared(another(stripe_sandbox))

    v1 = stripe_sdk.v1
    assert v1.customers.list().data == []
    assert v1.webhook_endpoints.list().data == []
    assert {each.status for each in v1.checkout.sessions.list({"limit": 100})} == {"expired", "complete"}
    assert {each.status for each in v1.payment_intents.list({"limit": 100})} == {"succeeded", "canceled"}
    # That of a page which was closed stays with it.
    of_pages = {each.setup_intent for each in v1.checkout.sessions.list({"limit": 100})}
    others = [each for each in v1.setup_intents.list({"limit": 100}) if each.id not in of_pages]
    assert {each.status for each in others} <= {"succeeded", "canceled"}
    assert {each.status for each in v1.disputes.list({"limit": 100})} <= {"won", "lost", "warning_needs_response"}


def test_what_stays_bears_the_name_of_the_run(stripe_sandbox: SandboxControl, stripe_sdk: StripeClient) -> None:
    with Calls(stripe_sandbox.base_url, API_KEY, stripe_sandbox) as calls:
        paid = pay(calls).body["id"]
        calls.post("/v1/refunds", {"payment_intent": paid})
        saved_card(calls, "pm_card_visa")

    (refund,) = stripe_sdk.v1.refunds.list().data
    assert refund.metadata is not None
    assert refund.metadata["duly_contract"] == calls.run
    assert stripe_sdk.v1.payment_intents.retrieve(paid).metadata["duly_contract"] == calls.run
    assert stripe_sdk.v1.customers.list().data == []
    assert calls.leftovers.staying() == {"payment_intent": 1, "refund": 1}


def test_a_run_stops_at_its_limit(stripe_sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]) -> None:
    with Calls(stripe_sandbox.base_url, API_KEY, stripe_sandbox, limit=2) as calls:
        calls.get("/v1/balance")
        calls.get("/v1/balance")
        with pytest.raises(TooManyCallsError, match="more than 2 requests"):
            calls.get("/v1/balance")

    compared(another(stripe_sandbox, limit=10))

    assert "more than 10 requests" in capsys.readouterr().out


def test_a_request_that_comes_too_fast_is_repeated(stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.add_fault(Fault(operation="GET /v1/balance", kind=FaultKind.RATE_LIMIT, calls=(1,)))

    with Calls(stripe_sandbox.base_url, API_KEY, stripe_sandbox) as calls:
        assert calls.get("/v1/balance").status == 200


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "is not set"),
        ("sk_live_something", "LIVE key"),
        ("rk_live_something", "LIVE key"),
        ("pk_test_something", "publishable key"),
        ("whsec_something", "secret of a webhook endpoint"),
        ("sk_test_with_a_space ", "no key of the test mode"),
    ],
)
def test_without_a_key_of_the_test_mode_nothing_is_sent(
    program: Typer, monkeypatch: pytest.MonkeyPatch, stripe_sandbox: SandboxControl, key: str, says: str
) -> None:
    monkeypatch.setenv("STRIPE_TEST_KEY", key)

    result = CliRunner().invoke(program, ["--address", stripe_sandbox.base_url])

    assert result.exit_code == 2
    assert says in result.output
    assert "STRIPE_TEST_KEY" in result.output
    assert sum(stripe_sandbox.request_counts().values()) == 0


def test_a_wrong_key_is_said_after_one_request(
    program: Typer, monkeypatch: pytest.MonkeyPatch, stripe_sandbox: SandboxControl
) -> None:
    monkeypatch.setenv("STRIPE_TEST_KEY", "sk_test_of_nobody_here")

    result = CliRunner().invoke(program, ["--address", stripe_sandbox.base_url])

    assert result.exit_code == 2
    assert "refuses the key (401): Invalid API Key provided: sk_test_********here" in result.output
    assert stripe_sandbox.request_counts() == {"GET /v1/balance": 1}


def test_an_address_that_cannot_be_reached_is_said(program: Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_TEST_KEY", API_KEY)

    result = CliRunner().invoke(program, ["--address", "http://127.0.0.1:9"])

    assert result.exit_code == 2
    assert "cannot be reached" in result.output


def test_a_restricted_key_is_told_every_permission_that_it_lacks_and_nothing_is_made(
    stripe_sandbox: SandboxControl,
) -> None:
    lacking = {"rak_event_read", "rak_refund_write", "rak_customer_write"}
    given = (*(set(EVERYTHING) - lacking), "rak_customer_read")
    stripe_sandbox.add_restricted_key(RestrictedKey(key=RESTRICTED, permissions=given))

    with Calls(stripe_sandbox.base_url, RESTRICTED, stripe_sandbox) as calls, pytest.raises(KeyRefusedError) as refused:
        check_with_stripe(calls)

    assert all(f"'{each}'" in str(refused.value) for each in lacking)
    assert str(refused.value).count("rak_") == len(lacking)
    assert stripe_sandbox.movements().totals == ()


def test_a_restricted_key_with_every_permission_is_taken(stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.add_restricted_key(RestrictedKey(key=RESTRICTED, permissions=EVERYTHING))
    check_form(RESTRICTED)

    with Calls(stripe_sandbox.base_url, RESTRICTED, stripe_sandbox) as calls:
        check_with_stripe(calls)

    assert calls.leftovers.staying() == {}


def test_a_person_is_asked_to_open_a_page_and_waited_for(stripe_sandbox: SandboxControl) -> None:
    asked: list[str] = []
    person = Person(asked.append, seconds=5)

    with Side(stripe_sandbox.base_url, API_KEY, stripe_sandbox, visitor=person) as side:
        form = {"mode": "setup", "currency": "usd", "success_url": "https://example.com"}
        session = side.post("/v1/checkout/sessions", form).body
        side.visit(Wish.SAVE, session)

    (words,) = asked
    assert "4242 4242 4242 4242" in words
    assert session["url"] in words


@pytest.mark.nightly
def test_without_a_person_the_pages_that_need_one_are_not_asked_and_the_rest_is(
    stripe_sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]
) -> None:
    stripe_sandbox.set_delays(AT_ONCE)

    compared(OtherSide(stripe_sandbox.base_url, API_KEY))

    printed = capsys.readouterr().out
    unseen = printed.split("Not seen:")[1]
    assert "A challenge that is passed" in unseen
    assert "ARGS=--pages" in unseen
    assert "--webhook-url" in unseen
    assert session_states(stripe_sandbox) == ["expired"]


def session_states(sandbox: SandboxControl) -> list[str]:
    """In which states the pages of the run are."""
    client = StripeClient(API_KEY, base_addresses={"api": sandbox.base_url})
    return sorted({str(each.status) for each in client.v1.checkout.sessions.list({"limit": 100})})
