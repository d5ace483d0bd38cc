"""From what a subscription owes to the invoice and the credit note to post, as the ledger takes them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from models.gateway.amounts import charge_step
from models.money import Money, vat_of
from models.period import Period
from models.runs.billing import CannotBillError, rounded_price, rounding_line, rounding_note
from models.subscriptions.billing import BillableSubscription, BilledLine, BilledProduct, Entry, creditable, owed_in
from models.subscriptions.cycle import DateRange
from models.subscriptions.timeline import Segment, SubscriptionTerms


@dataclass(frozen=True)
class Bill:
    """What a run posts of a subscription, and what it was when that was worked out; without documents, why not."""

    member_id: str
    billings: int
    version: int
    billed_until: date
    invoice: Mapping[str, Any] | None
    credit_note: Mapping[str, Any] | None
    reason: str


def bill_of(subscription: BillableSubscription, month: Period) -> Bill:
    """Return what to post in a month's run. Raises CannotBillError (currency_of_account)."""
    if subscription.currency != subscription.account_currency:
        raise CannotBillError("currency_of_account")
    owed = owed_in(subscription, month)
    billing_day = subscription.timeline.terms_on(month.starts_on).cycle.billing_day
    issued_on = month.anchor_on(billing_day)
    charged = [line for entry in owed.charges for line in _charged(entry, subscription)]
    left = _Remaining(subscription.billed)
    credited = [line for entry in owed.credits for line in _credited(entry, subscription, left)]
    return Bill(
        subscription.id,
        subscription.billings,
        subscription.version,
        owed.until,
        _document(subscription, "billing", issued_on, charged) if charged else None,
        _document(subscription, "billing-credit", issued_on, credited) | left.addressed if credited else None,
        owed.reason,
    )


def _document(
    subscription: BillableSubscription, kind: str, issued_on: date, lines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "key": f"{kind}:{subscription.id}:{subscription.billings + 1}",
        "account_id": subscription.account_id,
        "currency": subscription.currency,
        "issued_on": issued_on.isoformat(),
        "lines": list(lines),
    }


def _charged(entry: Entry, subscription: BillableSubscription) -> Iterator[dict[str, Any]]:
    """Return the lines of a charge. What is less than the gateway's step is left out with the rounding (0111)."""
    product, currency = subscription.products[entry.product_id], subscription.currency
    try:
        price = rounded_price(entry.amount_minor, product.tax_percent, currency)
    except CannotBillError:
        return
    terms = entry.segment.terms
    is_whole = entry.segment.is_whole and entry.before is None
    discount = terms.list_minor - entry.amount_minor if is_whole else 0
    yield {
        "product_id": entry.product_id,
        "description": f"{_text(entry, product, currency)}{rounding_note(price, currency)}",
        "quantity": terms.quantity if is_whole else 1,
        "unit_price_minor": terms.price_minor if is_whole else entry.amount_minor,
        "discount_minor": discount + price.discount_minor,
        "net_minor": price.net_minor,
        "tax_rate_id": product.tax_rate_id,
        "tax_minor": price.tax_minor,
        "total_minor": price.net_minor + price.tax_minor,
        **_days(entry.days),
    }
    if price.untaxed_minor:
        yield rounding_line(entry.product_id, price.untaxed_minor) | _days(entry.days)


def _credited(entry: Entry, subscription: BillableSubscription, left: "_Remaining") -> Iterator[dict[str, Any]]:
    """Return the lines of a credit: at the tax rate that was charged, and never more than was charged for its days."""
    product, currency = subscription.products[entry.product_id], subscription.currency
    of_days = creditable(subscription.billed, entry.product_id, entry.days)
    charged = [line for line in of_days if line.net_minor > 0]
    if not charged:
        return
    newest = max(charged, key=lambda line: (line.period_from, line.tax_percent))
    net, tax, untaxed = left.take(of_days, -entry.amount_minor, newest.tax_percent, charge_step(currency))
    if net:
        yield {
            "product_id": entry.product_id,
            "description": _text(entry, product, currency),
            "quantity": 1,
            "unit_price_minor": net,
            "discount_minor": 0,
            "net_minor": net,
            **_tax_rate(newest, product),
            "tax_minor": tax,
            "total_minor": net + tax,
            **_days(entry.days),
        }
    if untaxed:
        yield rounding_line(entry.product_id, untaxed) | _days(entry.days)


class _Remaining:
    """What is left to credit of each invoice while a credit note is made."""

    def __init__(self, billed: Sequence[BilledLine]) -> None:
        self._net = sum(line.net_minor for line in billed if line.is_open_to_credit)
        self._total = sum(line.total_minor for line in billed if line.is_open_to_credit)
        self._invoices: dict[str, None] = {}

    @property
    def addressed(self) -> dict[str, Any]:
        """The invoices that were credited, for the note."""
        return {"invoices": list(self._invoices)}

    def take(self, lines: Sequence[BilledLine], wanted_minor: int, percent: Decimal, step: int) -> tuple[int, int, int]:
        """Take an amount before tax, rounded up to the gateway's step; return net, its tax, and what is without tax.

        The taxes of parts may be rounded up to more than the tax of the whole: what is beyond it is credited without.
        """
        net = max(0, min(wanted_minor, self._net, sum(line.net_minor for line in lines)))
        taxed = net
        while vat_of(taxed, percent) > self._total - self._net:
            taxed -= 1
        tax = vat_of(taxed, percent)
        total = min(-(-(net + tax) // step) * step, self._total)
        untaxed = total - taxed - tax
        self._net -= taxed + untaxed
        self._total -= total
        self._invoices.update(dict.fromkeys(line.transaction_id for line in lines if line.net_minor > 0))
        return taxed, tax, untaxed


def _tax_rate(billed: BilledLine, product: BilledProduct) -> dict[str, Any]:
    """Name the rate where it is still the one that was charged, else only its percentage."""
    if billed.tax_rate_id == product.tax_rate_id and billed.tax_percent == (product.tax_percent or 0):
        return {"tax_rate_id": product.tax_rate_id}
    return {"tax_rate": str(billed.tax_percent)}


def _days(days: DateRange) -> dict[str, str]:
    return {"period_from": days.starts_on.isoformat(), "period_to": days.ends_on.isoformat()}


def _text(entry: Entry, product: BilledProduct, currency: str) -> str:
    now, before = entry.segment, entry.before
    if before is None:
        return f"{product.name}{_parts(now, currency)}"
    if now.is_free or now.terms.product_id != entry.product_id:
        return f"{product.name}, not used{_parts(before, currency)}"
    was = "nothing" if before.is_free else _price_paid(before.terms, currency)
    return f"{product.name}, {_price_paid(now.terms, currency)} instead of {was}{_share_of(now)}"


def _parts(segment: Segment, currency: str) -> str:
    """Say which part of a period it is, where it is not all, and what is taken off."""
    off = _taken_off(segment.terms, currency)
    part = "" if segment.is_whole else f"{_price(segment.terms, currency)}{_share_of(segment)}"
    return "".join(f", {text}" for text in (part, off) if text)


def _taken_off(terms: SubscriptionTerms, currency: str) -> str:
    discount = terms.discount
    if discount.amount_minor:
        return f"{Money(discount.amount_minor, currency)} off"
    return f"{discount.percent.normalize():f} % off" if discount.percent else ""


def _price_paid(terms: SubscriptionTerms, currency: str) -> str:
    """Say a price with what is taken off, for the discount may be all that was changed."""
    off = _taken_off(terms, currency)
    return f"{_price(terms, currency)} ({off})" if off else _price(terms, currency)


def _price(terms: SubscriptionTerms, currency: str) -> str:
    price = Money(terms.price_minor, currency)
    each = f"{price} a {terms.cycle.term}"
    return each if terms.quantity == 1 else f"{terms.quantity} x {each}"


def _share_of(segment: Segment) -> str:
    days = segment.days
    part = f", {days.starts_on} to {days.last_on}"
    return part if segment.is_whole else f"{part}: {days.length} of {segment.period.length} days"
