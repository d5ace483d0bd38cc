"""A debit of a payer's bank account: where it stands, and what a bank's reason makes of its mandate."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from models.money import Money


class DebitState(StrEnum):
    """Where a debit stands. `collected` is what a statement has shown, and nothing less."""

    PENDING = "pending"  # waits for its file
    EXPORTED = "exported"  # is in a file; the bank has not answered for certain
    REJECTED = "rejected"  # it was refused before any money moved
    COLLECTED = "collected"
    RETURNED = "returned"  # the money was taken back after it had come


class DebitBatchState(StrEnum):
    """Where a file of debits stands."""

    WRITTEN = "written"
    SENT = "sent"  # a person has given it to the bank, or the bank has answered about it


@dataclass(frozen=True)
class Creditor:
    """Our side of the debits of a provider: the account that gets them, and how the bank wants the file."""

    name: str
    iban: str = field(repr=False)
    bic: str = field(repr=False)
    creditor_identifier: str = ""
    scheme: str = "CORE"
    version: str = "08"


@dataclass(frozen=True)
class WrittenDebit:
    """One debit as its file says it."""

    id: str
    payment_information: str
    amount: Money
    sequence_type: str
    collect_on: date
    mandate: str
    signed_on: date
    payer: str = field(repr=False)
    iban: str = field(repr=False)
    bic: str = field(repr=False)
    text: str = ""
    is_amended: bool = False
