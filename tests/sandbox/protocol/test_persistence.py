"""A sandbox that is started again goes on with the same objects, as the ledger that refers to them does."""

from pathlib import Path

import httpx
import pytest

from sandbox.stripe.app import build_app
from sandbox.stripe.control.messages import AT_ONCE
from sandbox.stripe.core import SandboxConfig
from sandbox.stripe.state.persistence import UnreadableStateError

AS_US = {"Authorization": "Bearer sk_test_sandbox"}
PAYMENT = {
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "amount": "1000",
    "currency": "eur",
    "confirm": "true",
    "off_session": "true",
}


async def ask(state_file: Path, *calls: tuple[str, dict[str, str]], key: str = "") -> list[httpx.Response]:
    """Start a sandbox on the file, make the calls, and stop it."""
    app = build_app(SandboxConfig(delays=AT_ONCE), state_file=state_file)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://stripe", headers=AS_US | ({"Idempotency-Key": key} if key else {})
        ) as client,
    ):
        return [await client.post(path, data=data) if data else await client.get(path) for path, data in calls]


async def test_what_was_saved_before_a_restart_can_be_charged_after_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (customer,) = await ask(state, ("/v1/customers", {"name": "Ada"}))
    attach = {"customer": customer.json()["id"]}
    (card,) = await ask(state, ("/v1/payment_methods/pm_card_visa/attach", attach))

    (paid,) = await ask(state, ("/v1/payment_intents", PAYMENT | attach | {"payment_method": card.json()["id"]}))
    (balance, events) = await ask(state, ("/v1/balance", {}), ("/v1/events", {}))

    assert paid.json()["status"] == "succeeded"
    assert balance.json()["pending"][0]["amount"] == 941
    assert {event["type"] for event in events.json()["data"]} >= {"customer.created", "charge.succeeded"}


async def test_a_key_means_the_same_charge_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (customer,) = await ask(state, ("/v1/customers", {"name": "Ada"}))
    attach = {"customer": customer.json()["id"]}
    (card,) = await ask(state, ("/v1/payment_methods/pm_card_visa/attach", attach))
    payment = PAYMENT | attach | {"payment_method": card.json()["id"]}

    (before,) = await ask(state, ("/v1/payment_intents", payment), key="req_1:1")
    (after,) = await ask(state, ("/v1/payment_intents", payment), key="req_1:1")

    assert after.json()["id"] == before.json()["id"]
    assert after.headers["idempotent-replayed"] == "true"


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("something else")

    with pytest.raises(UnreadableStateError, match="remove it to begin anew"):
        build_app(SandboxConfig(), state_file=state)
