"""Connecting, showing and disconnecting merchants' own accounts at the gateway (P4, P8 to P12)."""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from activities.database import Database
from activities.merchants.connections import (
    MerchantConnectionActivities,
    MerchantConnectionQueries,
    load_connection,
    open_connection,
)
from activities.reductions.merchants import Merchants
from commands.formatting import document, moment
from commands.links import link_line, workflow_link
from commands.lists.next_actions import next_action, next_document, next_fact
from commands.lists.paging import answer_all
from commands.merchants.payers import naming_the_field, transfers_shown
from commands.output import Failure, Output, table
from commands.reductions.merchants import terms_of
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders, temporal_of
from commands.updates import ask, require_who_and_why, start_and_ask
from models.merchants.account import ConnectionState, Flow
from models.merchants.connection import (
    ConnectionLink,
    ConnectionTerms,
    Disconnection,
    InvalidConnectionError,
    MerchantConnectionInput,
    MerchantConnectionResult,
    StoredConnection,
    connect_path,
)
from models.operations.record_states import MERCHANT_CONNECTION
from models.operator_command import OperatorCommand
from models.problem import RefusedError, refusal
from models.workflow_ids import WORKFLOW_QUEUE, merchant_connection_id
from settings import Settings
from workflows.merchants.merchant_connection import MerchantConnection
from workflows.visibility import merchant_label

NOUN = "merchant"
_TRANSFERS = ("Payment", "State", "Code", "Captured", "Refunded", "Lost")

# The execution that has just been disconnected ends within a moment; until then it is found instead of a new one.
ENDING, TRIES, PAUSE_SECONDS = "merchant_connection_open", 50, 0.2


@dataclass(frozen=True)
class ConnectOptions:
    """How a person connects a merchant: a new account in a country, or the one with the id."""

    merchant: str
    provider: str
    email: str
    actor: str
    reason: str
    country: str = ""
    gateway_account: str = ""
    is_new_account: bool = False


async def connect(output: Output, options: ConnectOptions, *, wait_seconds: float) -> None:
    """Connect or reconnect a merchant, or find its connection, and answer with the owner's link (P4, P12).

    `merchants connect|reconnect` and the same actions of the console. Raises RefusedError.
    """
    settings = read_settings()
    request = MerchantConnectionInput(options.merchant, options.provider, _terms(options))
    if request.terms is not None and not request.terms.gateway_account:
        # Refused at the edge, before a workflow is started.
        async with database_of(settings) as database, naming_the_field():
            await open_connection(database, request.merchant_id, request.provider, request.terms)
    made = await _started(settings, request, wait_seconds)
    url, link = f"{settings.public_url}{made.path}", workflow_link(settings, merchant_connection_id(made.merchant_id))
    facts = [("State", MERCHANT_CONNECTION.word(made.state)), ("Account", made.gateway_account)]
    answer = {name: value for name, value in asdict(made).items() if name != "path"}
    output.answer(
        {**answer, "url": url, "link": link},
        table("", "Merchant", made.merchant_id, rows=facts),
        f"The owner's link: {url}",
        *link_line(link),
    )


async def _started(settings: Settings, request: MerchantConnectionInput, wait_seconds: float) -> ConnectionLink:
    client = await temporal_for_orders(settings)

    def start() -> WithStartWorkflowOperation[MerchantConnection, MerchantConnectionResult]:
        return WithStartWorkflowOperation(
            MerchantConnection.run,
            request,
            id=merchant_connection_id(request.merchant_id),
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **merchant_label(request.merchant_id, provider=request.provider),
        )

    for _ in range(TRIES):
        try:
            made = await start_and_ask(
                client,
                start,
                "created",
                ConnectionLink,
                workflow_id=merchant_connection_id(request.merchant_id),
                noun=NOUN,
                wait_seconds=wait_seconds,
            )
        except RefusedError as refused:
            if refused.problems[0].rule != ENDING:
                raise
        else:
            # One that has not heard yet that it is disconnected answers with what was before, and checks nothing.
            async with reading_database_of(settings) as database:
                stored = await load_connection(database, request.merchant_id)
            if stored.state is not ConnectionState.DISCONNECTED:
                return made
        await asyncio.sleep(PAUSE_SECONDS)
    raise refusal(NOUN, ENDING, f"{request.merchant_id} is being disconnected: try again in a minute")


async def show(output: Output, merchant: str) -> None:
    """Show a merchant's account and its history. Raises RefusedError when there is no such merchant."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        row = next((one for one in await Merchants(database).everything() if one.id == merchant), None)
        if row is None:
            raise refusal(NOUN, "merchant_exists", f"there is no merchant {merchant!r}")
        queries = MerchantConnectionQueries(database)
        found = (await queries.by_merchant()).get(merchant)
        stored = await load_connection(database, merchant) if found else None
        history = await queries.history(merchant)
        passed_on, owed, transfers = (
            await transfers_shown(database, merchant) if row.flow == Flow.DESTINATION else ({}, [], [])
        )
    state = MERCHANT_CONNECTION.word(stored.state if stored else "")
    url = owner_link(settings, stored)
    id = merchant_connection_id(merchant)
    link, action = (workflow_link(settings, id), await next_action(settings, id)) if stored else ("", None)
    facts: list[tuple[str, object]] = [
        ("Name", row.name),
        ("Flow", row.flow),
        ("Payers", str(passed_on.get("payers", ""))),
        ("Not passed on", "\n".join(owed)),
        ("Payments", "on" if row.takes_payments else "off"),
        ("State", " ".join(filter(None, (state, stored.reason if stored else "")))),
        *next_fact(action),
        *(_account_facts(stored) if stored else ()),
        ("Read", moment(found.checked_at) if found else ""),
    ]
    answer = {
        "merchant_id": merchant,
        "takes_payments": row.takes_payments,
        "state": state,
        "connection": document(found) if found else None,
        "url": url,
        "link": link,
        "history": [document(one) for one in history],
        "flow": row.flow,
        **next_document(action),
        **passed_on,
    }
    output.answer(
        answer,
        table("", "Merchant", merchant, rows=[(name, value) for name, value in facts if value]),
        *([table("Transfers that have not followed", *_TRANSFERS, rows=transfers)] if transfers else []),
        table("History", "At", "What", "State", "Reason", "By", "Why", rows=map(_kept, history)),
        *([f"The owner's link: {url}"] if url else []),
        *(link_line(link) if link else ()),
    )


def owner_link(settings: Settings, stored: StoredConnection | None) -> str:
    """Return the link on which a merchant's owner completes its account (P4); "" where it has none.

    Whoever has it acts for the owner, so it is for who may connect merchants.
    """
    if stored is None or stored.state is ConnectionState.DISCONNECTED:
        return ""
    return f"{settings.public_url}{connect_path(stored.link_token)}"


def _kept(one: Row[Any]) -> tuple[object, ...]:
    return moment(one.at), one.change, one.state, one.reason, one.actor, one.because


def _account_facts(stored: StoredConnection) -> list[tuple[str, str]]:
    return [
        ("Account", stored.gateway_account),
        ("Provider", stored.provider),
        ("Paid out", "yes" if stored.is_paid_out else "no"),
        ("Missing", "\n".join(stored.missing)),
        ("Due", moment(stored.due_at)),
        ("Problems", "\n".join(stored.problems)),
    ]


async def list_all(output: Output) -> None:
    """List every merchant: its reward terms, and where its own account stands."""
    async with reading_database_of(read_settings()) as database:
        rows = await Merchants(database).everything()
        connections = await MerchantConnectionQueries(database).by_merchant()
    documents, shown = [], []
    for row in rows:
        connection = connections.get(row.id)
        state = MERCHANT_CONNECTION.word(connection.state if connection else "")
        account = (connection.gateway_account or "") if connection else ""
        documents.append({**document(row), "state": state, "gateway_account": account})
        payments = state if row.takes_payments else f"off ({state})"
        shown.append((row.id, row.name, row.group_id, row.currency, row.account_id, row.flow, payments, *terms_of(row)))
    heads = (
        "Merchant",
        "Name",
        "Group",
        "Currency",
        "Account",
        "Flow",
        "Payments",
        "Reductions",
        "Bears",
        "Hold",
        "Most an award",
    )
    answer_all(output, "merchants", documents, table("", *heads, rows=shown))


async def switch(output: Output, merchant: str, actor: str, reason: str, *, is_on: bool) -> None:
    """Let a merchant be paid on its own account, or not."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database, naming_the_field():
        was_so = await MerchantConnectionQueries(database).switch(merchant, is_on=is_on, actor=actor, reason=reason)
    word = "on" if is_on else "off"
    output.answer(
        {"merchant_id": merchant, "takes_payments": is_on, "was_so_already": was_so},
        table("", "Merchant", merchant, rows=[("Payments", f"{word}, as before" if was_so else word)]),
    )


async def refresh(output: Output, merchant: str, actor: str, reason: str) -> None:
    """Let a merchant's account be read now, and answer with where it stands."""
    client = await temporal_for_orders(read_settings())
    command = OperatorCommand(actor, reason)
    state = await ask(client, merchant_connection_id(merchant), "check_now", command, str, noun=NOUN)
    output.answer({"merchant_id": merchant, "state": state}, table("", "Merchant", merchant, rows=[("State", state)]))


async def disconnect(output: Output, merchant: str, actor: str, reason: str) -> None:
    """Stop new payments in one commit, whatever is at work; its workflow ends when it hears of it."""
    require_who_and_why(actor, reason)
    settings = read_settings()
    async with database_of(settings) as database, naming_the_field():
        stored = await _disconnected(database, Disconnection(merchant, actor, reason))
    with suppress(RPCError, Failure):
        # Who does not hear of it reads the row at the next look.
        client = await temporal_of(settings)
        await client.get_workflow_handle(merchant_connection_id(merchant)).signal("gateway_event")
    output.answer(
        {"merchant_id": merchant, "state": stored},
        table("", "Merchant", merchant, rows=[("State", stored)]),
    )


async def _disconnected(database: Database, command: Disconnection) -> str:
    stored = await MerchantConnectionActivities(database).disconnect_merchant(command)
    return MERCHANT_CONNECTION.word(stored.state)


def _terms(options: ConnectOptions) -> ConnectionTerms:
    try:
        return ConnectionTerms(
            options.email,
            options.country.upper(),
            options.gateway_account,
            is_new_account=options.is_new_account,
            actor=options.actor,
            reason=options.reason,
        )
    except InvalidConnectionError as error:
        field, _, message = str(error).partition(": ")
        raise refusal(field, "connection_valid", message) from error
