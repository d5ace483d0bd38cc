"""Saving cards, showing them, and commands to their workflows."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.cards.queries import CardQueries
from commands.collection_signals import signal_collections
from commands.formatting import document, expiry, moment
from commands.links import link_line, workflow_link
from commands.lists.next_actions import next_action, next_document, next_fact
from commands.lists.paging import answer_list, state_word
from commands.output import Output, counting, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import ask, start_and_ask
from models.cards.card import Card, CardRegistration, CardRequest, InvalidCardError, ValidationOutcome, ValidationResult
from models.listing import ListPage
from models.operator_command import OperatorCommand, UnknownResolution
from models.payments.preference import preference_number
from models.problem import RefusedError, refusal
from models.workflow_ids import WORKFLOW_QUEUE, card_id
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.visibility import card_label

IN_FLIGHT = 20
PAGE = 500

# What the gateway says of a payment method that it does not have.
_MISSING = "resource_missing"


@dataclass(frozen=True)
class CardOptions:
    """What may be given for a card when it is registered."""

    token: str
    card: str
    provider: str
    method: str
    is_recurring: bool
    order: int
    is_preferred: bool
    replaces: str
    wait_seconds: float


async def register(output: Output, account_id: str, options: CardOptions) -> None:
    """Start a card's workflow and say what the gateway answered first: refused, unless it takes the card.

    Raises RefusedError naming the rule: it may not be registered, or the gateway has no such token.
    """
    registration = _registration(account_id, options)
    settings = read_settings()
    workflow_id = card_id(registration.card_id)

    def operation() -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            CardLifecycle.run,
            CardRequest(registration.card_id, registration.provider, registration),
            id=workflow_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            **card_label(registration.card_id, account=account_id, provider=registration.provider),
        )

    client = await temporal_for_orders(settings)
    try:
        first = await start_and_ask(
            client,
            operation,
            "first_outcome",
            ValidationResult,
            workflow_id=workflow_id,
            noun="card",
            wait_seconds=options.wait_seconds,
        )
    except WorkflowAlreadyStartedError as error:
        raise refusal("card", "card_id_is_free", f"{registration.card_id} has been registered before") from error
    if first.outcome is ValidationOutcome.INVALID_REQUEST:
        raise _refused_by_gateway(registration, first)
    link = workflow_link(settings, workflow_id)
    shown = [("Outcome", first.outcome), ("Why", first.reason), ("Page", first.url)]
    output.answer(
        {"card": registration.card_id, "first_outcome": asdict(first), "link": link},
        table("", "Card", registration.card_id, rows=[row for row in shown if row[1]]),
        *link_line(link),
        is_good=first.outcome is not ValidationOutcome.REJECTED,
    )


def _refused_by_gateway(registration: CardRegistration, first: ValidationResult) -> RefusedError:
    """Return why the gateway takes no validation of a card: it has no such token, or refuses it for another reason."""
    ended = f"{registration.card_id} is rejected"
    if registration.token and first.code == _MISSING:
        return refusal("token", "token_is_known", f"the gateway has no such token ({first.code}); {ended}")
    field = "token" if registration.token else "card"
    return refusal(field, "gateway_takes_it", f"the gateway does not take it ({first.reason}); {ended}")


def _registration(account_id: str, options: CardOptions) -> CardRegistration:
    try:
        return CardRegistration(
            options.card or f"card_{uuid4().hex}",
            account_id,
            options.provider,
            options.method,
            options.token,
            options.is_recurring,
            options.order,
            options.is_preferred,
            options.replaces,
        )
    except InvalidCardError as error:
        field, _, message = str(error).partition(": ")
        raise refusal(field, "card_by_token_only", message) from error


async def show(output: Output, card: str) -> None:
    """Show one card."""
    settings = read_settings()
    found = await _found(card)
    action = await next_action(settings, card_id(card))
    link = workflow_link(settings, card_id(card))
    output.answer(
        {**document(found), **next_document(action), "link": link},
        table("", "Card", card, rows=[*_facts(found), *next_fact(action)]),
        table("Decisions", "What was decided", rows=[(decision,) for decision in found.decisions]),
        *link_line(link),
    )


async def list_page(output: Output, page: ListPage, *, account_id: str, state: str) -> None:
    """List a page of cards, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await CardQueries(database).page(page, account_id=account_id, state=state)
    columns = {
        "Card": lambda row: row.id,
        "Account": lambda row: row.account_id,
        "Label": lambda row: f"{row.brand} {row.last4}",
        "Until": expiry,
        "State": state_word,
        "Why": lambda row: row.state_reason,
        "Order>": lambda row: row.fallback_order,
    }
    await answer_list(output, settings, "cards", listed, columns, workflow_id=lambda row: card_id(row.id))


async def send_update(output: Output, card: str, update: str, command: OperatorCommand) -> None:
    """Ask a card's workflow for something, and show the card as it is then. Raises RefusedError with its reason."""
    settings = read_settings()
    found = await _found(card)
    client = await temporal_for_orders(settings)
    await _ensure_running(client, card, found.provider_id)
    answered = await ask(client, card_id(card), update, command, Card, noun="card")
    shown = [("State", answered.state), ("Why", answered.state_reason), ("Order", answered.fallback_order)]
    output.answer({"card": card, "answer": asdict(answered)}, table("", "Card", card, rows=shown))


async def resolve(output: Output, card: str, command: UnknownResolution) -> None:
    """Settle an unknown validation of a card. Raises RefusedError with its workflow's reason."""
    client = await temporal_for_orders(read_settings())
    answered = await ask(client, card_id(card), "resolve_unknown", command, ValidationResult, noun="card")
    shown = [("Outcome", answered.outcome), ("Why", answered.reason)]
    output.answer({"card": card, "answer": asdict(answered)}, table("", "Card", card, rows=shown))


async def prefer(output: Output, account_id: str, method: str, *, actor: str, reason: str) -> None:
    """Switch an account's preferred method, and let its open collections look at it."""
    settings = read_settings()
    async with database_of(settings) as database:
        preference = await CardQueries(database).prefer(account_id, method, actor=actor, reason=reason)
        signals = await signal_collections(output, database, settings, [account_id], signal="card_changed")
    output.answer(
        {"account": account_id, "method": method, "preference": preference, **signals},
        f"{account_id} pays by {method} from now on ({preference}).",
    )


async def adopt(output: Output, account_id: str) -> None:
    """Start the workflows of cards that have none."""
    settings = read_settings()
    client = await temporal_for_orders(settings)
    cards = adopted = 0
    after = ""
    async with database_of(settings) as database:
        with counting("Adopting", 0) as advance:
            while rows := await CardQueries(database).behind(after, account_id=account_id, limit=PAGE):
                gate = asyncio.Semaphore(IN_FLIGHT)
                started = await asyncio.gather(*(_start(client, row, gate) for row in rows))
                cards, adopted, after = cards + len(rows), adopted + sum(started), rows[-1].id
                advance(len(rows))
    output.answer({"cards": cards, "adopted": adopted}, f"{adopted} of {cards} active cards were without a workflow.")


async def _start(client: Client, row: Row[Any], gate: asyncio.Semaphore) -> bool:
    async with gate:
        try:
            await client.start_workflow(
                CardLifecycle.run,
                CardRequest(row.id, row.provider_id),
                id=card_id(row.id),
                task_queue=WORKFLOW_QUEUE,
                **card_label(row.id, account=row.account_id, provider=row.provider_id),
            )
        except WorkflowAlreadyStartedError:
            return False
    return True


async def _ensure_running(client: Client, card: str, provider: str) -> None:
    """Make sure that the card's workflow runs, and has read the card."""

    def operation() -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            CardLifecycle.run,
            CardRequest(card, provider),
            id=card_id(card),
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **card_label(card, provider=provider),
        )

    await start_and_ask(client, operation, "check", Card, workflow_id=card_id(card), noun="card")


async def _found(card: str) -> Row[Any]:
    async with reading_database_of(read_settings()) as database:
        found = await CardQueries(database).find(card)
    if found is None:
        raise refusal("card", "card_exists", f"there is no card {card!r}")
    return found


def _label(row: Row[Any]) -> str:
    return f"{row.brand} {row.last4}".strip()


def _facts(found: Row[Any]) -> list[tuple[str, object]]:
    facts = [
        ("Account", found.account_id),
        ("Provider", found.provider_id),
        ("Method", f"{found.method}{', preferred' if found.is_preferred else ''}"),
        ("Preference", preference_number(found.preference)),
        ("Label", _label(found)),
        ("Until", expiry(found)),
        ("State", f"{found.state} {found.state_reason}".strip()),
        ("Runs", "charge it" if found.is_recurring else "do not charge it"),
        ("Order", found.fallback_order),
        ("Replaces", found.replaces_id),
        ("Registered", moment(found.created_at)),
        ("Last checked", moment(found.checked_at)),
    ]
    return [(name, value) for name, value in facts if value]
