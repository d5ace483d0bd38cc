"""Paying all that is unsettled of an invoice: a gateway charges where it handles the method (F85 to F87)."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from activities.database import Database
from activities.ledger.transaction_queries import TransactionQueries
from activities.payments.orders import PaymentOrders
from commands.changing.changes import person_of
from commands.ledger import corrections
from commands.ledger.corrections import Because
from commands.ledger.transaction_writer import WriteOptions
from commands.output import Output
from commands.payments.create import OrderOptions, create
from commands.session import read_settings, reading_database_of
from models.problem import Problem, RefusedError, refusal


@dataclass(frozen=True)
class QuickPay:
    """How an invoice is paid. Its amount is nobody's to choose: all that is unsettled (F86).

    `provider`, `card`, `preference` and `hands_over` are of a payment through a gateway; where empty, they are the
    provider that handles the method, and the account's first card of it. `reference` is of a payment by hand.
    """

    method: str
    provider: str = ""
    card: str = ""
    preference: str = ""
    hands_over: bool = False
    reference: str = ""
    reason: str = ""


async def quick_pay(
    output: Output, identifier: str, asked: QuickPay, because: Because, options: WriteOptions, *, wait_seconds: float
) -> None:
    """Pay an invoice, once by its key. Raises RefusedError or LedgerError, nothing written."""
    async with reading_database_of(read_settings()) as database:
        provider = await provider_to_ask(database, asked, options.key)
        found = await TransactionQueries(database).require(identifier)
    if provider:
        require_of_gateway(asked, because, options)
        if found.classification != "invoice":
            raise refusal("transaction", "invoice_only", f"{identifier} is no invoice: only invoices are paid")
        await charge(output, found.account_id, [found.id], provider, asked, options, wait_seconds=wait_seconds)
        return
    reference = asked.reference or None
    await corrections.quick_pay(output, identifier, asked.method, because, options, reference=reference)


async def provider_to_ask(database: Database, asked: QuickPay, key: str) -> str:
    """Return the provider that is to charge; "" for a payment by hand. Raises RefusedError for what is of neither."""
    orders = PaymentOrders(database)
    by_hand = bool(key) and await TransactionQueries(database).has_key(key)
    handled_by = "" if by_hand else await orders.handled_by(asked.method)
    if handled_by:
        return asked.provider or handled_by
    if key and await orders.is_known(order_id_of(key)):
        raise refusal("key", "key_means_one_request", "it was given to a payment through a gateway")
    given = {
        "provider": asked.provider,
        "card": asked.card,
        "preference": asked.preference,
        "hand_over": asked.hands_over,
    }
    if named := [name for name, value in given.items() if value]:
        raise refusal(
            named[0], "method_of_gateway", f"is of a payment through a gateway, and no provider handles {asked.method}"
        )
    return ""


def require_of_gateway(asked: QuickPay, because: Because, options: WriteOptions) -> None:
    """Refuse what a gateway decides itself. Raises RefusedError."""
    given = {
        "reference": asked.reference,
        "type": because.type,
        "posted_on": because.posted_on,
        "any_day": options.any_day,
    }
    meaning = f"is of a payment by hand: a gateway handles {asked.method}, and its payment has its own"
    if problems := [Problem(name, "method_is_not_a_gateways", meaning) for name, value in given.items() if value]:
        raise RefusedError(problems)


async def charge(
    output: Output,
    account_id: str,
    invoices: Sequence[str],
    provider: str,
    asked: QuickPay,
    options: WriteOptions,
    *,
    wait_seconds: float,
) -> None:
    """Charge what is unsettled of some invoices of an account, as `payments create` does, and say what it came to."""
    order = OrderOptions(
        id=order_id_of(options.key) if options.key else "",
        account=account_id,
        provider=provider,
        amount="",
        invoices=tuple(invoices),
        card=asked.card,
        preference=asked.preference or asked.method,
        hands_over=asked.hands_over,
        actor=person_of(options.actor),
        reason=asked.reason,
    )
    await create(output, order, wait_seconds=wait_seconds)


def order_id_of(key: str) -> str:
    """Return the id of the order under a key, which may be any text."""
    return f"quick-{sha256(key.encode()).hexdigest()[:32]}"
