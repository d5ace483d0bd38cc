"""By which payment method of the ledger a payment came at the gateway, and what its pages offer for each of ours.

Source: the kinds into which Stripe sorts its payment methods. What is in none of them (to pay later, crypto) has no
method here: such a payment is booked where a definition bears the gateway's own name, else it is listed for a person.
"""

from collections.abc import Iterable
from types import MappingProxyType

_CARDS = ("card", "card_present", "interac_present", "kr_card")
_DIRECT_DEBITS = (
    "ach_debit",
    "acss_debit",
    "au_becs_debit",
    "bacs_debit",
    "nz_bank_account",
    "payto",
    "sepa_debit",
    "us_bank_account",
)
_BANK_TRANSFERS = (
    "ach_credit_transfer",
    "bancontact",
    "bizum",
    "blik",
    "customer_balance",
    "eps",
    "fpx",
    "giropay",
    "ideal",
    "multibanco",
    "p24",
    "pay_by_bank",
    "paynow",
    "pix",
    "promptpay",
    "sepa_credit_transfer",
    "sofort",
    "swish",
    "twint",
    "upi",
)
_CASH = ("boleto", "konbini", "oxxo")
_WALLETS = (
    "alipay",
    "amazon_pay",
    "cashapp",
    "grabpay",
    "kakao_pay",
    "link",
    "mb_way",
    "mobilepay",
    "naver_pay",
    "payco",
    "paypal",
    "paypay",
    "revolut_pay",
    "samsung_pay",
    "satispay",
    "wechat",
    "wechat_pay",
)

_METHODS = MappingProxyType(
    dict.fromkeys(_CARDS, "card")
    | dict.fromkeys(_DIRECT_DEBITS, "direct_debit")
    | dict.fromkeys(_BANK_TRANSFERS, "bank_transfer")
    | dict.fromkeys(_CASH, "cash")
    | dict.fromkeys(_WALLETS, "wallet")
)


# Bank debits that a page takes, each in one currency. Source: Stripe's table of payment methods and their currencies.
_DEBITED_IN = MappingProxyType({"sepa_debit": "EUR", "us_bank_account": "USD"})


def page_types(methods: Iterable[str], currency: str) -> tuple[str, ...]:
    """Return the gateway's types that a page offers for a provider's methods in a currency, cards first.

    `direct_debit` is every bank debit that there is in the currency, the name of one is that one; a method of any other
    name is paid by card, as a run charges it. Empty where no method takes the currency.
    """
    types = {type for method in methods for type in _types_of(method) if _DEBITED_IN.get(type, currency) == currency}
    return tuple(sorted(types))


def _types_of(method: str) -> tuple[str, ...]:
    if method == "direct_debit":
        return tuple(_DEBITED_IN)
    return (method,) if method in _DEBITED_IN else ("card",)


def method_of(gateway_type: str) -> str:
    """Return the payment method that the gateway's type of one is; empty where it is none of ours."""
    return _METHODS.get(gateway_type, "")
