"""The active currencies of ISO 4217 and how many decimals each has.

Source: ISO 4217 list one as published by its maintenance agency (SIX), state of 2026: the Antillean guilder (ANG) gave
way to XCG in 2025 and the Bulgarian lev (BGN) to the euro in 2026. Codes without a minor unit (gold, special drawing
rights, testing) are left out: nothing can be invoiced in them. Locale libraries are no source for this table, because
they carry display digits: they show no decimals for the Iraqi dinar and the Malagasy ariary, which have three and two.
"""

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
        "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
        "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
        "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
        "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
        "VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: dict[str, int] = {code: exponent for exponent, codes in _BY_EXPONENT.items() for code in codes.split()}
"""Decimals of every active currency, by its upper-case code."""


class UnknownCurrencyError(ValueError):
    """A code that is not an active ISO 4217 currency in upper case."""


def exponent_of(currency: str) -> int:
    """Return how many decimals a currency has; UnknownCurrencyError if it is none."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrencyError(f"currency {currency!r} is not an active ISO 4217 code in upper case") from None
