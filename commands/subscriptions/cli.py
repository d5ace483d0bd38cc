"""`subscriptions`: what accounts buy, for how long, and at what price."""

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, After, AsCsv, Json, Limit, Since, Until, day_of
from commands.options import list_page as list_page_of
from commands.runner import perform
from commands.subscriptions.options import (
    Actor,
    BillingDay,
    DiscountText,
    DiscountUntil,
    ForPeriods,
    Quantity,
    Reason,
    SubscriptionId,
    TermOption,
)

app = typer.Typer(
    help="Subscriptions: create, look up, change, pause, end. Each day is billed once; docs/billing.md says how.",
    no_args_is_help=True,
)


class SubscriptionState(StrEnum):
    """What a subscription is today."""

    PLANNED = "planned"
    IN_TRIAL = "in_trial"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


@app.command("create")
@changes()
def create_subscription(
    account: AccountId,
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Id of a product.")],
    price: Annotated[str, typer.Option("--price", help="Price of one piece for one billing period before tax: 9.99.")],
    actor: Actor,
    reason: Reason,
    *,
    name: Annotated[
        str, typer.Option("--id", help="Its id: creating the same twice under one id is one. Else one is made.")
    ] = "",
    quantity: Quantity = None,
    term: TermOption = None,
    billing_day: BillingDay = None,
    starts_on: Annotated[
        date | None, typer.Option("--starts-on", parser=day_of, metavar="DAY", help="First day; else today.")
    ] = None,
    ends_on: Annotated[
        date | None, typer.Option("--ends-on", parser=day_of, metavar="DAY", help="First day without it.")
    ] = None,
    trial_days: Annotated[int, typer.Option("--trial-days", min=0, max=3660, help="So many days cost nothing.")] = 0,
    trial_until: Annotated[
        date | None, typer.Option("--trial-until", parser=day_of, metavar="DAY", help="First day that costs.")
    ] = None,
    discount: DiscountText = "",
    discount_until: DiscountUntil = None,
    for_periods: ForPeriods = 0,
    as_json: Json = False,
) -> None:
    """Create a subscription. It is billed by day from its first day on, with the next billing run.

    Without a billing day, periods begin on the day of the month on which it starts.
    """
    from commands.subscriptions.making import Asked, NewSubscription, create

    asked = Asked(product, price, quantity, term, billing_day, discount, discount_until, for_periods)
    new = NewSubscription(account, name, asked, starts_on, ends_on, trial_days, trial_until)
    perform(lambda output: create(output, new, actor=actor, reason=reason), as_json=as_json)


@app.command("list")
def list_subscriptions(
    account: Annotated[str, typer.Option("--account", help="Only subscriptions of this account.")] = "",
    state: Annotated[SubscriptionState | None, typer.Option("--state", help="Only those that are so today.")] = None,
    *,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List subscriptions, the newest first, a page at a time."""
    from commands.subscriptions.showing import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, account_id=account, state=state or ""),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("show")
def show_subscription(subscription: SubscriptionId, as_json: Json = False) -> None:
    """Show a subscription: its terms today, what it is billed next, and who changed what and why."""
    from commands.subscriptions.showing import show

    perform(lambda output: show(output, subscription), as_json=as_json)
