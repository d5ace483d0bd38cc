"""What a person asks of a subscription, and the dated changes that make it so; refusals name a field and a rule."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from models.gateway.amounts import charge_step, steps_text
from models.money import AMOUNT_MINOR_MAX
from models.problem import refusal
from models.subscriptions.cycle import BillingCycle, Term
from models.subscriptions.stored import Known, Plan, StoredSubscription, anchor_of
from models.subscriptions.timeline import ChangeKind, DatedChange, Discount, SubscriptionTerms

PERIODS_MAX = 1200


@dataclass(frozen=True)
class DiscountAsked:
    """A discount, and its end: a day, or a number of billing periods; neither is for ever."""

    percent: Decimal = Decimal(0)
    amount_minor: int = 0
    until: date | None = None
    periods: int = 0

    def ends_on(self, begins_on: date, cycle: BillingCycle) -> date | None:
        """Return the first day without it, when it begins on a day."""
        if not self.periods:
            return self.until
        end = begins_on
        for _ in range(self.periods):
            end = cycle.period_of(end).ends_on
        return end


@dataclass(frozen=True)
class TermsAsked:
    """What is to hold from a day on; what is None stays as it is."""

    product_id: str | None = None
    price_minor: int | None = None
    quantity: int | None = None
    term: Term | None = None
    billing_day: int | None = None
    discount: DiscountAsked | None = None

    @property
    def moves_periods(self) -> bool:
        """Whether billing periods begin on other days with it."""
        return self.term is not None or self.billing_day is not None

    @property
    def is_only_a_discount(self) -> bool:
        """Whether it leaves everything else as it is."""
        return self.discount is not None and self == TermsAsked(discount=self.discount)


def creation(
    currency: str, asked: TermsAsked, starts_on: date, *, trial: date | None, ends_on: date | None
) -> DatedChange:
    """Return the first change of a new subscription: product and price must be asked for. Raises RefusedError."""
    if asked.product_id is None or asked.price_minor is None:
        raise refusal("price", "terms_complete", "a subscription needs a product and a price")
    billing_day, term = asked.billing_day or starts_on.day, asked.term or Term.MONTH
    cycle = BillingCycle(term, billing_day, anchor_of(billing_day, starts_on))
    terms = SubscriptionTerms(asked.product_id, asked.price_minor, asked.quantity or 1, cycle)
    _check_price(terms, currency)
    if ends_on is not None and ends_on <= starts_on:
        raise refusal("ends_on", "ends_after_start", f"{ends_on} is not after {starts_on}")
    if trial is not None and trial <= starts_on:
        raise refusal("trial", "trial_after_start", f"{trial} is not after {starts_on}")
    change = DatedChange(1, starts_on, terms.product_id, terms.price_minor, terms.quantity, kind=ChangeKind.CREATED)
    change = replace(change, term_months=term.months, billing_day=billing_day, anchor_on=cycle.anchor_on)
    change = replace(change, trial_ends_on=trial, ends_on=ends_on)
    return _with_discount(change, asked.discount, cycle, trial or starts_on)


def changed(stored: StoredSubscription, asked: TermsAsked, from_on: date | None) -> Plan:
    """Plan other terms from a day on: today, or with the next period where that says nothing. Raises RefusedError."""
    if asked == TermsAsked():
        raise refusal("change", "something_changes", "say what is to change")
    known = Known(stored)
    if from_on is None:
        from_on = known.new_from if asked.moves_periods or asked.is_only_a_discount else stored.today
        from_on = max(from_on, stored.starts_on)
    known.require_open(from_on)
    before = known.timeline.terms_on(from_on)
    billing_day = asked.billing_day or before.cycle.billing_day
    term = asked.term or before.cycle.term
    if (term, billing_day) == (before.cycle.term, before.cycle.billing_day):
        cycle = before.cycle
    else:
        _require_start_of_period(known, from_on, before.cycle)
        cycle = BillingCycle(term, billing_day, anchor_of(billing_day, from_on))
    after = SubscriptionTerms(
        before.product_id if asked.product_id is None else asked.product_id,
        before.price_minor if asked.price_minor is None else asked.price_minor,
        before.quantity if asked.quantity is None else asked.quantity,
        cycle,
        _discount_of(asked.discount, before.discount, cycle, from_on),
        before.is_paused,
    )
    _check_price(after, stored.currency)
    if after == before:
        return Plan()
    change = DatedChange(0, from_on, asked.product_id, asked.price_minor, asked.quantity)
    if cycle != before.cycle:
        months = term.months
        change = replace(change, term_months=months, billing_day=billing_day, anchor_on=cycle.anchor_on)
    return known.plan(_with_discount(change, asked.discount, cycle, from_on))


def paused(stored: StoredSubscription, from_on: date | None, until: date | None) -> Plan:
    """Plan a pause from a day on, today if it says nothing, and its end if it has one. Raises RefusedError.

    It takes the place of what was planned for its days: a day within it on which it was to be resumed stays paused.
    """
    known = Known(stored)
    from_on = from_on or stored.today
    known.require_open(from_on)
    if until is not None and until <= from_on:
        raise refusal("until", "ends_after_start", f"{until} is not after {from_on}")
    if until is not None and stored.ends_on is not None and until >= stored.ends_on:
        until = None
    days = [from_on, *(day for day in known.resumed_days if day > from_on and (until is None or day < until))]
    pauses = [
        DatedChange(0, day, is_paused=True, kind=ChangeKind.PAUSED)
        for day in days
        if not known.timeline.terms_on(day).is_paused
    ]
    if until is not None and (until not in known.resumed_days or known.timeline.terms_on(until).is_paused):
        pauses.append(DatedChange(0, until, is_paused=False, kind=ChangeKind.RESUMED))
    return known.plan(*pauses) if pauses else Plan()


def resumed(stored: StoredSubscription, from_on: date | None) -> Plan:
    """Plan the end of a pause: today if no day is given. Raises RefusedError.

    Where it is not paused then, the pauses that are planned for later are called off.
    """
    known = Known(stored)
    from_on = from_on or stored.today
    known.require_open(from_on)
    is_paused = known.timeline.terms_on(from_on).is_paused
    days = [from_on] if is_paused else [day for day in known.paused_days if day > from_on]
    ends = [
        DatedChange(0, day, is_paused=False, kind=ChangeKind.RESUMED)
        for day in days
        if known.timeline.terms_on(day).is_paused
    ]
    return known.plan(*ends) if ends else Plan()


def ended(stored: StoredSubscription, on: date | None) -> Plan:
    """Plan the end: the first day without it, or when no day is given that of what is billed. Raises RefusedError.

    One that has not begun never does, unless the day lies behind its first: its end is its first day then.
    """
    known = Known(stored)
    has_begun = stored.starts_on <= stored.today
    if not has_begun and (on is None or on <= stored.starts_on):
        on = stored.starts_on
    elif on is None:
        cycle = known.timeline.terms_on(stored.today).cycle
        on = known.new_from if known.new_from > stored.today else cycle.period_of(stored.today).ends_on
    if has_begun and on <= stored.starts_on:
        raise refusal("on", "ends_after_start", f"{on} is not after {stored.starts_on}")
    if on == stored.ends_on:
        return Plan()
    from_on = on if stored.ends_on is None else min(on, stored.ends_on)
    known.require_reached(from_on, "on")
    return known.plan(DatedChange(0, from_on, ends_on=on, kind=ChangeKind.ENDED))


def _require_start_of_period(known: Known, from_on: date, cycle: BillingCycle) -> None:
    if from_on < known.new_from or cycle.period_of(from_on).starts_on != from_on:
        problem = f"term and billing day change with a period that is not billed: {known.new_from} or later"
        raise refusal("from", "starts_a_period", problem)


def _check_price(terms: SubscriptionTerms, currency: str) -> None:
    if not 1 <= terms.quantity <= 1_000_000:
        raise refusal("quantity", "whole_number_in_range", f"{terms.quantity} is not within 1 to 1000000")
    if not 1 <= terms.cycle.billing_day <= 31:
        raise refusal("billing_day", "whole_number_in_range", f"{terms.cycle.billing_day} is not within 1 to 31")
    if terms.price_minor <= 0:
        raise refusal("price", "amount_positive", "must be more than nothing")
    if terms.list_minor > AMOUNT_MINOR_MAX:
        raise refusal("quantity", "amount_at_most", "price times quantity is more than one invoice can carry")
    if terms.list_minor < charge_step(currency):
        raise refusal("price", "amount_in_steps", f"a period costs less than one step: {steps_text(currency)}")


def _discount_of(asked: DiscountAsked | None, before: Discount, cycle: BillingCycle, from_on: date) -> Discount:
    if asked is None:
        return before
    if not asked.percent and not asked.amount_minor:
        return Discount()
    return Discount(asked.percent, asked.amount_minor, _end_of(asked, from_on, cycle))


def _with_discount(
    change: DatedChange, asked: DiscountAsked | None, cycle: BillingCycle, begins_on: date
) -> DatedChange:
    if asked is None:
        return change
    return replace(
        change,
        discount_percent=asked.percent if asked.percent or not asked.amount_minor else None,
        discount_minor=asked.amount_minor or None,
        discount_until=_end_of(asked, begins_on, cycle),
    )


def _end_of(asked: DiscountAsked, begins_on: date, cycle: BillingCycle) -> date | None:
    if not 0 <= asked.percent <= 100:
        raise refusal("discount", "percent_in_range", f"{asked.percent} % is not within 0 to 100")
    if not 0 <= asked.periods <= PERIODS_MAX:
        raise refusal("for_periods", "whole_number_in_range", f"{asked.periods} is not within 1 to {PERIODS_MAX}")
    end = asked.ends_on(begins_on, cycle)
    if end is not None and end <= begins_on:
        raise refusal("discount_until", "ends_after_start", f"{end} is not after {begins_on}")
    return end


def trial_end(starts_on: date, days: int, until: date | None) -> date | None:
    """Return the first day after a trial of so many days, or until a day; None without one."""
    return until or (starts_on + timedelta(days=days) if days else None)
