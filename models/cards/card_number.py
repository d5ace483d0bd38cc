"""Card numbers are never ours to keep: this finds a text that seems to hold one (X5)."""

import re
import unicodedata

# Digits in one run, single blanks, dots or dashes between them allowed, as people and exports write them.
_RUN = re.compile(r"(?<![0-9])[0-9](?:[ .\-]?[0-9])*")


def holds_card_number(text: str) -> bool:
    """Say whether a text has 13 to 19 digits in a row that pass the Luhn check; digits of any script count."""
    plain = unicodedata.normalize("NFKC", text)
    runs = ("".join(filter(str.isdigit, match[0])) for match in _RUN.finditer(plain))
    return any(13 <= len(digits) <= 19 and _passes_luhn(digits) for digits in runs)


def without_card_numbers(text: str) -> str:
    """Return a text of somebody else's with whatever seems to be a card number taken out."""
    plain = unicodedata.normalize("NFKC", text)
    return _RUN.sub(lambda run: "(number removed)" if holds_card_number(run[0]) else run[0], plain)


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
