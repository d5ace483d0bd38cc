"""Lists of events, messages, movements, commands, requests for approval and sign-ins; and every list by its noun."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from activities.console.approvals import Approvals
from activities.console.users import Users
from activities.database import Database
from activities.events.inbox import EventQueries
from activities.events.movements import ExpectationQueries
from activities.listing import Listed
from activities.messages.queries import MessageQueries
from activities.supervision.commands import CommandRecords
from commands.console.approvals import TO_CHANGE, TO_GIVE, what_of
from models.console.roles import Permission
from models.listing import ListPage
from models.operations.record_states import APPROVAL, COMMAND, EVENT, MESSAGE
from web.bank.members import MEMBER_LISTS
from web.bills.pages import BILLS
from web.configuration.lists import CHANGES, USERS
from web.many.listed import MASS_ACTIONS
from web.merchants.pages import MERCHANTS
from web.merchants.providers import PROVIDERS
from web.messages.segments import COMMUNICATIONS, SEGMENTS
from web.runs.refund_runs import REFUND_MEMBERS, REFUND_RUNS
from web.views.cells import Cell, Column, link, moment, money, state, text
from web.views.listing import Filter, Given, ListOfNoun
from web.views.money_lists import ACCOUNT_COLUMN, ACCOUNTS, GATEWAY_REQUESTS, PAYMENTS, SUSPENSE, TRANSACTIONS
from web.views.process_lists import COLLECTIONS, DISCREPANCIES, DISPUTES, MEMBERS, REFUNDS, REQUESTS, RUNS
from web.views.timeline import TIMELINE
from web.vouchers.pages import VOUCHERS


async def _events(database: Database, page: ListPage, given: Given) -> Listed:
    return await EventQueries(database).page(page, state=given["state"], type_=given["type"])


async def _messages(database: Database, page: ListPage, given: Given) -> Listed:
    return await MessageQueries(database).page(
        page, state=given["state"], account_id=given["account"], communication=given["communication"]
    )


async def _movements(database: Database, page: ListPage, given: Given) -> Listed:
    return await ExpectationQueries(database).page(
        page,
        account_id=given["account"],
        is_open=given["open"] == "yes",
        is_overdue=given["overdue"] == "yes",
        is_differing=given["differing"] == "yes",
    )


async def _commands(database: Database, page: ListPage, given: Given) -> Listed:
    return await CommandRecords(database).page(page, actor=given["by"], name=given["command"], outcome=given["state"])


async def _approvals(database: Database, page: ListPage, given: Given) -> Listed:
    return await Approvals(database).page(page, state=given["state"], account_id=given["account"], asked_by=given["by"])


async def _sign_ins(database: Database, page: ListPage, given: Given) -> Listed:
    return await Users(database).sign_ins(page, user_id=given["user"])


def _of(row: Row[Any]) -> Cell:
    """Lead to what a request is about, where that has a page."""
    if row.action in {TO_CHANGE, TO_GIVE}:
        return text(row.subject)
    return link(row.action.partition("/")[0], row.subject)


EVENTS = ListOfNoun(
    "events",
    "Events of the gateway",
    (
        Column("Event", lambda row: link("events", row.id)),
        Column("Type", lambda row: text(row.type)),
        Column("About", lambda row: text(row.object_id)),
        Column("State", lambda row: state(EVENT.word(row.state))),
        Column("Why", lambda row: text(row.reason)),
        Column("Happened", lambda row: moment(row.created_at)),
        Column("Received", lambda row: moment(row.received_at)),
        Column("Tries", lambda row: text(row.tries), is_number=True),
    ),
    (Filter("state", "State", tuple(EVENT.words)), Filter("type", "Type")),
    _events,
    "No event has come: is the webhook registered? `duly webhooks apply`.",
)
MESSAGES = ListOfNoun(
    "messages",
    "Messages",
    (
        Column("Message", lambda row: link("messages", row.id)),
        Column("Kind", lambda row: text(row.kind.replace("_", " "))),
        Column("For", lambda row: text(row.audience)),
        ACCOUNT_COLUMN,
        Column("State", lambda row: state(MESSAGE.word(row.state))),
        Column("Why", lambda row: text(row.reason)),
        Column("Sent", lambda row: moment(row.sent_at)),
        Column("Written", lambda row: moment(row.created_at)),
    ),
    (
        Filter("state", "State", tuple(MESSAGE.words)),
        Filter("account", "Account"),
        Filter("communication", "Communication"),
    ),
    _messages,
    "Nobody has been written to.",
)
MOVEMENTS = ListOfNoun(
    "movements",
    "Movements of the gateway's balance",
    (
        Column("Object", lambda row: text(row.object)),
        Column("Kind", lambda row: text(row.kind)),
        ACCOUNT_COLUMN,
        Column("Payment", lambda row: link("transactions", row.payment_id)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Moved", lambda row: money(row.settled_minor, row.settled_currency), is_money=True),
        Column("Fee", lambda row: money(row.fee_minor, row.settled_currency), is_money=True),
        Column("State", lambda row: state(row.state)),
        Column("Expected", lambda row: moment(row.expected_at)),
    ),
    (
        Filter("account", "Account"),
        Filter("open", "Open", ("yes",)),
        Filter("overdue", "Overdue", ("yes",)),
        Filter("differing", "Differing", ("yes",)),
    ),
    _movements,
    "Nothing is expected to move.",
)
COMMANDS = ListOfNoun(
    "commands",
    "What people changed",
    (
        Column("At", lambda row: moment(row.given_at)),
        Column("Command", lambda row: text(row.name)),
        Column("About", lambda row: text(row.subject)),
        Column("By", lambda row: text(row.actor)),
        Column("Why", lambda row: text(row.reason)),
        Column("Outcome", lambda row: state(COMMAND.word(row.outcome))),
    ),
    (Filter("by", "By"), Filter("command", "Command"), Filter("state", "Outcome", tuple(COMMAND.words))),
    _commands,
    "Nobody has changed anything.",
)
APPROVALS = ListOfNoun(
    "approvals",
    "Requests that another person approves",
    (
        Column("Request", lambda row: link("approvals", row.id)),
        Column("For", lambda row: text(what_of(row.action))),
        Column("Of", _of),
        ACCOUNT_COLUMN,
        Column("At most", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("State", lambda row: state(row.state)),
        Column("Asked by", lambda row: text(row.asked_by)),
        Column("Asked", lambda row: moment(row.asked_at)),
        Column("Until", lambda row: moment(row.expires_at)),
        Column("Decided by", lambda row: text(row.decided_by)),
    ),
    (Filter("state", "State", tuple(APPROVAL.words)), Filter("account", "Account"), Filter("by", "Asked by")),
    _approvals,
    "Nothing was asked for above the limits.",
)
SIGN_INS = ListOfNoun(
    "sign-ins",
    "Attempts to sign in",
    (
        Column("At", lambda row: moment(row.tried_at)),
        Column("User", lambda row: text(row.user_id or "nobody")),
        Column("By", lambda row: text(row.method)),
        Column("Outcome", lambda row: text(row.outcome.replace("_", " "))),
        Column("From", lambda row: text(row.address)),
    ),
    (Filter("user", "User"),),
    _sign_ins,
    "Nobody has tried.",
    permission=Permission.SEE_USERS,
)

LISTS: Mapping[str, ListOfNoun] = {
    of.noun: of
    for of in (
        *(ACCOUNTS, TRANSACTIONS, BILLS, PAYMENTS, GATEWAY_REQUESTS, SUSPENSE, VOUCHERS, MERCHANTS, PROVIDERS),
        *(RUNS, MEMBERS, COLLECTIONS, REFUNDS, DISPUTES, DISCREPANCIES, REQUESTS),
        *(SEGMENTS, COMMUNICATIONS, EVENTS, MESSAGES, MOVEMENTS, COMMANDS, MASS_ACTIONS, APPROVALS, SIGN_INS),
        *(USERS, CHANGES),
        *(TIMELINE, *MEMBER_LISTS, REFUND_RUNS, REFUND_MEMBERS),
    )
}
