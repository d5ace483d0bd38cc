"""Crediting, debiting, voiding and showing wallets."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.ledger.audit import expire_wallets
from activities.ledger.transaction_queries import TransactionQueries
from activities.wallets.wallets import Wallets
from commands.changing.changes import person_of
from commands.collection_signals import signal_collections
from commands.formatting import amount as in_major_units
from commands.formatting import document, money
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of
from models.money import Money, MoneyError
from models.problem import refusal


@dataclass(frozen=True)
class WalletMove:
    """What is asked of a wallet: whose, how much in major units, by which type, under which id, by whom and why."""

    account: str
    amount: str
    type: str
    id: str
    actor: str
    reason: str

    @property
    def key(self) -> str:
        """The idempotency key: the id that was given, else a new one."""
        return _key(self.id)


async def show(output: Output, account_id: str) -> None:
    """Show a wallet and its credits."""
    async with reading_database_of(read_settings()) as database:
        wallets = Wallets(database)
        account = await wallets.account(account_id)
        balance, credits_ = await wallets.balance(account_id), await wallets.credits(account_id)
        top_ups = await wallets.top_ups(account_id)
    facts = [
        ("Account", f"{account.id}, {account.owner_name}"),
        ("In the wallet", money(balance, account.currency)),
        ("At most", money(account.maximum_minor, account.currency) if account.maximum_minor else "no limit"),
        ("Topped up", _top_ups(top_ups, account.currency)),
    ]
    shown = {"account_id": account.id, "currency": account.currency, "balance_minor": balance}
    limit = {"maximum_minor": account.maximum_minor, "credits": [document(one) for one in credits_]}
    limit["top_ups"] = document(top_ups) if top_ups else None
    output.answer({**shown, **limit}, table("", "Wallet", "", rows=facts), _credits(credits_, account.currency))


async def credit(output: Output, asked: WalletMove, expires_on: date | None) -> None:
    """Credit a wallet."""
    async with database_of(read_settings()) as database:
        wallets = Wallets(database)
        account = await wallets.account(asked.account)
        made = await wallets.credit(**_arguments(asked, account.currency), expires_on=expires_on)
    _answer(output, made)


async def debit(output: Output, asked: WalletMove, invoices: Sequence[str]) -> None:
    """Debit a wallet, and signal the collections of what it has paid."""
    settings = read_settings()
    async with database_of(settings) as database:
        wallets = Wallets(database)
        account = await wallets.account(asked.account)
        named = [(await TransactionQueries(database).require(one)).id for one in invoices]
        made = await wallets.debit(**_arguments(asked, account.currency), invoices=named)
        signals = await signal_collections(output, database, settings, [account.id])
    _answer(output, made, signals)


async def pay(output: Output, asked: WalletMove, method: str, services: Sequence[str]) -> None:
    """Pay for subscriptions, fund the wallet by the rest, and signal the collections of what is paid."""
    settings = read_settings()
    async with database_of(settings) as database:
        wallets = Wallets(database)
        account = await wallets.account(asked.account)
        chosen = {"method": method, "services": list(services)}
        id = await wallets.pay_services(**_arguments(asked, account.currency), **chosen)
        payment, funded = await TransactionQueries(database).require(id), await wallets.funded_by(id)
        signals = await signal_collections(output, database, settings, [account.id])
    text = f"Posted {payment.number}: {money(payment.total_minor, payment.currency)} of {account.id}."
    if funded:
        text += f" {money(funded.amount_minor, funded.currency)} of it lies in the wallet ({funded.number})."
    shown = {"transaction_id": id, "number": payment.number, "wallet_transaction": document(funded) if funded else None}
    output.answer({**shown, **signals}, text)


async def void(output: Output, identifier: str, *, id: str, actor: str, reason: str) -> None:
    """Void a wallet transaction, and signal the collections of what is owed or not owed any more."""
    settings = read_settings()
    async with database_of(settings) as database:
        wallets = Wallets(database)
        found = await wallets.require(identifier)
        made = await wallets.void(found.id, key=_key(id), actor=person_of(actor), reason=reason)
        signals = await signal_collections(output, database, settings, [made.account_id])
    _answer(output, made, signals)


async def choose_top_up(output: Output, account_id: str, *, is_on: bool | None, actor: str, reason: str) -> None:
    """Switch the automatic top-up of an account on or off, or let the rule of its currency say."""
    async with database_of(read_settings()) as database:
        wallets = Wallets(database)
        account = await wallets.account(account_id)
        who = person_of(actor)
        is_changed = await wallets.choose_top_up(account.id, is_on=is_on, actor=who, reason=reason)
        top_ups = await wallets.top_ups(account.id)
    text = f"The wallet of {account.id} is topped up: {_top_ups(top_ups, account.currency)}."
    shown = {"account_id": account.id, "is_changed": is_changed, "top_ups": document(top_ups) if top_ups else None}
    output.answer(shown, text)


async def expire(output: Output) -> None:
    """Book what has expired."""
    async with database_of(read_settings()) as database:
        expired = await expire_wallets(database)
    output.answer({"expired": expired}, f"{expired} credits have expired and are booked.")


async def statement(output: Output, account_id: str, *, since: date | None, until: date | None) -> None:
    """Show the transactions of a wallet."""
    if since and until and since > until:
        raise refusal("from", "from_before_to", f"{since} is after {until}")
    async with reading_database_of(read_settings()) as database:
        wallets = Wallets(database)
        account = await wallets.account(account_id)
        rows = await wallets.statement(account_id, since, until)
        balance = await wallets.balance(account_id)
    columns = ("Posted", "Number", "Type", "Amount", "Balance", "Expires", "Voids", "Documents", "Who", "Why")
    shown = [_cells(row, account.currency) for row in rows]
    title = f"{account.id}, {account.owner_name}: {money(balance, account.currency)} in the wallet"
    facts = {"account_id": account.id, "currency": account.currency, "from": since, "to": until}
    output.answer(
        {**facts, "balance_minor": balance, "transactions": [document(row) for row in rows]},
        table(title, *columns, rows=shown, right=("Amount", "Balance")),
    )


def _top_ups(top_ups: Row[Any] | None, currency: str) -> str:
    if top_ups is None or not top_ups.is_on:
        return "not by itself"
    asked = f"; {top_ups.requested_number} is not paid yet" if top_ups.requested else ""
    amount, below = money(top_ups.amount_minor, currency), money(top_ups.below_minor, currency)
    return f"by {amount} below {below}, at most {top_ups.most_in_month} times a month{asked}"


def _arguments(asked: WalletMove, currency: str) -> dict[str, Any]:
    try:
        amount_minor = Money.parse(asked.amount, currency).amount_minor
    except (MoneyError, ValueError) as error:
        raise refusal("amount", "amount_format", str(error)) from error
    return {
        "key": asked.key,
        "account_id": asked.account,
        "amount_minor": amount_minor,
        "currency": currency,
        "type_id": asked.type,
        "actor": person_of(asked.actor),
        "reason": asked.reason,
    }


def _key(id: str) -> str:
    return f"wallet:{id}" if id else f"cli:{uuid.uuid4()}"


def _answer(output: Output, made: Row[Any], signals: dict[str, object] | None = None) -> None:
    verb = "Voided into" if made.voids_id else "Credited" if made.direction == "credit" else "Debited"
    text = (
        f"{verb} {made.number}: {money(made.amount_minor, made.currency)}, {made.type}; "
        f"{money(made.balance_after_minor, made.currency)} in the wallet of {made.account_id}."
    )
    output.answer({"wallet_transaction": document(made), **(signals or {})}, text)


def _credits(rows: Sequence[Row[Any]], currency: str) -> Table:
    shown = [(row.number, row.type_id, row.posted_on, row.expires_on, *_amounts(row, currency)) for row in rows]
    columns = ("Number", "Type", "Posted", "Expires", "Amount", "Left")
    return table("Credits", *columns, rows=shown, right=("Amount", "Left"))


def _amounts(row: Row[Any], currency: str) -> tuple[str, str]:
    return money(row.amount_minor, currency), money(row.left_minor, currency)


def _cells(row: Row[Any], currency: str) -> tuple[object, ...]:
    return (
        *(row.posted_on, row.number, row.type_id),
        *(in_major_units(minor, currency) for minor in (row.amount_minor, row.balance_after_minor)),
        *(row.expires_on, row.voids, " ".join(row.documents), row.actor, row.reason),
    )
