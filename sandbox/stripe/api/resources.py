"""The SDK's class of what each operation answers with."""

import stripe
from stripe import StripeObject

RESOURCES: dict[str, type[StripeObject]] = {
    "account_links": stripe.AccountLink,
    "accounts": stripe.Account,
    "application_fees": stripe.ApplicationFee,
    "balance": stripe.Balance,
    "balance_transactions": stripe.BalanceTransaction,
    "charges": stripe.Charge,
    "customers": stripe.Customer,
    "disputes": stripe.Dispute,
    "events": stripe.Event,
    "line_items": stripe.LineItem,
    "mandates": stripe.Mandate,
    "payment_intents": stripe.PaymentIntent,
    "payment_methods": stripe.PaymentMethod,
    "payouts": stripe.Payout,
    "refunds": stripe.Refund,
    "sessions": stripe.checkout.Session,
    "setup_attempts": stripe.SetupAttempt,
    "setup_intents": stripe.SetupIntent,
    "transfers": stripe.Transfer,
    "webhook_endpoints": stripe.WebhookEndpoint,
}


def resource_of(template: str) -> type[StripeObject]:
    """The class of the last noun in an address: verbs such as `attach` answer with what they act on."""
    if template.startswith("/v1/application_fees/") and "refunds" in template:
        return stripe.ApplicationFeeRefund
    if template.startswith("/v1/transfers/") and "reversals" in template:
        return stripe.TransferReversal
    nouns = [part for part in template.split("/") if part in RESOURCES]
    return RESOURCES[nouns[-1]]
