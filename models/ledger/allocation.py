"""The principle by which credits settle debits (F100).

FIFO itself is duly.allocate_fifo, and what a payment addresses duly.allocate_addressed, both in
migrations/functions/ledger/allocation.sql. The tests compare them with tests/ledger/oracle/allocation.py.
"""

from enum import StrEnum


class Principle(StrEnum):
    """How credits find their debits; one for the whole system (F100)."""

    FIFO = "fifo"
    AGAINST_ITEM_AND_FIFO = "against_item_and_fifo"
