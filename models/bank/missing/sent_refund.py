"""A refund as a file says that the bank has it: how it is told whose it is (F120)."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from models.bank.refund_answer import period_of
from models.money import Money

_REFERENCE = re.compile(r"R[0-9]{1,18}")
_TEXT = re.compile(r"\bRefund ([0-9]{4}-[0-9]{2})\b")


@dataclass(frozen=True)
class SentRefund:
    """One refund that a file names. `file` is the message's id, "" in CSV; `account_id` is "" unless it is CSV."""

    line: int
    file: str
    period: str
    reference: str
    amount: Money
    account_id: str = ""
    name: str = field(default="", repr=False)
    iban: str = field(default="", repr=False)


@dataclass(frozen=True)
class Holder:
    """An account with the bank account that a payees' file gives it, and what is due back to it now."""

    account_id: str
    iban: str = field(repr=False)
    due: Money


def is_refund_reference(text: str) -> bool:
    """Say whether a text is written as the reference of a refund is."""
    return bool(_REFERENCE.fullmatch(text))


def period_in(ids: Iterable[str], text: str) -> str:
    """Return the month of a file by its ids, else by its text; "" where neither says it."""
    found = _TEXT.search(text)
    return period_of(ids) or (found[1] if found else "")


def accounts_of(refunds: Iterable[SentRefund], holders: Iterable[Holder], taken: Collection[str]) -> dict[str, str]:
    """Return whose refunds of one file are, by reference, as far as the bank accounts that were paid tell it.

    An account has one refund a file; `taken` have theirs already. Of several accounts with one bank account, those to
    which exactly an amount is due are told apart first, then who is left. Whatever may be another's is nobody's here.
    """
    left = [one for one in refunds if one.iban]
    free = [one for one in holders if one.account_id not in taken]
    found: dict[str, str] = {}
    for is_exact in (True, False):
        for same in _groups(left, is_exact=is_exact):
            iban, amount = same[0].iban, same[0].amount
            fits = [one for one in free if one.iban == iban and (not is_exact or one.due == amount)]
            # Which of them has which makes no difference where each has the same amount due.
            if len(fits) <= len(same) and (is_exact or len(same) == 1):
                found.update({one.reference: fit.account_id for one, fit in zip(same, fits, strict=False)})
        left = [one for one in left if one.reference not in found]
        free = [one for one in free if one.account_id not in found.values()]
    return found


def _groups(refunds: Iterable[SentRefund], *, is_exact: bool) -> list[list[SentRefund]]:
    groups: dict[tuple[str, ...], list[SentRefund]] = {}
    for one in refunds:
        key = (one.iban, str(one.amount)) if is_exact else (one.iban,)
        groups.setdefault(key, []).append(one)
    return list(groups.values())
