"""Amounts that the database says to people: in major units with their currency, never a bare number of minor units."""

import re

from tests.house.source import ROOT
from tests.ledger.books import Books

# A refusal in words, its text and what stands in it; those of the ledger give their amounts as JSON.
REFUSAL = re.compile(r"duly\.refuse\('\w+',\s*format\(.*?\)\)(?=;|\s+from )", re.DOTALL)


def test_an_amount_is_shown_as_its_currency_writes_it(owner: Books) -> None:
    amounts = [(50000, "EUR"), (7, "EUR"), (1650, "JPY"), (-12345, "KWD")]

    shown = [owner.value("select duly.shown_amount(%s, %s)", minor, currency) for minor, currency in amounts]

    assert shown == ["500.00 EUR", "0.07 EUR", "1650 JPY", "-12.345 KWD"]


def test_no_refusal_in_words_says_minor_units() -> None:
    refusals = [
        found
        for path in (ROOT / "migrations" / "functions").rglob("*.sql")
        for found in REFUSAL.findall(path.read_text(encoding="utf-8"))
    ]
    bare = [text for text in refusals if re.search(r"_minor\b|p_asked\b", unshown(text))]

    assert len(refusals) > 100
    assert bare == []


def unshown(refusal: str) -> str:
    """Return what stands in the text of a refusal, less its words and the amounts that are shown as such."""
    rest = re.sub(r"'[^']*'", "", refusal)
    while (start := rest.find("shown_amount(")) >= 0:
        end = start + len("shown_amount(")
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(rest[end], 0)
            end += 1
        rest = rest[:start] + rest[end:]
    return rest
