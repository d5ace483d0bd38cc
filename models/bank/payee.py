"""Where a refund by bank transfer is to go. Payees come with a file, are used, and are kept nowhere."""

import re
from dataclasses import dataclass, field

from models.bank.entry import remainder_97

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[0-9A-Z]{2}([0-9A-Z]{3})?")


class IbanError(ValueError):
    """An account number that is no IBAN."""


@dataclass(frozen=True)
class Payee:
    """Name and bank account of whom an account's refund is paid to; neither appears in a log."""

    account_id: str
    name: str = field(repr=False)
    iban: str = field(repr=False)
    bic: str = field(default="", repr=False)


def iban_of(text: str) -> str:
    """Return an IBAN in upper case, without blanks of any kind. Raises IbanError: wrong check digits (ISO 13616)."""
    plain = "".join(text.split()).upper()
    if not _IBAN.fullmatch(plain):
        raise IbanError("must be two letters, two digits, and 11 to 30 letters or digits")
    if remainder_97(plain) != 1:
        raise IbanError("has wrong check digits: a letter or digit is mistyped")
    return plain


def bic_is_written_well(text: str) -> bool:
    """Say whether a text is empty or written like a BIC."""
    return not text or bool(_BIC.fullmatch(text))
