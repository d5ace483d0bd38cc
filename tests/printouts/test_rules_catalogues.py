"""Catalogues: every language says all that documents say, and with the same values."""

import json
import re
import string
from datetime import date
from decimal import Decimal

import pytest

from activities.messages.rendering import LANGUAGES
from activities.printouts.catalogue import CATALOGUES, PRINTED_LANGUAGES, catalogue_of
from models.ledger.transaction import Classification
from models.printouts.facts import DocumentKind, VatCategory
from tests.house.source import ROOT

WORDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in CATALOGUES.glob("*.json")}
UNTOLD = {VatCategory.UNSAID, VatCategory.STANDARD, VatCategory.ZERO}


def values_of(text: str) -> set[str]:
    """Return which values a text takes."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_documents_speak_the_languages_of_messages() -> None:
    assert set(PRINTED_LANGUAGES) == set(LANGUAGES) == set(WORDS)


@pytest.mark.parametrize("language", sorted(WORDS))
def test_no_text_is_missing_in_any_language_and_none_is_left_over(language: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "activities" / "printouts").rglob("page.py")]
    named = {word for source in sources for word in re.findall(r'"([a-z_]+)"', source)}
    kinds = {*DocumentKind, *Classification}
    categories = {f"tax_category_{category}" for category in set(VatCategory) - UNTOLD}

    assert WORDS[language].keys() == WORDS["en"].keys()
    assert {key: values_of(text) for key, text in WORDS[language].items()} == {
        key: values_of(text) for key, text in WORDS["en"].items()
    }
    assert (kinds | categories) - WORDS[language].keys() == set()
    assert WORDS[language].keys() - kinds - categories - named == set()
    assert all(WORDS[language].values())


def test_amounts_and_days_are_written_as_their_reader_writes_them() -> None:
    german, english = catalogue_of("de_DE"), catalogue_of("en_US")

    assert (german.amount(1234567, "EUR"), english.amount(1234567, "EUR")) == ("12.345,67", "12,345.67")
    assert (german.amount(1234, "JPY"), german.amount(1234, "KWD")) == ("1.234", "1,234")
    assert (german.day(date(2026, 11, 29)), english.day(date(2026, 11, 29))) == ("29.11.2026", "Nov 29, 2026")
    assert (german.percent(Decimal("7.7000")), english.number(Decimal("3.000000"))) == ("7,7\xa0%", "3")
    assert catalogue_of("fr_FR").language == "en"
    assert catalogue_of("fr_FR", language="de").language == "de"
