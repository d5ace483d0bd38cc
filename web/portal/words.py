"""What the portal says, one catalogue per language, and amounts and days as its readers write them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import combining, normalize

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_skeleton
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from activities.messages.rendering import LANGUAGES, reader_locale
from activities.messages.template_values import money_text
from models.money import Money
from web.assets import Assets

FOLDER = Path(__file__).parent
_CODE_LENGTH = 2
# What CLDR has among countries' letters and is none, or has no address.
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


@dataclass(frozen=True)
class Reader:
    """The locale of whoever reads, and the words of its language."""

    locale: Locale

    @property
    def language(self) -> str:
        """Return the language, in two letters."""
        return str(self.locale.language)

    def text(self, key: str, **values: object) -> str:
        """Return a text. Raises KeyError for one that the catalogue lacks."""
        return catalogue(self.language)[key].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in catalogue(self.language)

    def word(self, kind: str, word: object) -> str:
        """Return the word for a state or kind; as the product has it where a catalogue has none."""
        return catalogue(self.language).get(f"{kind}_{word}", str(word).replace("_", " "))

    def money(self, amount_minor: int, currency: str) -> str:
        """Write an amount."""
        return money_text(Money(amount_minor, currency), self.locale)

    def month(self, day: date) -> str:
        """Write the month of a day."""
        return str(format_skeleton("yMMMM", day, locale=self.locale))

    def countries(self) -> list[tuple[str, str]]:
        """Return every country's two letters and name, by name."""
        named = [(code, name) for code, name in self.locale.territories.items() if len(code) == _CODE_LENGTH]
        return sorted(
            ((code, name) for code, name in named if code not in _NO_COUNTRIES),
            key=lambda one: _without_accents(one[1]),
        )

    def day(self, day: date | None) -> str:
        """Write a day; "" for none."""
        return str(format_date(day, "medium", locale=self.locale)) if day else ""


def reader_of(locale: str) -> Reader:
    """Return the reader of a locale; English where there is no catalogue."""
    return Reader(reader_locale(locale))


def reader_of_header(accepted: str) -> Reader:
    """Return the reader that a browser's Accept-Language names first of those that there are."""
    wanted = [part.partition(";")[0].strip()[:20] for part in accepted[:200].split(",")]
    languages = [one.partition("-")[0].lower() for one in wanted]
    return reader_of(negotiate_locale(languages, LANGUAGES) or "en")


def _without_accents(name: str) -> str:
    return "".join(one for one in normalize("NFD", name).casefold() if not combining(one))


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Read the words of a language."""
    words: dict[str, str] = json.loads((FOLDER / "texts" / f"{language}.json").read_text(encoding="utf-8"))
    return words


@cache
def _environment(assets: Assets) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": assets.__getitem__}
    return environment


class PortalPages:
    """The templates of one process: every value is escaped, and nothing is undefined."""

    def __init__(self, assets: Assets) -> None:
        self._environment = _environment(assets)

    def render(self, template: str, reader: Reader, **values: Any) -> str:
        """Return a template filled in, for a reader."""
        return self._environment.get_template(template).render(reader=reader, t=reader.text, **values)
