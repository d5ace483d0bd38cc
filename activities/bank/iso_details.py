"""How much of an entry each of its details is: they come to what was booked, or nobody can say how much is whose."""

from collections.abc import Iterator, Sequence
from itertools import chain

from activities.bank.iso20022 import Leaves
from models.currency import UnknownCurrencyError
from models.money import Money, MoneyError

Part = tuple[Leaves | None, int]

_CREDIT = "CRDT"

# Where banks write what a detail comes to. Some write there what the payer sent, in the payer's currency.
_AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt", "AmtDtls/InstdAmt/Amt", "AmtDtls/PrtryAmt/Amt")
_CHARGES = ("Chrgs/TtlChrgsAndTaxAmt", "Chrgs/Rcrd/Amt", "Chrgs/Amt")


def parts_of(whole: Money, side: str, details: Sequence[Leaves], *, payments: int = 1) -> list[Part] | None:
    """Return the details of an entry with the amount of each in minor units, above zero and coming to the whole.

    `payments` is how many the entry is said to be of. None: they do not come to it, with or without the charges that
    they state, or are fewer, so that nobody can say how much is whose.
    """
    if len(details) <= 1:
        detail = details[0] if details else None
        # Whose money it is, is asked of what came alone.
        is_all = side != _CREDIT or _is_all(whole, detail, payments)
        return [(detail, whole.amount_minor)] if is_all else None
    for amounts in _readings(whole.currency, details):
        parts = [
            (detail, minor if detail.first("CdtDbtInd") in {"", side} else -minor)
            for detail, minor in zip(details, amounts, strict=True)
            if minor
        ]
        # Some banks turn the side of every detail round.
        is_turned = all(minor < 0 for _, minor in parts)
        found: list[Part] = [(detail, -minor if is_turned else minor) for detail, minor in parts]
        if all(minor > 0 for _, minor in found) and sum(minor for _, minor in found) == whole.amount_minor:
            return found
    return None


def _is_all(whole: Money, detail: Leaves | None, payments: int) -> bool:
    """Say whether an entry is the only detail that it shows, or shows none.

    One that comes to less leaves a rest that is somebody else's. More is nothing of that kind: the bank has kept its
    charges, or has changed what the payer sent.
    """
    amounts = [] if detail is None else [_minor(detail, path, whole.currency) for path in _AMOUNTS]
    stated = [minor for minor in amounts if minor is not None]
    if detail is None or not stated:
        return payments <= 1
    # Charges beside an amount may have been taken from it or come on top of it.
    return max(stated) + _charges(detail, whole.currency) >= whole.amount_minor


def minor_in(text: str, currency: str) -> int:
    """Return an amount in minor units. Raises MoneyError; zeros behind the currency's last decimal are none."""
    whole, point, decimals = text.partition(".")
    return Money.parse(
        f"{whole}.{decimals.rstrip('0')}" if decimals.strip("0") else whole if point else text, currency
    ).amount_minor


def _readings(currency: str, details: Sequence[Leaves]) -> Iterator[list[int]]:
    """Yield the ways to read what each detail comes to: by each field, by the first that is there, less its charges."""
    fields = [[_minor(detail, path, currency) for detail in details] for path in _AMOUNTS]
    mixed = [next((minor for minor in minors if minor is not None), None) for minors in zip(*fields, strict=True)]
    charges = [_charges(detail, currency) for detail in details]
    for minors in chain(fields, [mixed]):
        known = [minor for minor in minors if minor is not None]
        if len(known) == len(details):
            yield known
            yield [minor - charge for minor, charge in zip(known, charges, strict=True)]


def _minor(detail: Leaves, path: str, currency: str) -> int | None:
    for text, other in detail.amounts.get(path, ()):
        try:
            if other == currency:
                return minor_in(text, currency)
        except (MoneyError, UnknownCurrencyError):
            return None
    return None


def _charges(detail: Leaves, currency: str) -> int:
    path = next((path for path in _CHARGES if path in detail.amounts), "")
    try:
        return sum(minor_in(text, other) for text, other in detail.amounts.get(path, ()) if other == currency)
    except (MoneyError, UnknownCurrencyError):
        return 0
