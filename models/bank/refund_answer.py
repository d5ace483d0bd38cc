"""The bank's answer about a refund (F120)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class AnswerStatus(StrEnum):
    """Paid is final, rejected too; anything else stays pending."""

    PAID = "paid"
    REJECTED = "rejected"
    PENDING = "pending"


# A message that an export has named, and the payment information in it.
_EXPORTED = re.compile(r"([0-9]{4}-[0-9]{2})-[0-9a-f]{24}(?:-[0-9]+)?")
# The same within a bank's words: nobody else's text has it by chance.
_EXPORTED_IN_TEXT = re.compile(rf"(?<![0-9a-z]){_EXPORTED.pattern}(?![0-9a-z])", re.IGNORECASE)
_WORD = re.compile(r"[A-Z0-9]+")
# Reasons by which a bank says that it has the file already: what it does with the first one is another answer.
DUPLICATES = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"})

# ISO 20022 external status codes: settled, refused, and all that is still on its way.
_FROM_ISO = {
    "ACSC": AnswerStatus.PAID,
    "ACCC": AnswerStatus.PAID,
    "RJCT": AnswerStatus.REJECTED,
    "CANC": AnswerStatus.REJECTED,
}


@dataclass(frozen=True)
class BankRefundAnswer:
    """One refund's answer. `amount` is in major units, "" when the file does not repeat it."""

    line: int
    reference: str
    status: AnswerStatus
    amount: str = ""
    currency: str = ""
    reason: str = ""

    @property
    def is_duplicate(self) -> bool:
        """Whether the bank refuses the payment because it has it already: what became of the first is not said."""
        return self.status is AnswerStatus.REJECTED and not DUPLICATES.isdisjoint(_WORD.findall(self.reason))


@dataclass(frozen=True)
class BankBatchAnswer:
    """The answer about a file that was exported, or a part of it, as a whole.

    `ids` are the names that the bank gives back: of the message or of its payment information. `references` are of
    refunds whose amounts it does not tell apart. The amount is in major units, "" when it is not repeated.
    """

    line: int
    status: AnswerStatus
    ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    amount: str = ""
    currency: str = ""
    reason: str = ""
    is_duplicate: bool = False

    @property
    def period(self) -> str:
        """The month whose refunds the file held; "" where no name is one that an export has given."""
        return period_of(self.ids)


def period_of(ids: Iterable[str]) -> str:
    """Return the month of the file that has one of these names; "" where none is one that an export has given."""
    return next((found[1] for id in ids if (found := _EXPORTED.fullmatch(id))), "")


def exported_ids_in(text: str) -> list[str]:
    """Return the names of files of ours that a bank's words have in them."""
    return [found.group().lower() for found in _EXPORTED_IN_TEXT.finditer(text)]


def message_id_of(period: str, content: str) -> str:
    """Return the name of a file: the month, and a hash of what it pays, so that the same list has the same name."""
    return f"{period}-{hashlib.sha256(content.encode()).hexdigest()[:24]}"


def status_of(iso_code: str) -> AnswerStatus:
    """Return what a transaction status of pain.002 means; only a settlement is a payment."""
    return _FROM_ISO.get(iso_code.upper(), AnswerStatus.PENDING)
