"""Kinds of discrepancies: who looks after one, how urgent it is, and what helps."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class DiscrepancyState(StrEnum):
    """Where a discrepancy stands. mended: booked by Duly itself; gone: both sides agree by now."""

    OPEN = "open"
    MENDED = "mended"
    RESOLVED = "resolved"
    GONE = "gone"


class DiscrepancyResolution(StrEnum):
    """How a person ends a discrepancy: nothing is booked, for a reason; or what moved is booked."""

    EXPLAINED = "explained"
    BOOKED = "booked"


class Owner(StrEnum):
    """Who looks after a discrepancy: amounts are finance's matter, states that of operations."""

    FINANCE = "finance"
    OPERATIONS = "operations"


@dataclass(frozen=True)
class DiscrepancyKind:
    """What a kind means, who looks after it and what helps; `{id}`, `{object}` and `{number}` are filled in."""

    meaning: str
    owner: Owner
    remedy: str
    is_urgent: bool = False


# What a payout is whose lines at the bank a person may name.
OF_BANK_LINES = frozenset({"payout_not_arrived", "payout_sent_back"})

_PAYOUT = 'duly reconcile payout {object} PAYMENT... --fee FEE --actor NAME --reason "..."'
_RESOLVE = 'duly reconcile resolve {id} --as explained --actor NAME --reason "..."'

KINDS = MappingProxyType(
    {
        "double_charge": DiscrepancyKind(
            "A receivable was paid twice; the second payment is booked to the customer's credit.",
            Owner.FINANCE,
            'Refund {object}: duly refunds create {number} --actor NAME --reason "charged twice"',
            is_urgent=True,
        ),
        "unbooked_charge": DiscrepancyKind(
            "A payment that nobody had booked.", Owner.FINANCE, "Look at {object} and its account.", is_urgent=True
        ),
        "foreign_charge": DiscrepancyKind(
            "A payment of no customer of ours.",
            Owner.FINANCE,
            "Another system's on the same gateway account? " + _RESOLVE + "; else --as booked, with --account or to "
            "suspense.",
        ),
        "unbooked_refund": DiscrepancyKind(
            "A refund that was made outside Duly.",
            Owner.FINANCE,
            "Nothing, where it is booked. Beyond what was paid: find out why, and " + _RESOLVE,
            is_urgent=True,
        ),
        "double_refund": DiscrepancyKind(
            "One refund was paid twice; the second is booked, where its payment has as much left, and is owed again.",
            Owner.FINANCE,
            "The customer has {object} too much: ask for it, or credit it. Then " + _RESOLVE,
            is_urgent=True,
        ),
        "unbooked_refund_back": DiscrepancyKind(
            "A refund that came back unnoticed.", Owner.OPERATIONS, "Nothing: it is booked, and its customer is owed."
        ),
        "foreign_refund": DiscrepancyKind("A refund of no payment of ours.", Owner.FINANCE, _RESOLVE),
        "unbooked_dispute": DiscrepancyKind(
            "A dispute whose money has moved and is not booked.",
            Owner.OPERATIONS,
            "Its workflow was woken. If it stays: duly disputes show {object}",
        ),
        "foreign_dispute": DiscrepancyKind("A dispute of no payment of ours.", Owner.FINANCE, _RESOLVE),
        "differs": DiscrepancyKind(
            "Gateway and ledger have different amounts of one object.",
            Owner.FINANCE,
            "Compare {object} on both sides; correct the ledger, and " + _RESOLVE,
            is_urgent=True,
        ),
        "balance": DiscrepancyKind(
            "The gateway's balance is not what the ledger says, and no movement explains it.",
            Owner.FINANCE,
            "Reconcile an earlier day, or what lay there before Duly began; then " + _RESOLVE,
            is_urgent=True,
        ),
        "payout_lines": DiscrepancyKind(
            "What a payout consists of does not add up to it.",
            Owner.FINANCE,
            "Compare {object} with its lines in the gateway's dashboard; then " + _RESOLVE,
        ),
        "payout_not_arrived": DiscrepancyKind(
            "A payout, or a debit of the gateway's, that no bank statement shows a week after it was due.",
            Owner.FINANCE,
            "Import the bank's statement. In several lines, or less a fee: " + _PAYOUT + "; of a debit --on DAY and no "
            "PAYMENT. Else ask the bank about {object}. Then " + _RESOLVE,
        ),
        "payout_sent_back": DiscrepancyKind(
            "A payout that the gateway has back since a week, and that no bank statement shows leaving again.",
            Owner.FINANCE,
            "Import the bank's statement (once more, if the line was in it). In several lines, or with a fee: "
            'duly reconcile payout {object} --on DAY --fee FEE --actor NAME --reason "...". '
            "Else ask the bank about {object}. Then " + _RESOLVE,
        ),
        "payout_not_returned": DiscrepancyKind(
            "A payout that the bank took back a week ago, and that the gateway does not have again.",
            Owner.FINANCE,
            "Ask the gateway about {object}. Then " + _RESOLVE,
        ),
        "unknown_currency": DiscrepancyKind(
            "Money in a currency that the ledger does not have (ISO 4217 has given it up), or finer than it has it.",
            Owner.FINANCE,
            "Book {object} by hand in a currency of the ledger, and " + _RESOLVE,
        ),
        "refused": DiscrepancyKind(
            "Money has moved, and a rule refuses to book it; its evidence names the rule.",
            Owner.OPERATIONS,
            "Put right what the rule of {object} names, and reconcile again. Else book it by hand, and " + _RESOLVE,
            is_urgent=True,
        ),
        "unexpected_application_fee": DiscrepancyKind(
            "A fee of a payment on another account, of which no merchant's book here says anything.",
            Owner.FINANCE,
            "Reconcile the merchant's provider first; of an account that Duly does not know, " + _RESOLVE,
        ),
        "unexpected_application_fee_refund": DiscrepancyKind(
            "A fee that was given back to an account, of a charge or amount that no merchant's book here explains.",
            Owner.FINANCE,
            "Reconcile the merchant's provider first; else ask who gave {object} back, and " + _RESOLVE,
        ),
        "application_fee_given_back": DiscrepancyKind(
            "A platform's fee that was given back outside Duly, without a refund of the payment.",
            Owner.FINANCE,
            "Nothing: it is booked in the merchant's book, and in the platform's once that is reconciled.",
        ),
        "transfer_not_made": DiscrepancyKind(
            "What the platform took for a merchant, or gave back, has not followed to or from the merchant's account.",
            Owner.FINANCE,
            "Its evidence says why. With balance_insufficient it is tried again by itself: ask the merchant to pay in, "
            "or fund the platform's balance. Else look at {object} in the gateway's dashboard.",
            is_urgent=True,
        ),
        "unexpected_transfer": DiscrepancyKind(
            "A transfer, or what was taken back of one, of no payment that was taken for a merchant.",
            Owner.FINANCE,
            "Made in the gateway's dashboard? Book {object} by hand, and " + _RESOLVE,
        ),
        "unknown_movement": DiscrepancyKind(
            "A movement of a kind that Duly does not book.", Owner.FINANCE, "Book {object} by hand, and " + _RESOLVE
        ),
    }
)

_MISSING = DiscrepancyKind(
    "The ledger has booked what the gateway does not show.",
    Owner.FINANCE,
    "Look for {object} at the gateway; correct the ledger, and " + _RESOLVE,
    is_urgent=True,
)

_UNKNOWN = DiscrepancyKind("A difference.", Owner.FINANCE, _RESOLVE)


def describe(kind: str) -> DiscrepancyKind:
    """Return what a kind means and what helps."""
    return _MISSING if kind.startswith("missing_") else KINDS.get(kind, _UNKNOWN)


def remedy_of(kind: str, *, discrepancy_id: str, object_id: str, number: str) -> str:
    """Return what helps, with the ids filled in."""
    return describe(kind).remedy.format(id=discrepancy_id, object=object_id, number=number or object_id)
