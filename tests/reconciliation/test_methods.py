"""Money that somebody took at the gateway itself is booked by the method that the gateway names, or listed."""

import pytest
import stripe
from starlette.applications import Starlette

from models.gateway.payment_methods import method_of
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay_in_the_dashboard


def pay_by(app: Starlette, method: str) -> None:
    """Let the gateway say that all that was charged was paid by another method: the sandbox has cards alone."""
    for charge in app.state.sandbox.platform.charges:
        charge["payment_method_details"] = {**charge["payment_method_details"], "type": method}


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(("type_", "method"), [("card", "card"), ("sepa_debit", "direct_debit"), ("konbini", "cash")])
async def test_a_payment_in_the_dashboard_is_booked_by_the_method_that_the_gateway_names(
    reconciling: ReconciliationClient, stripe_app: Starlette, type_: str, method: str
) -> None:
    account = await reconciling.merchant.account(owes_minor=700)
    await pay_in_the_dashboard(reconciling, account, 700)
    pay_by(stripe_app, type_)

    certificate = await reconciling.reconcile()

    booked = "select method from duly.financial_transactions where classification = 'payment'"
    assert await reconciling.merchant.value(booked) == method
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])


@pytest.mark.nightly
async def test_a_payment_by_a_method_that_is_none_here_is_listed_and_booked_once_it_is_defined(
    reconciling: ReconciliationClient, stripe_app: Starlette
) -> None:
    account = await reconciling.merchant.account(owes_minor=700)
    await pay_in_the_dashboard(reconciling, account, 700)
    pay_by(stripe_app, "klarna")

    await reconciling.reconcile()
    (found,) = await reconciling.discrepancies()
    await reconciling.merchant.run(
        "insert into duly.payment_methods (id, name, ledger_account) values ('klarna', 'Klarna', 'bank') returning id"
    )
    certificate = await reconciling.reconcile()

    assert (found.kind, found.evidence["rule"], found.evidence["method_type"]) == (
        "refused",
        "method_is_known",
        "klarna",
    )
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])


def test_every_method_of_the_gateway_is_one_of_ours_or_known_to_be_none() -> None:
    of_the_gateway = set(stripe.Charge.PaymentMethodDetails.__annotations__) - {"type"}

    assert {one for one in of_the_gateway if not method_of(one)} == {
        "affirm",
        "afterpay_clearpay",
        "alma",
        "billie",
        "crypto",
        "klarna",
        "scalapay",
        "sequra",
        "stripe_account",
        "sunbit",
        "zip",
    }
