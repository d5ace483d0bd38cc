"""A line of a bank statement, whatever file it came from, and the references that it may hold (F122)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from models.card_number import without_card_numbers
from models.ledger.number_series import INVOICES, NumberSeries

NOTE_LENGTH_MAX = 4000
# As much of what a payer wrote is read for a note.
STATED_LENGTH_MAX = 5 * NOTE_LENGTH_MAX
# What banks write where a customer gave no reference.
_NOTHING = frozenset({"", "NONREF", "NOTPROVIDED", "NOT PROVIDED", "NOREF", "N/A"})
_WORD = re.compile(r"[!-~]{1,64}")
_ONLY_INVOICES = (INVOICES,)
_CREDITOR = re.compile(r"RF[0-9]{2}([0-9A-Z]{1,21})")
_PUNCTUATION = ",;:()[]<>\"'"


@dataclass(frozen=True)
class BankEntry:
    """Money that came (credit) or left (debit), in minor units. `reference` is the bank's own and comes once."""

    line: int
    reference: str
    is_credit: bool
    amount_minor: int
    currency: str
    booked_on: date
    bank_account: str = ""
    account_id: str = ""
    structured_reference: str = ""
    end_to_end_id: str = ""
    text: str = ""
    payer: str = ""
    owner_reference: str = ""
    is_booked: bool = True
    is_return: bool = False

    @property
    def is_income(self) -> bool:
        """Whether the money came and is there; a debit left, and what is not booked may still vanish."""
        return self.is_credit and self.is_booked

    @property
    def signed_minor(self) -> int:
        """The amount as the bank account sees it: below zero it left."""
        return self.amount_minor if self.is_credit else -self.amount_minor

    @property
    def stated(self) -> str:
        """Everything that the line says of whose money it is."""
        return f"{self.text} {self.payer} {self.structured_reference} {self.end_to_end_id} {self.reference}"

    @property
    def key(self) -> str:
        """The idempotency key of the payment: the same line of a second import is the same payment."""
        return f"bank:{self.bank_account}:{self.reference}"

    @property
    def note(self) -> str:
        """What staff need to find out whose money it is, without any card number."""
        parts = {
            "payer": self.payer,
            "account": self.account_id,
            "reference": self.structured_reference,
            "end-to-end": self.end_to_end_id if is_reference(self.end_to_end_id) else "",
            "owner": self.owner_reference,
            "text": self.text,
        }
        stated = "; ".join(f"{name}: {value}" for name, value in parts.items() if value)
        return without_card_numbers(stated[:STATED_LENGTH_MAX])[:NOTE_LENGTH_MAX]


def is_reference(text: str) -> bool:
    """Say whether a reference is one: banks fill an empty field with placeholders."""
    return text.strip().upper() not in _NOTHING


def stated_references(entry: BankEntry, series: Sequence[NumberSeries] = _ONLY_INVOICES) -> Iterator[str]:
    """Yield what fields made for references hold: accounts or invoices, as they stand and without an RF frame."""
    for text in (entry.account_id, entry.structured_reference, entry.end_to_end_id):
        if is_reference(text):
            yield from _readings(text.strip(), series)


def written_references(entry: BankEntry, series: Sequence[NumberSeries] = _ONLY_INVOICES) -> Iterator[str]:
    """Yield the words of the payer's text that may name an account or an invoice.

    A word without a digit, or shorter than four characters, is taken for language and not for a reference.
    """
    for one in series:
        yield from one.numbers_in(entry.text)
    for word in _WORD.findall(entry.text):
        plain = word.strip(_PUNCTUATION).rstrip(".")
        if len(plain) >= 4 and any(character.isdigit() for character in plain):
            yield from _readings(plain, series)


def _readings(text: str, series: Sequence[NumberSeries]) -> Iterator[str]:
    yield text
    yield from (number for one in series if (number := one.number_of(text)))
    if (framed := _CREDITOR.fullmatch(text.replace(" ", "").upper())) is not None and is_creditor_reference(text):
        yield from _readings(framed[1], series)
        yield framed[1].lower()


def is_creditor_reference(text: str) -> bool:
    """Say whether a reference has the check digits of ISO 11649."""
    plain = text.replace(" ", "").upper()
    return bool(_CREDITOR.fullmatch(plain)) and remainder_97(plain) == 1


def remainder_97(text: str) -> int:
    """Return the remainder by 97 of an IBAN or creditor reference, its first four characters moved to the end."""
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97
