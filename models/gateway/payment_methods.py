"""By which payment method of the ledger a payment came that somebody made at the gateway itself.

Source: the kinds into which Stripe sorts its payment methods. What is in none of them (to pay later, crypto) has no
method here: such a payment is booked where a definition bears the gateway's own name, else it is listed for a person.
"""

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


def method_of(gateway_type: str) -> str:
    """Return the payment method that the gateway's type of one is; empty where it is none of ours."""
    return _METHODS.get(gateway_type, "")
