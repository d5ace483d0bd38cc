"""Stripe's currencies: exponents, minimum charges, special cases and the fees of this sandbox."""

from sandbox.stripe.api.errors import invalid_parameter

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])

# Written with two decimals for compatibility although the money has none: amounts are whole hundreds.
WHOLE_HUNDREDS = frozenset({"isk", "ugx"})

# https://docs.stripe.com/currencies, "Minimum and maximum charge amounts"; a currency that is not listed there has
# no minimum of its own (Stripe converts the settlement currency's), so here it takes any positive amount.
MINIMUM_MINOR = {
    "usd": 50,
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
}
MAXIMUM_MINOR = 99_999_999

# fmt: off
SUPPORTED = frozenset({
    "usd", "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn",
    "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "clp", "cny",
    "cop", "crc", "cve", "czk", "djf", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel",
    "gip", "gmd", "gnf", "gtq", "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "jod",
    "jpy", "kes", "kgs", "khr", "kmf", "krw", "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad",
    "mdl", "mga", "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio",
    "nok", "npr", "nzd", "omr", "pab", "pen", "pgk", "php", "pkr", "pln", "pyg", "qar", "ron", "rsd", "rub",
    "rwf", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs", "tnd",
    "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "uyu", "uzs", "vnd", "vuv", "wst", "xaf", "xcd", "xof",
    "xpf", "yer", "zar", "zmw",
})
# fmt: on


def check_currency(currency: str) -> str:
    """The currency in Stripe's lower case, or the refusal that lists what is supported."""
    lowered = currency.lower()
    if lowered not in SUPPORTED:
        message = f"Invalid currency: {lowered}. Stripe currently supports these currencies: " + ", ".join(
            sorted(SUPPORTED)
        )
        raise invalid_parameter(message, "currency")
    return lowered


def check_amount(amount: int, currency: str) -> int:
    """A chargeable amount in minor units, or the refusal with Stripe's code."""
    if amount < 1:
        raise invalid_parameter("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > MAXIMUM_MINOR:
        raise invalid_parameter(
            f"Amount must be no more than {shown(MAXIMUM_MINOR, currency)}", "amount", "amount_too_large"
        )
    minimum = MINIMUM_MINOR.get(currency, 1)
    if amount < minimum:
        raise invalid_parameter(f"Amount must be at least {shown(minimum, currency)}", "amount", "amount_too_small")
    check_granularity(amount, currency)
    return amount


def check_granularity(amount: int, currency: str) -> None:
    """Three-decimal amounts end in 0 because the networks carry two decimals; ISK and UGX are whole hundreds."""
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_HUNDREDS else 1
    if amount % step:
        raise invalid_parameter(
            f"Invalid amount: {currency} amounts must be a multiple of {step}.", "amount", "invalid_charge_amount"
        )


def decimals(currency: str) -> int:
    """How many decimals the minor unit has."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def shown(amount: int, currency: str) -> str:
    """The amount in major units for a message."""
    digits = decimals(currency)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}d} {currency}" if digits else f"{whole} {currency}"


def charge_fee(amount: int, currency: str) -> int:
    """2.9 % rounded half up, plus 30 minor units (300 where a unit has a thousand); no part of a unit that has none."""
    fixed = 300 if currency in THREE_DECIMAL else 30
    fee = (amount * 29 + 500) // 1000 + fixed
    return -(-fee // 100) * 100 if currency in WHOLE_HUNDREDS else fee


def dispute_fee(currency: str) -> int:
    """What a dispute costs whoever wins it."""
    return 15_000 if currency in THREE_DECIMAL else 1_500
