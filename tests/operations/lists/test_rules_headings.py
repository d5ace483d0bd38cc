"""The head of a column, from its name."""

import pytest

from models.listing import heading_of

HEADINGS = {
    "unit_price": "Unit price",
    "mrr": "MRR",
    "mrr_lost_minor": "MRR lost",
    "vat_due": "VAT due",
    "receivable": "Receivable",
}


@pytest.mark.parametrize(("name", "heading"), HEADINGS.items())
def test_a_name_is_read_as_words_and_what_is_short_for_something_stays_in_capitals(name: str, heading: str) -> None:
    assert heading_of(name) == heading
