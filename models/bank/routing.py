"""Whose money a bank line is: one account that takes it, or suspense with the reason (F122, F123)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from models.bank.entry import BankEntry
from models.bank.references import references
from models.ledger.number_series import BILLS, INVOICES, NumberSeries


class SuspenseReason(StrEnum):
    """Why money goes to the suspense account."""

    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_AMBIGUOUS = "account_ambiguous"
    ACCOUNT_TERMINATED = "account_terminated"
    CURRENCY_DIFFERS = "currency_differs"
    OWNER_DIFFERS = "owner_differs"
    RETURNED_TRANSFER = "returned_transfer"
    DETAILS_DIFFER = "details_differ"


@dataclass(frozen=True)
class KnownAccount:
    """A customer's account as the import found it."""

    id: str
    currency: str
    is_terminated: bool
    owner_reference: str = ""


@dataclass(frozen=True)
class KnownInvoice:
    """An invoice that a reference names; a cancelled one is addressed by nobody."""

    id: str
    account_id: str
    is_posted: bool
    is_written_off: bool = False


@dataclass(frozen=True)
class KnownBill:
    """A bill that a reference names, with the ids of its invoices of which something is unsettled."""

    account_id: str
    invoice_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownReferences:
    """What the references of a batch of entries name: accounts by id, invoices and bills by number, of these series."""

    accounts: Mapping[str, KnownAccount]
    invoices: Mapping[str, KnownInvoice]
    series: Sequence[NumberSeries] = (INVOICES, BILLS)
    bills: Mapping[str, KnownBill] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """Where a line's money goes. A reason means suspense, and `account_id` is whom it seemed meant for, if anyone.

    `written_off` are the numbers of the invoices named that were given up.
    """

    account_id: str = ""
    invoice_ids: tuple[str, ...] = ()
    reason: SuspenseReason | None = None
    written_off: tuple[str, ...] = ()


def words(entry: BankEntry, series: Sequence[NumberSeries]) -> tuple[str, ...]:
    """Return everything in an entry that may name an account, or an invoice or bill of some series."""
    return tuple(word for found in references(entry, series) for word in found)


def route(entry: BankEntry, known: KnownReferences) -> Route:
    """Decide where an entry's money goes.

    What a field for references says counts more than what the text says, and both more than the payer's own number.
    """
    if entry.is_return:
        return Route(reason=SuspenseReason.RETURNED_TRANSFER)
    if entry.is_unsplit:
        return Route(reason=SuspenseReason.DETAILS_DIFFER)
    found = tuple(references(entry, known.series))
    named = _named_most(found, known)
    if not named:
        return Route(reason=SuspenseReason.ACCOUNT_UNKNOWN)
    if len(named) > 1:
        return Route(reason=SuspenseReason.ACCOUNT_AMBIGUOUS)
    account = known.accounts[next(iter(named))]
    if (reason := _against(entry, account)) is not None:
        return Route(account.id, reason=reason)
    mentions = [word for each in found for word in each]
    addressed = _addressed(mentions, account, known)
    given_up = tuple(number for number, invoice in addressed.items() if invoice.is_written_off)
    invoices = dict.fromkeys((*(invoice.id for invoice in addressed.values()), *_billed(mentions, account, known)))
    return Route(account.id, tuple(invoices), written_off=given_up)


def named_accounts(entry: BankEntry, known: KnownReferences) -> set[str]:
    """Return the accounts that what counts most in an entry names."""
    return _named_most(references(entry, known.series), known)


def _named_most(found: Iterable[Iterable[str]], known: KnownReferences) -> set[str]:
    return next((named for words in found if (named := _named(words, known))), set())


def _named(words: Iterable[str], known: KnownReferences) -> set[str]:
    found = set()
    for word in words:
        # A series of invoices may be written as bills are: then the number is of two, and perhaps of two accounts.
        numbered = [of[word].account_id for of in (known.invoices, known.bills) if word in of]
        found.update(numbered or ([word] if word in known.accounts else []))
    return found & known.accounts.keys()


def _against(entry: BankEntry, account: KnownAccount) -> SuspenseReason | None:
    if account.is_terminated:
        return SuspenseReason.ACCOUNT_TERMINATED
    if account.currency != entry.currency:
        return SuspenseReason.CURRENCY_DIFFERS
    if entry.owner_reference and account.owner_reference and entry.owner_reference != account.owner_reference:
        return SuspenseReason.OWNER_DIFFERS
    return None


def _billed(words: Iterable[str], account: KnownAccount, known: KnownReferences) -> Iterator[str]:
    for word in words:
        if word in known.bills and known.bills[word].account_id == account.id:
            yield from known.bills[word].invoice_ids


def _addressed(words: Iterable[str], account: KnownAccount, known: KnownReferences) -> dict[str, KnownInvoice]:
    named = {word: known.invoices[word] for word in words if word in known.invoices}
    return {
        number: one
        for number, one in named.items()
        if one.account_id == account.id and (one.is_posted or one.is_written_off)
    }
