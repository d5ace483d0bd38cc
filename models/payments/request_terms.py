"""The terms of a payment request: what is asked for, of whom, and until when."""

from dataclasses import dataclass

from models.card_number import REFUSED, holds_card_number
from models.payments.validity import VALID_DAYS_MAX, VALID_SECONDS_MAX
from models.problem import refuse_unless

TITLE_MAX = 200
DESCRIPTION_MAX = 2000
EMAIL_MAX = 254
PAYERS_MAX = 50


class InvalidPaymentRequestError(ValueError):
    """A payment request that breaks a rule; the message opens with the field."""


@dataclass(frozen=True)
class PaymentRequestTerms:
    """What is asked for, of whom, and until when; amounts in minor units of the account's currency.

    `invoices` are ids or numbers. An amount with them is a part of them, 0 is all of them; an amount without them is
    paid on account. With `most_minor` the payer chooses an amount from `least_minor` to it, on account, and the amount
    is what is suggested. `valid_days` from the moment in which it is made, or, where it is not 0,
    `valid_seconds` instead. `sender_email` is told when it is paid,
    `is_mailed`: the account's address gets the link, and reminders, or each of the `payers` one of their own, of whom
    the first who pays has paid for all; several who pay each for themselves have a request each (X61), such as by a
    file. Where there is no such account, `owner_name` and `owner_email` make one in the
    commit of the request, in its currency; one that there is stays as it is.
    """

    account_id: str
    title: str
    description: str = ""
    amount_minor: int = 0
    currency: str = ""
    invoices: tuple[str, ...] = ()
    valid_days: int = 14
    is_mailed: bool = False
    sender: str = "system"
    sender_email: str = ""
    reason: str = ""
    least_minor: int = 0
    most_minor: int = 0
    payers: tuple[str, ...] = ()
    owner_name: str = ""
    owner_email: str = ""
    valid_seconds: int = 0

    @property
    def is_payers_choice(self) -> bool:
        """Say whether the payer chooses the amount."""
        return bool(self.least_minor or self.most_minor)

    def __post_init__(self) -> None:
        """Refuse what nobody could pay. Raises InvalidPaymentRequestError."""
        error = InvalidPaymentRequestError
        refuse_unless(bool(self.title.strip()), error, "title: say what is to be paid")
        for name, most in (
            ("title", TITLE_MAX),
            ("description", DESCRIPTION_MAX),
            ("sender_email", EMAIL_MAX),
            ("owner_name", TITLE_MAX),
        ):
            text = getattr(self, name)
            refuse_unless(len(text) <= most, error, f"{name}: at most {most} characters")
            refuse_unless(not holds_card_number(text), error, f"{name}: {REFUSED}")
        self._check_amounts()
        refuse_unless(1 <= self.valid_days <= VALID_DAYS_MAX, error, f"valid_days: must be from 1 to {VALID_DAYS_MAX}")
        is_within = 0 <= self.valid_seconds <= VALID_SECONDS_MAX
        refuse_unless(is_within, error, f"valid_seconds: must be from 1 to {VALID_SECONDS_MAX}, or 0 for valid_days")
        refuse_unless(bool(self.sender.strip()), error, "sender: say who asks")
        is_known = not self.sender_email or _is_address(self.sender_email)
        refuse_unless(is_known, error, "sender_email: is no e-mail address")
        self._check_owner()
        refuse_unless(len(self.payers) <= PAYERS_MAX, error, f"payers: at most {PAYERS_MAX}")
        is_once = len({each.casefold() for each in self.payers}) == len(self.payers)
        refuse_unless(is_once, error, "payers: each is named once")
        refuse_unless(all(map(_is_address, self.payers)), error, "payers: each is an e-mail address")
        refuse_unless(self.is_mailed or not self.payers, error, "payers: need is_mailed, by which they get their links")

    def _check_owner(self) -> None:
        error = InvalidPaymentRequestError
        refuse_unless(not self.invoices or not self.owner_name, error, "owner_name: a new account has no invoices")
        refuse_unless(bool(self.owner_name.strip()) or not self.owner_email, error, "owner_email: needs an owner_name")
        is_known = not self.owner_email or _is_address(self.owner_email)
        refuse_unless(is_known, error, "owner_email: is no e-mail address")

    def _check_amounts(self) -> None:
        error = InvalidPaymentRequestError
        has_amount = bool(self.amount_minor) or self.is_payers_choice
        refuse_unless(self.amount_minor >= 0, error, "amount_minor: must not be negative")
        refuse_unless(has_amount or bool(self.invoices), error, "amount_minor: say how much, or which invoices")
        refuse_unless(has_amount == bool(self.currency), error, "currency: an amount has one, and invoices have none")
        if self.is_payers_choice:
            refuse_unless(not self.invoices, error, "invoices: the payer chooses an amount on account, not of invoices")
            refuse_unless(self.least_minor > 0, error, "most_minor: needs a least_minor of 1 or more")
            refuse_unless(self.least_minor <= self.most_minor, error, "least_minor: must be from 1 to most_minor")
            is_within = not self.amount_minor or self.least_minor <= self.amount_minor <= self.most_minor
            refuse_unless(is_within, error, "amount_minor: what is suggested must be within the limits")


def _is_address(text: str) -> bool:
    return text.isascii() and text.isprintable() and "@" in text[1:-1] and " " not in text and len(text) <= EMAIL_MAX
