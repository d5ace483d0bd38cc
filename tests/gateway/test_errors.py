"""When the gateway gives no usable answer: did it not happen, or does nobody know?"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
import stripe
import stripe.oauth_error

from activities.gateway.stripe_gateway import StripeGateway
from activities.gateway.translation import translated
from models.gateway.charges import Charge, ChargeResult, ChargeStatus
from models.gateway.errors import (
    KEY_USED,
    GatewayAccessError,
    GatewayBusyError,
    GatewayError,
    GatewayInvalidRequestError,
    GatewayUnansweredError,
)
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.gateway.conftest import Cards
from tests.support.builders import API_KEY

CHARGES = "POST /v1/payment_intents"
# The answer comes after this gateway has stopped waiting.
TIMEOUT_SECONDS, SLOWNESS_SECONDS = 0.25, 0.6

BUSY = {FaultKind.RATE_LIMIT, FaultKind.LOCK_TIMEOUT}
LOST_BEFORE_EFFECT = {
    FaultKind.REQUEST_LOST,
    FaultKind.STORED_500,
    FaultKind.SERVER_ERROR_500,
    FaultKind.UNAVAILABLE_503,
    FaultKind.CONFLICT,
}
LOST_AFTER_EFFECT = {
    FaultKind.RESPONSE_LOST,
    FaultKind.RESET_MID_BODY,
    FaultKind.STORED_500_AFTER_EFFECT,
    FaultKind.SLOW_ANSWER,
    FaultKind.SLOW_EFFECT,
}
KEY_IS_BURNT = {FaultKind.STORED_500, FaultKind.STORED_500_AFTER_EFFECT}


@pytest.fixture
async def short_timeout(stripe_sandbox: SandboxControl) -> AsyncIterator[StripeGateway]:
    """A gateway that does not wait for a slow answer."""
    gateway = StripeGateway(API_KEY, api_base=stripe_sandbox.base_url, timeout_seconds=TIMEOUT_SECONDS)
    yield gateway
    await gateway.close()


def fault_once(sandbox: SandboxControl, kind: FaultKind) -> None:
    sandbox.add_fault(Fault(operation=CHARGES, kind=kind, calls=(1,), delay_seconds=SLOWNESS_SECONDS))


async def asked_until_answered(gateway: StripeGateway, charge: Charge) -> ChargeResult:
    """Ask again under the same key, as Temporal does, until the slow one has come to its end."""
    async with asyncio.timeout(60):
        while True:
            with suppress(GatewayUnansweredError):
                return await gateway.charge(charge)


@pytest.mark.parametrize("kind", sorted(BUSY))
async def test_too_fast_or_locked_did_not_happen_and_says_when_to_ask_again(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    holder = await cards.save()
    fault_once(stripe_sandbox, kind)

    with pytest.raises(GatewayBusyError) as busy:
        await gateway.charge(holder.charge())

    assert busy.value.code == kind
    assert busy.value.retry_after_seconds == 1.0
    assert stripe_sandbox.movements().totals == ()
    assert stripe_sandbox.request_counts()[CHARGES] == 1


@pytest.mark.parametrize("kind", sorted(LOST_BEFORE_EFFECT | LOST_AFTER_EFFECT))
async def test_without_an_answer_nobody_knows_and_the_client_asks_once(
    gateway: StripeGateway, short_timeout: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    holder = await cards.save()
    fault_once(stripe_sandbox, kind)
    slow = kind in {FaultKind.SLOW_ANSWER, FaultKind.SLOW_EFFECT}

    with pytest.raises(GatewayUnansweredError) as unanswered:
        await (short_timeout if slow else gateway).charge(holder.charge())

    assert not unanswered.value.is_final
    assert stripe_sandbox.request_counts()[CHARGES] == 1


@pytest.mark.parametrize("kind", sorted((LOST_BEFORE_EFFECT | LOST_AFTER_EFFECT) - KEY_IS_BURNT))
async def test_the_same_key_gets_the_answer_that_was_lost_and_charges_once(
    gateway: StripeGateway, short_timeout: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    holder = await cards.save()
    fault_once(stripe_sandbox, kind)
    with pytest.raises(GatewayUnansweredError):
        await short_timeout.charge(holder.charge())

    result = await asked_until_answered(gateway, holder.charge())

    (total,) = stripe_sandbox.movements().totals
    assert result.status == ChargeStatus.SUCCEEDED
    assert (total.charges.count, total.charges.amount_minor) == (1, 2500)


@pytest.mark.parametrize("kind", sorted(KEY_IS_BURNT))
async def test_a_stored_error_is_replayed_and_then_known_to_be_final(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    holder = await cards.save()
    fault_once(stripe_sandbox, kind)
    with pytest.raises(GatewayUnansweredError):
        await gateway.charge(holder.charge())

    with pytest.raises(GatewayUnansweredError) as replayed:
        await gateway.charge(holder.charge())

    assert replayed.value.is_final


def test_every_kind_of_fault_is_in_the_tables_above() -> None:
    assert set(FaultKind) == BUSY | LOST_BEFORE_EFFECT | LOST_AFTER_EFFECT


async def test_a_wrong_key_is_an_operators_matter(stripe_sandbox: SandboxControl, cards: Cards) -> None:
    holder = await cards.save()
    stranger = StripeGateway("sk_test_stranger", api_base=stripe_sandbox.base_url, timeout_seconds=5)

    with pytest.raises(GatewayAccessError):
        await stranger.verify()
    with pytest.raises(GatewayAccessError):
        await stranger.charge(holder.charge())

    await stranger.close()
    assert stripe_sandbox.movements().totals == ()


async def test_no_gateway_at_all_is_no_answer(unused_address: str) -> None:
    nobody = StripeGateway(API_KEY, api_base=unused_address, timeout_seconds=2)

    with pytest.raises(GatewayUnansweredError) as unanswered:
        await nobody.verify()

    assert unanswered.value.code == "APIConnectionError"
    await nobody.close()


MEANING: dict[type[stripe.StripeError], type[GatewayError]] = {
    stripe.RateLimitError: GatewayBusyError,
    stripe.AuthenticationError: GatewayAccessError,
    stripe.PermissionError: GatewayAccessError,
    stripe.InvalidRequestError: GatewayInvalidRequestError,
    stripe.CardError: GatewayInvalidRequestError,
    stripe.SignatureVerificationError: GatewayInvalidRequestError,
}


def families(kind: type[stripe.StripeError]) -> Iterator[type[stripe.StripeError]]:
    for child in kind.__subclasses__():
        yield child
        yield from families(child)


SDK_ERRORS = sorted({stripe.StripeError, *families(stripe.StripeError)}, key=str)


@pytest.mark.parametrize("kind", SDK_ERRORS, ids=str)
def test_every_error_of_the_sdk_has_a_meaning_and_by_default_nobody_knows(kind: type[stripe.StripeError]) -> None:
    error = kind.__new__(kind)
    stripe.StripeError.__init__(error, "What went wrong.")

    meaning = translated(error)

    assert type(meaning) is MEANING.get(kind, GatewayUnansweredError)
    assert meaning.code == (KEY_USED if kind is stripe.IdempotencyError else type(error).__name__)


def test_the_walk_over_the_sdks_errors_finds_them() -> None:
    assert set(MEANING) <= set(SDK_ERRORS)
    assert {stripe.APIError, stripe.APIConnectionError, stripe.IdempotencyError} <= set(SDK_ERRORS)
    assert len(SDK_ERRORS) > 25


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, 1.0), ({"retry-after": "7"}, 7.0), ({"retry-after": "0"}, 0.1), ({"retry-after": "soon"}, 1.0)],
)
def test_the_gateway_may_say_when_to_ask_again(headers: dict[str, str], seconds: float) -> None:
    busy = translated(stripe.RateLimitError("Slow down.", headers=headers))

    assert isinstance(busy, GatewayBusyError)
    assert busy.retry_after_seconds == seconds


def test_an_idempotency_error_is_final_for_its_key() -> None:
    meaning = translated(stripe.IdempotencyError("Other parameters."))

    assert isinstance(meaning, GatewayUnansweredError)
    assert meaning.is_final


def test_an_error_keeps_the_gateways_own_code_and_nothing_else() -> None:
    body = {"error": {"code": "lock_timeout", "message": "A secret.", "type": "invalid_request_error"}}

    meaning = translated(stripe.RateLimitError("A secret.", json_body=body))

    assert (meaning.code, str(meaning), meaning.args) == ("lock_timeout", "lock_timeout", ("lock_timeout",))
