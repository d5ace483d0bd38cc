"""Creating, changing, pausing, resuming and ending subscriptions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from activities.subscriptions.subscriptions import Subscriptions
from commands.output import Output, table
from commands.session import database_of, read_settings
from commands.subscriptions.options import minor_of
from commands.subscriptions.showing import change_rows, changes_document
from commands.updates import require_who_and_why
from models.imports.rows import ID_MEANING, ID_PATTERN
from models.problem import refusal
from models.subscriptions import orders
from models.subscriptions.cycle import Term
from models.subscriptions.discounts import discount_of
from models.subscriptions.stored import Plan, StoredSubscription


@dataclass(frozen=True)
class Asked:
    """What is asked for on the command line; amounts in major units, what is empty stays as it is."""

    product: str
    price: str
    quantity: int | None
    term: Term | None
    billing_day: int | None
    discount: str
    discount_until: date | None
    for_periods: int

    def terms(self, currency: str) -> orders.TermsAsked:
        """Read it in a currency. Raises RefusedError."""
        return orders.TermsAsked(
            self.product or None,
            minor_of(self.price, currency),
            self.quantity,
            self.term,
            self.billing_day,
            discount_of(self.discount, self.discount_until, self.for_periods, currency),
        )


@dataclass(frozen=True)
class NewSubscription:
    """A subscription to create."""

    account: str
    name: str
    asked: Asked
    starts_on: date | None
    ends_on: date | None
    trial_days: int
    trial_until: date | None


async def create(output: Output, new: NewSubscription, *, actor: str, reason: str) -> None:
    """Create a subscription. Raises RefusedError, or RuleBrokenError when the id means another one."""
    require_who_and_why(actor, reason)
    if new.trial_days and new.trial_until:
        raise refusal("trial_until", "one_end", "give the days of the trial or its end, not both")
    subscription_id = new.name or f"sub_{uuid4().hex[:24]}"
    if not ID_PATTERN.match(subscription_id):
        raise refusal("id", "id_format", ID_MEANING)
    async with database_of(read_settings()) as database:
        subscriptions = Subscriptions(database)
        account = await subscriptions.account(new.account)
        starts_on = new.starts_on or datetime.now(UTC).astimezone(ZoneInfo(account.time_zone)).date()
        trial = orders.trial_end(starts_on, new.trial_days, new.trial_until)
        asked = new.asked.terms(account.currency)
        change = orders.creation(account.currency, asked, starts_on, trial=trial, ends_on=new.ends_on)
        is_new = await subscriptions.create(
            subscription_id, new.account, account.currency, change, actor=actor, reason=reason
        )
    outcome = "created" if is_new else "unchanged"
    rows = [("Change", outcome), *change_rows([change], account.currency)]
    output.answer(
        {"subscription": subscription_id, "outcome": outcome, "changes": changes_document([change])},
        table("", "Subscription", subscription_id, rows=rows),
    )


async def change(
    output: Output, subscription: str, asked: Asked, from_on: date | None, *, actor: str, reason: str
) -> None:
    """Change what a subscription is from a day on."""
    await _write(
        output,
        subscription,
        lambda stored: orders.changed(stored, asked.terms(stored.currency), from_on),
        actor=actor,
        reason=reason,
    )


async def pause(
    output: Output, subscription: str, from_on: date | None, until: date | None, *, actor: str, reason: str
) -> None:
    """Pause a subscription."""
    await _write(output, subscription, lambda stored: orders.paused(stored, from_on, until), actor=actor, reason=reason)


async def resume(output: Output, subscription: str, from_on: date | None, *, actor: str, reason: str) -> None:
    """Resume a subscription."""
    await _write(output, subscription, lambda stored: orders.resumed(stored, from_on), actor=actor, reason=reason)


async def end(output: Output, subscription: str, on: date | None, *, actor: str, reason: str) -> None:
    """End a subscription."""
    await _write(output, subscription, lambda stored: orders.ended(stored, on), actor=actor, reason=reason)


async def _write(
    output: Output, subscription: str, plan: Callable[[StoredSubscription], Plan], *, actor: str, reason: str
) -> None:
    """Plan and write. What is so already is not written again, so that a command can be given twice."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        subscriptions = Subscriptions(database)
        stored = await subscriptions.require(subscription)
        planned = plan(stored)
        if planned.changes:
            await subscriptions.change(stored, planned, actor=actor, reason=reason)
    outcome = "changed" if planned.changes else "unchanged"
    rows: list[tuple[str, Any]] = [("Change", outcome), *change_rows(planned.changes, stored.currency)]
    output.answer(
        {"subscription": subscription, "outcome": outcome, "changes": changes_document(planned.changes)},
        table("", "Subscription", subscription, rows=rows),
    )
