"""What an amount is called at the gateway: Stripe's scale, multiples and minimums, which are not ISO 4217's.

Source: https://docs.stripe.com/currencies (zero-decimal list, special cases, three-decimal rule, minimum charge
amounts), read in 2026. ISK and UGX stand in the zero-decimal list and again among the special cases; the special case
is the one with an example ("to charge 5 UGX, provide 500"), so they are sent in hundredths, whole units only. HUF and
TWD lose their decimals for payouts only, which Stripe makes by itself.
"""

from dataclasses import dataclass

from models.currency import EXPONENTS, UnknownCurrencyError, exponent_of
from models.money import Money, MoneyError


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ZERO_DECIMAL = _codes("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF")
_THREE_DECIMAL_LAST_DIGIT_ZERO = _codes("BHD JOD KWD OMR TND")
_WHOLE_UNITS_SENT_AS_HUNDREDTHS = _codes("ISK UGX")
_TWO_DECIMAL = _codes(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP CRC CVE CZK "
    "DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK "
    "LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN "
    "QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD XCG "
    "YER ZAR ZMW"
)

_MINIMUMS = {
    "AED": "2.00", "ARS": "0.50", "AUD": "0.50", "BRL": "0.50", "CAD": "0.50", "CHF": "0.50", "COP": "0.50",
    "CZK": "15.00", "DKK": "2.50", "EUR": "0.50", "GBP": "0.30", "HKD": "4.00", "HUF": "175.00", "IDR": "0.50",
    "ILS": "0.50", "INR": "0.50", "JPY": "50", "KRW": "50", "MXN": "10", "MYR": "2.00", "NOK": "3.00", "NZD": "0.50",
    "PHP": "0.50", "PLN": "2.00", "RON": "2.00", "RUB": "0.50", "SEK": "3.00", "SGD": "0.50", "THB": "10",
    "USD": "0.50", "ZAR": "0.50",
}  # fmt: skip


@dataclass(frozen=True)
class GatewayCurrency:
    """How the gateway takes one currency: its decimals there, and what every amount must be a multiple of."""

    exponent: int
    multiple: int


GATEWAY_CURRENCIES: dict[str, GatewayCurrency] = {
    **{code: GatewayCurrency(0, 1) for code in _ZERO_DECIMAL},
    **{code: GatewayCurrency(3, 10) for code in _THREE_DECIMAL_LAST_DIGIT_ZERO},
    **{code: GatewayCurrency(2, 100) for code in _WHOLE_UNITS_SENT_AS_HUNDREDTHS},
    **{code: GatewayCurrency(2, 1) for code in _TWO_DECIMAL},
}
"""Every currency that can be charged through the gateway."""


class GatewayAmountError(MoneyError):
    """An amount or currency that the gateway does not take."""


def to_gateway(money: Money) -> int:
    """Return the amount to send; refuse what the gateway would refuse or, worse, misread."""
    rule = _rule_for(money.currency)
    scaled, rest = divmod(money.amount_minor * _power_of_ten(rule.exponent), _power_of_ten(exponent_of(money.currency)))
    if rest or scaled % rule.multiple:
        raise GatewayAmountError(f"{money} cannot be charged: {steps_text(money.currency)}")
    return scaled


def charge_step(currency: str) -> int:
    """Return the steps in which the gateway takes a currency, in our minor units; 1 where it takes none of it.

    duly.charge_step in the database says the same.
    """
    if currency not in GATEWAY_CURRENCIES:
        return 1
    rule = GATEWAY_CURRENCIES[currency]
    return max(1, rule.multiple * _power_of_ten(exponent_of(currency)) // _power_of_ten(rule.exponent))


def chargeable_part(money: Money) -> Money:
    """Return what the gateway takes of an amount: all but a rest of less than a step, which stays open.

    duly.chargeable_part in the database says the same.
    """
    return Money(money.amount_minor - money.amount_minor % charge_step(money.currency), money.currency)


def from_gateway(amount: int, currency: str) -> Money:
    """Return the money behind an amount that the gateway reports, for a currency code in either case."""
    code = currency.upper()
    rule = _rule_for(code)
    minor, rest = divmod(amount * _power_of_ten(exponent_of(code)), _power_of_ten(rule.exponent))
    if rest:
        raise GatewayAmountError(f"the gateway's amount {amount} {code} is finer than {code} allows")
    return Money(minor, code)


def from_books(currency: str, *amounts: int) -> tuple[str, tuple[int, ...]]:
    """Return a currency and signed amounts as the gateway's books have them, in our minor units.

    What the ledger cannot express (a currency that ISO 4217 has given up, a fraction of a krona) stays in the gateway's
    units, under its code in lower case, which is no currency of the ledger: a person decides about it.
    """
    code = currency.upper()
    try:
        minor = tuple(from_gateway(abs(each), code).amount_minor for each in amounts)
    except (GatewayAmountError, UnknownCurrencyError):
        return currency.lower(), amounts
    return code, tuple(-found if each < 0 else found for each, found in zip(amounts, minor, strict=True))


def units_of_books(currency: str) -> int:
    """Return how many of the gateway's units one minor unit of the ledger is, for a currency that is finer there."""
    return max(1, _power_of_ten(_rule_for(currency).exponent) // _power_of_ten(exponent_of(currency)))


def books_text(amount: int, currency: str) -> str:
    """Write an amount of the gateway's books, also one that the ledger cannot express."""
    if currency in EXPONENTS:
        return str(Money(amount, currency))
    return f"{amount} gateway units of {currency.upper()}"


def gateway_minimum(currency: str) -> Money:
    """Return the least amount that can be charged: Stripe's published minimum, else the smallest it can express."""
    rule = _rule_for(currency)
    if currency in _MINIMUMS:
        return Money.parse(_MINIMUMS[currency], currency)
    return from_gateway(rule.multiple, currency)


def gateway_maximum(currency: str) -> Money:
    """Return the most that can be charged at once: eight digits of the gateway's units, and twelve of IDR.

    duly.charge_maximum in the database says the same.
    """
    rule = _rule_for(currency)
    most = 10 ** (12 if currency == "IDR" else 8) - 1
    return from_gateway(most - most % rule.multiple, currency)


def steps_text(currency: str) -> str:
    """Say in which steps the gateway takes a currency, for a refusal."""
    return f"the gateway takes {currency} in steps of {Money(charge_step(currency), currency)}"


def _rule_for(currency: str) -> GatewayCurrency:
    exponent_of(currency)
    try:
        return GATEWAY_CURRENCIES[currency]
    except KeyError:
        raise GatewayAmountError(f"currency {currency} is not supported by the gateway") from None


def _power_of_ten(exponent: int) -> int:
    return int(10**exponent)
