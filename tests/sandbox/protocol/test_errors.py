"""Every error class of the SDK that version 1 of the API can raise, raised by the sandbox."""

from collections.abc import Callable

import httpx
import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.sandbox.contract import payer

# Raised by version 2 of the API, by OAuth, or by the SDK itself without asking anybody.
NOT_OF_THIS_API = {
    "AlreadyCanceledError",
    "BlockedByStripeError",
    "CannotProceedError",
    "CapabilityNotEnabledError",
    "ControlledByAlternateResourceError",
    "FeatureNotEnabledError",
    "FinancialAccountNotOpenError",
    "FxQuoteNeedsRefreshError",
    "InsufficientFundsError",
    "InvalidPaymentMethodError",
    "InvalidPayoutMethodError",
    "InvalidVaultedCredentialError",
    "NotCancelableError",
    "QuotaExceededError",
    "RecipientNotNotifiableError",
    "SignatureVerificationError",
    "StripeErrorWithParamCode",
    "TemporarySessionExpiredError",
    "VerificationAttemptFailedError",
    "VerificationExpiredError",
    "VerificationNotInitiatedError",
}


def provoke_card_error(client: StripeClient, control: SandboxControl) -> None:
    customer = payer(client)
    control.script_card(customer.method.id, CardOutcome(answer=Answer.DECLINE))
    customer.pay()


def provoke_rate_limit(client: StripeClient, control: SandboxControl) -> None:
    control.add_fault(Fault(kind=FaultKind.RATE_LIMIT))
    client.v1.balance.retrieve()


def provoke_no_connection(client: StripeClient, control: SandboxControl) -> None:
    control.add_fault(Fault(kind=FaultKind.REQUEST_LOST))
    client.v1.balance.retrieve()


def provoke_api_error(client: StripeClient, control: SandboxControl) -> None:
    control.add_fault(Fault(kind=FaultKind.SERVER_ERROR_500))
    client.v1.balance.retrieve()


def provoke_idempotency_error(client: StripeClient, _control: SandboxControl) -> None:
    client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
    client.v1.customers.create({"name": "Bob"}, {"idempotency_key": "one"})


def provoke_invalid_request(client: StripeClient, _control: SandboxControl) -> None:
    client.v1.customers.retrieve("cus_nobody")


def provoke_wrong_key(client: StripeClient, _control: SandboxControl) -> None:
    client.v1.balance.retrieve(options={"api_key": "sk_test_of_somebody_else"})


def provoke_no_access(client: StripeClient, _control: SandboxControl) -> None:
    client.v1.balance.retrieve(options={"stripe_account": "acct_of_somebody_else"})


PROVOKED: dict[type[stripe.StripeError], Callable[[StripeClient, SandboxControl], None]] = {
    stripe.CardError: provoke_card_error,
    stripe.RateLimitError: provoke_rate_limit,
    stripe.APIConnectionError: provoke_no_connection,
    stripe.APIError: provoke_api_error,
    stripe.IdempotencyError: provoke_idempotency_error,
    stripe.InvalidRequestError: provoke_invalid_request,
    stripe.AuthenticationError: provoke_wrong_key,
    stripe.PermissionError: provoke_no_access,
}


@pytest.mark.parametrize("error", PROVOKED, ids=lambda each: each.__name__)
def test_every_error_can_be_provoked(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, error: type[stripe.StripeError]
) -> None:
    with pytest.raises(error):
        PROVOKED[error](stripe_sdk, stripe_sandbox)


def test_no_error_class_of_the_sdk_is_forgotten() -> None:
    classes = {each.__name__ for each in _all_subclasses(stripe.StripeError) if each.__module__ == "stripe._error"}

    assert {each.__name__ for each in PROVOKED} == classes - NOT_OF_THIS_API


def _all_subclasses(parent: type) -> set[type]:
    children: set[type] = set(parent.__subclasses__())
    return children.union(*(_all_subclasses(child) for child in children))


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "usd", "parameter_invalid_integer"),
        (-1, "usd", "parameter_invalid_integer"),
        (49, "usd", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
    ],
)
def test_an_amount_out_of_bounds_is_refused(gateway_sdk: StripeClient, amount: int, currency: str, code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        gateway_sdk.v1.payment_intents.create({"amount": amount, "currency": currency})

    assert (refused.value.code, refused.value.param, refused.value.http_status) == (code, "amount", 400)


def test_an_unknown_currency_is_refused(gateway_sdk: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid currency: xyz"):
        gateway_sdk.v1.payment_intents.create({"amount": 2000, "currency": "xyz"})


def test_a_missing_object_is_404_in_the_path_and_400_in_a_parameter(gateway_sdk: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as in_path:
        gateway_sdk.v1.payment_intents.retrieve("pi_nothing")
    with pytest.raises(stripe.InvalidRequestError) as in_parameter:
        gateway_sdk.v1.payment_intents.create({"amount": 2000, "currency": "usd", "customer": "cus_nobody"})

    assert (in_path.value.http_status, in_path.value.code) == (404, "resource_missing")
    assert (in_parameter.value.http_status, in_parameter.value.code, in_parameter.value.param) == (
        400,
        "resource_missing",
        "customer",
    )


def test_an_unknown_address_is_404(stripe_sandbox: SandboxControl) -> None:
    answer = httpx.get(f"{stripe_sandbox.base_url}/v1/nonsense", trust_env=False)

    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/nonsense)")


def test_without_a_key_nothing_is_told(stripe_sandbox: SandboxControl) -> None:
    answer = httpx.get(f"{stripe_sandbox.base_url}/v1/balance", trust_env=False)

    assert answer.status_code == 401
    assert "did not provide an API key" in answer.json()["error"]["message"]


def test_a_wrong_key_is_not_repeated_in_the_answer(stripe_sdk: StripeClient) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        stripe_sdk.v1.balance.retrieve(options={"api_key": "sk_test_abcdefghijklmnop"})

    assert refused.value.user_message == "Invalid API Key provided: sk_test_********mnop"


def test_a_decline_carries_every_code_that_was_scripted(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    customer = payer(stripe_sdk)
    outcome = CardOutcome(
        answer=Answer.DECLINE,
        decline_code="do_not_honor",
        advice_code="try_again_later",
        network_advice_code="02",
        network_decline_code="05",
        message="The bank said no.",
    )
    stripe_sandbox.script_card(customer.method.id, outcome)

    with pytest.raises(stripe.CardError) as declined:
        customer.pay()

    error = declined.value.error
    assert error is not None
    assert error.charge is not None
    assert (
        error.code,
        error.decline_code,
        error.advice_code,
        error.network_advice_code,
        error.network_decline_code,
    ) == (
        "card_declined",
        "do_not_honor",
        "try_again_later",
        "02",
        "05",
    )
    charge = stripe_sdk.v1.charges.retrieve(error.charge)
    assert charge.outcome is not None
    assert (charge.status, charge.failure_code, charge.outcome.network_decline_code) == (
        "failed",
        "card_declined",
        "05",
    )
    assert customer.pay().status == "succeeded"


def test_a_scripted_answer_can_be_the_last_for_ever(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.script_card(customer.method.id, CardOutcome(answer=Answer.DECLINE), repeat_last=True)

    for _ in range(3):
        with pytest.raises(stripe.CardError):
            customer.pay()


def test_a_slow_payment_is_decided_later(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.script_card(
        customer.method.id,
        CardOutcome(answer=Answer.PROCESS, then=Answer.SUCCEED, after_seconds=3600),
        CardOutcome(answer=Answer.PROCESS, then=Answer.DECLINE, after_seconds=3600),
    )
    good, bad = customer.pay(), customer.pay()
    assert (good.status, bad.status) == ("processing", "processing")

    stripe_sandbox.advance(3600)

    statuses = [stripe_sdk.v1.payment_intents.retrieve(each.id).status for each in (good, bad)]
    assert statuses == ["succeeded", "requires_payment_method"]
