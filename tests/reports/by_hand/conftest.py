"""The small ledger, written once for each test that asks for it."""

import pytest

from tests.ledger.books import Books
from tests.reports.by_hand.ledger import SmallLedger


@pytest.fixture
def small_ledger(books: Books, owner: Books) -> Books:
    """The ledger of which every figure was worked out by hand."""
    SmallLedger(books, owner).write()
    return books
