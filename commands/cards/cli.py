"""`cards`: saving a card for an account, and looking after it. A card number is never asked for, nor taken."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import ANSWER_SECONDS, AccountId, After, AsCsv, Json, Limit, Since, Until, WaitSeconds
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.cards.card import CardState

app = typer.Typer(help="Cards: saved by token or on a hosted page, never by number.", no_args_is_help=True)

CardId = Annotated[str, typer.Argument(metavar="CARD", help="Id of a card, such as card_1.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the card.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the card.")]


@app.command("register")
@changes()
def register_card(
    account: AccountId,
    *,
    token: Annotated[
        str, typer.Option("--token", help="The gateway's reference, pm_…; without one a page is opened.")
    ] = "",
    card: Annotated[str, typer.Option("--card", help="An id for the card, card_…; one is made otherwise.")] = "",
    provider: Annotated[
        str, typer.Option("--provider", envvar="DULY_PROVIDER", help="The provider to save it with.")
    ] = "stripe",
    method: Annotated[str, typer.Option("--method", help="The payment method that it belongs to.")] = "card",
    is_recurring: Annotated[bool, typer.Option("--recurring/--no-recurring", help="May runs charge it?")] = True,
    order: Annotated[int, typer.Option("--order", min=1, max=100, help="Its place among the account's cards.")] = 1,
    is_preferred: Annotated[
        bool, typer.Option("--prefer", help="The account pays by this method from now on.")
    ] = False,
    replaces: Annotated[str, typer.Option("--replaces", help="The card that it takes the place of.")] = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Save a card for an account and wait for the gateway's first answer.

    Without a token the answer has the address of a page; its customer gets a link by mail as well.
    """
    from commands.cards.cards import CardOptions, register

    options = CardOptions(token, card, provider, method, is_recurring, order, is_preferred, replaces, wait_seconds)
    perform(lambda output: register(output, account, options), as_json=as_json)


@app.command("show")
def show_card(card: CardId, as_json: Json = False) -> None:
    """Show one card: where it stands, what a receipt may show of it, and what was decided about it."""
    from commands.cards.cards import show

    perform(lambda output: show(output, card), as_json=as_json)


@app.command("list")
def list_cards(
    *,
    account: Annotated[str, typer.Option("--account", help="Only cards of this account.")] = "",
    state: Annotated[CardState | None, typer.Option("--state", help="Only cards in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List cards, the newest first, a page at a time."""
    from commands.cards.cards import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, account_id=account, state=state or ""), as_json=as_json, as_csv=as_csv
    )


@app.command("revalidate")
@changes()
def revalidate_card(card: CardId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Ask the gateway whether a card is good; an accepted one that was blocked may be charged again."""
    _send_update(card, "revalidate", actor, reason, as_json=as_json)


@app.command("block")
@changes()
def block_card(card: CardId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Stop charges to a card until it is validated again."""
    _send_update(card, "block", actor, reason, as_json=as_json)


@app.command("remove")
@changes(final="The card is taken away here and at the gateway.")
def remove_card(card: CardId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Take a card away for good, at the gateway too."""
    _send_update(card, "remove", actor, reason, as_json=as_json)


@app.command("set-default")
@changes()
def set_default(card: CardId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Make a card the first of its account to be charged."""
    _send_update(card, "set_default", actor, reason, as_json=as_json)


@app.command("set-recurring")
@changes()
def set_recurring(
    card: CardId,
    actor: Actor,
    reason: Reason,
    is_recurring: Annotated[bool, typer.Option("--recurring/--no-recurring", help="May runs charge it?")] = True,
    as_json: Json = False,
) -> None:
    """Let runs charge a card, or not."""
    from commands.cards.cards import send_update
    from models.cards.card import RecurringCommand

    command = RecurringCommand(actor, reason, is_recurring=is_recurring)
    perform(lambda output: send_update(output, card, "set_recurring", command), as_json=as_json)


@app.command("resolve")
@changes()
def resolve_card(
    card: CardId,
    actor: Actor,
    reason: Reason,
    gateway_reference: Annotated[
        str, typer.Option("--gateway-reference", help="The gateway's id of the validation; it is checked there.")
    ] = "",
    was_not_asked: Annotated[
        bool, typer.Option("--was-not-asked", help="Decide that the gateway never heard of it; kept with who and why.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what became of a validation whose outcome nobody knows: by the gateway's id, or by decision."""
    from commands.cards.cards import resolve
    from models.operator_command import UnknownResolution

    command = UnknownResolution(actor, reason, gateway_reference, was_not_asked)
    perform(lambda output: resolve(output, card, command), as_json=as_json)


@app.command("prefer")
@changes()
def prefer_method(
    account: AccountId,
    method: Annotated[
        str, typer.Option("--method", help="How it pays: a provider's method, or one by which it pays itself.")
    ] = "card",
    actor: Actor = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the account.")] = "",
    as_json: Json = False,
) -> None:
    """Let an account pay by a method from now on. By one of no provider it pays itself, and runs leave it alone; by a
    wallet's, runs take from the wallet first and ask the card for the rest."""
    from commands.cards.cards import prefer
    from commands.changing.changes import person_of

    who = person_of(actor)
    perform(lambda output: prefer(output, account, method, actor=who, reason=reason), as_json=as_json)


@app.command("adopt")
@changes()
def adopt_cards(
    account: Annotated[str, typer.Option("--account", help="Only cards of this account.")] = "",
    as_json: Json = False,
) -> None:
    """Start the workflows of active cards that have none, such as imported ones. A repeat changes nothing."""
    from commands.cards.cards import adopt

    perform(lambda output: adopt(output, account), as_json=as_json)


def _send_update(card: str, update: str, actor: str, reason: str, *, as_json: bool) -> None:
    from commands.cards.cards import send_update
    from models.operator_command import OperatorCommand

    perform(lambda output: send_update(output, card, update, OperatorCommand(actor, reason)), as_json=as_json)
