"""The words of documents, one catalogue per language, and numbers and days as its readers write them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from activities.messages.rendering import reader_locale
from activities.messages.template_values import money_text
from models.currency import exponent_of
from models.money import Money

CATALOGUES = Path(__file__).parent / "catalogues"
PRINTED_LANGUAGES = tuple(sorted(path.stem for path in CATALOGUES.glob("*.json")))


@dataclass(frozen=True)
class Catalogue:
    """The words of one language, and the ways of one locale of it."""

    locale: Locale
    words: Mapping[str, str]

    @property
    def language(self) -> str:
        """Return the language, in two letters."""
        return str(self.locale.language)

    def text(self, key: str, **values: str) -> str:
        """Return a text. Raises KeyError for one that the catalogue lacks; a test goes through all of them."""
        return self.words[key].format(**values)

    def day(self, day: date) -> str:
        """Write a day in short, such as 29 Nov 2026 or 29.11.2026."""
        return str(format_date(day, "medium", locale=self.locale))

    def days(self, first: date, last: date) -> str:
        """Write one day, or the first and last of several."""
        return self.day(first) if first == last else self.text("period", since=self.day(first), until=self.day(last))

    def money(self, amount_minor: int, currency: str) -> str:
        """Write an amount with its currency and all its decimals."""
        return money_text(Money(amount_minor, currency), self.locale)

    def amount(self, amount_minor: int, currency: str) -> str:
        """Write an amount in a column whose currency stands elsewhere."""
        decimals = exponent_of(currency)
        pattern = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
        return str(format_decimal(Money(amount_minor, currency).to_decimal(), format=pattern, locale=self.locale))

    def number(self, value: Decimal) -> str:
        """Write a quantity with the decimals that it has."""
        return str(format_decimal(value.normalize(), locale=self.locale, decimal_quantization=False))

    def percent(self, value: Decimal) -> str:
        """Write a rate in percent with the decimals that it has."""
        return str(format_percent(value.normalize() / 100, locale=self.locale, decimal_quantization=False))


def catalogue_of(locale: str, *, language: str = "") -> Catalogue:
    """Return the catalogue for a reader's locale, or for a language that somebody asks for; English where none fits."""
    found = reader_locale(locale)
    if language and found.language != language:
        found = Locale(language)
    return Catalogue(found, words_of(str(found.language)))


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Read a catalogue."""
    words: dict[str, str] = json.loads((CATALOGUES / f"{language}.json").read_text(encoding="utf-8"))
    return words
