"""`subscriptions change`, `pause`, `resume` and `end`."""

from datetime import date
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Json, day_of
from commands.runner import perform
from commands.subscriptions.options import (
    Actor,
    BillingDay,
    DiscountText,
    DiscountUntil,
    ForPeriods,
    FromDay,
    Price,
    Quantity,
    Reason,
    SubscriptionId,
    TermOption,
)

app = typer.Typer()


@app.command("change")
@changes()
def change_subscription(
    subscription: SubscriptionId,
    actor: Actor,
    reason: Reason,
    *,
    product: Annotated[str, typer.Option("--product", help="Id of another product.")] = "",
    price: Price = "",
    quantity: Quantity = None,
    term: TermOption = None,
    billing_day: BillingDay = None,
    discount: DiscountText = "",
    discount_until: DiscountUntil = None,
    for_periods: ForPeriods = 0,
    from_on: Annotated[
        date | None,
        typer.Option(
            "--from",
            parser=day_of,
            metavar="DAY",
            help="First day on which it holds; else today, or with the next period: discount, term, billing day.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change what a subscription is from a day on. What was billed stays; the next billing run settles the difference.

    Days that became dearer are charged, days that became cheaper are credited, each by its share of its billing period.
    A discount of 0% ends the one before.
    """
    from commands.subscriptions.making import Asked, change

    asked = Asked(product, price, quantity, term, billing_day, discount, discount_until, for_periods)
    perform(lambda output: change(output, subscription, asked, from_on, actor=actor, reason=reason), as_json=as_json)


@app.command("pause")
@changes()
def pause_subscription(
    subscription: SubscriptionId,
    actor: Actor,
    reason: Reason,
    from_on: FromDay = None,
    until: Annotated[
        date | None, typer.Option("--until", parser=day_of, metavar="DAY", help="First day on which it goes on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pause a subscription: its days cost nothing until it is resumed. Days that are billed already are credited."""
    from commands.subscriptions.making import pause

    perform(lambda output: pause(output, subscription, from_on, until, actor=actor, reason=reason), as_json=as_json)


@app.command("resume")
@changes()
def resume_subscription(
    subscription: SubscriptionId, actor: Actor, reason: Reason, from_on: FromDay = None, as_json: Json = False
) -> None:
    """Resume a paused subscription: from that day on it is billed again. A pause that has not begun is called off."""
    from commands.subscriptions.making import resume

    perform(lambda output: resume(output, subscription, from_on, actor=actor, reason=reason), as_json=as_json)


@app.command("end")
@changes()
def end_subscription(
    subscription: SubscriptionId,
    actor: Actor,
    reason: Reason,
    on: Annotated[
        date | None,
        typer.Option(
            "--on", parser=day_of, metavar="DAY", help="First day without it; else when the billed period is over."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """End a subscription, by default when what is billed is over. Days that are billed beyond the end are credited.

    One that has not begun never begins, and is billed nothing.
    """
    from commands.subscriptions.making import end

    perform(lambda output: end(output, subscription, on, actor=actor, reason=reason), as_json=as_json)
