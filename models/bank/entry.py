"""A line of a bank statement, whatever file it came from (F122)."""

from dataclasses import dataclass, field
from datetime import date

from models.bank.identity import LineIdentity
from models.card_number import without_card_numbers

NOTE_LENGTH_MAX = 4000
# As much of what a payer wrote is read for a note.
STATED_LENGTH_MAX = 5 * NOTE_LENGTH_MAX
# Stands between no digits: within a word it is not seen.
_NO_WIDTH = "\u2060"
# What banks write where a customer gave no reference.
_NOTHING = frozenset({"", "NONREF", "NOTPROVIDED", "NOT PROVIDED", "NOREF", "N/A"})


@dataclass(frozen=True)
class BankEntry:
    """Money that came (credit) or left (debit), in minor units. `reference` is the bank's own, or else what tells it:
    perhaps what the sender has called it (`is_named_by_sender`), who may have typed anything.

    `text` keeps the lines that the bank has made of it. One that `is_unsplit` is a batch whose details do not come to
    it: nobody can say how much of it is whose. `batch_ids` name the file or batch of ours that a debit pays, and
    `sent_ids` the payments in one that is unsplit. `other_ids` are what banks on the way have called it: they name
    nobody's account, and are kept for whoever has to find out.
    """

    line: int
    reference: str
    is_credit: bool
    amount_minor: int
    currency: str
    booked_on: date
    bank_account: str = ""
    account_id: str = ""
    structured_reference: str = ""
    other_references: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    end_to_end_id: str = ""
    text: str = ""
    payer: str = ""
    ultimate_payer: str = ""
    other_ids: tuple[str, ...] = ()
    owner_reference: str = ""
    is_booked: bool = True
    is_return: bool = False
    return_reason: str = ""
    return_text: str = ""
    is_unsplit: bool = False
    batch_ids: tuple[str, ...] = ()
    sent_ids: tuple[str, ...] = ()
    is_named_by_sender: bool = False
    # Of money that left, whose bank account got it; read by nothing that keeps it.
    payee_iban: str = field(default="", repr=False)
    read_as: LineIdentity | None = None

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
        structured = " ".join((self.structured_reference, *self.other_references))
        ids = " ".join((self.end_to_end_id, *self.other_ids))
        return f"{self.text} {self.payer} {structured} {ids} {self.reference}"

    @property
    def identity(self) -> LineIdentity:
        """What the line is known by again; a row of CSV by the bank's reference, which no other row of its day has."""
        return self.read_as or LineIdentity(
            self.booked_on, self.reference, self.signed_minor, self.currency, self.bank_account
        )

    @property
    def key(self) -> str:
        """The idempotency key of the payment: the same line of a second import is the same payment."""
        return self.identity.key

    @property
    def first_key(self) -> str:
        """The key that version 0.1.0 gave the payment."""
        return f"bank:{self.bank_account}:{self.reference}"

    @property
    def kept_reference(self) -> str:
        """The reference as it is kept and shown: the bank's own as it is, a sender's without any card number."""
        return without_card_numbers(self.reference) if self.is_named_by_sender else self.reference

    @property
    def note(self) -> str:
        """What staff need to find out whose money it is, without any card number."""
        parts = {
            "payer": self.payer,
            "on behalf of": self.ultimate_payer,
            "account": self.account_id,
            "reference": ", ".join(one for one in (self.structured_reference, *self.other_references) if one),
            "document": ", ".join(self.documents),
            "end-to-end": self.end_to_end_id if is_reference(self.end_to_end_id) else "",
            "owner": self.owner_reference,
            "returned": f"{self.return_reason} {self.return_text}".strip(),
            "text": _in_one_line(self.text),
            "bank's": ", ".join(self.other_ids),
        }
        stated = "; ".join(f"{name}: {value}" for name, value in parts.items() if value)
        return without_card_numbers(stated[:STATED_LENGTH_MAX])[:NOTE_LENGTH_MAX]


def _in_one_line(text: str) -> str:
    """Return a text without ends of lines, and without a card number that one of them has cut: banks cut anywhere."""
    left = without_card_numbers(text[:STATED_LENGTH_MAX])
    return without_card_numbers(left.replace("\n", _NO_WIDTH)).replace(_NO_WIDTH, " ")


def is_reference(text: str) -> bool:
    """Say whether a reference is one: banks fill an empty field with placeholders."""
    return text.strip().upper() not in _NOTHING


def remainder_97(text: str) -> int:
    """Return the remainder by 97 of an IBAN or creditor reference, its first four characters moved to the end."""
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97
