"""What people do at the gateway itself, with nothing of ours in between."""

from typing import Any

from tests.fixtures.reconciling import ReconciliationClient


async def pay_in_the_dashboard(
    reconciling: ReconciliationClient, account: str, amount_minor: int, **options: object
) -> None:
    """Let an operator charge an account's card in the gateway's dashboard."""
    customer = await reconciling.merchant.value(
        "select customer_reference from duly.gateway_customers where account_id = :a", a=account
    )
    await pay(reconciling, customer, amount_minor, payment_method=await reconciling.merchant.token(account), **options)


async def pay(reconciling: ReconciliationClient, customer: str, amount_minor: int, **options: object) -> None:
    """Charge a customer."""
    asked: Any = {
        "amount": amount_minor,
        "currency": "eur",
        "customer": customer,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "payment_method": "pm_card_visa",
        **options,
    }
    await reconciling.stripe.v1.payment_intents.create_async(asked)
