"""Everything one Stripe account holds: its objects, the movements of its money, and the events about them."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import orjson
import stripe
from stripe import BalanceTransaction, Event

from sandbox.stripe.api.errors import METADATA_KEYS_MAX, too_many_metadata_keys
from sandbox.stripe.api.fields import blank
from sandbox.stripe.bank_accounts import TEST_BANK_ACCOUNTS, TestBankAccount
from sandbox.stripe.cards import SUCCEED, TEST_CARDS, TestCard
from sandbox.stripe.control.messages import (
    STRIPES_DELAYS,
    AccountSettings,
    CardOutcome,
    CardScript,
    Delays,
    RefundScript,
)
from sandbox.stripe.jsontypes import Json, encoded
from sandbox.stripe.state.clock import Clock
from sandbox.stripe.state.ids import APPLICATION, Ids
from sandbox.stripe.state.tables import Table

Listener = Callable[[Json], None]


@dataclass
class Scripted:
    """The answers a card still has to give."""

    outcomes: deque[CardOutcome]
    repeat_last: bool


@dataclass(frozen=True)
class Movement:
    """Money that moved: the sandbox's own note of it, made where it happens and never read back from an answer."""

    kind: str
    id: str
    charge: Json
    amount: int
    currency: str


NO_REQUEST: Json = {"id": None, "idempotency_key": None}


@dataclass
class AccountState:
    """The tables of one account, and what is known about its cards beyond what the API tells."""

    clock: Clock
    ids: Ids
    publish: Listener
    account: str | None = None
    base_url: str = "http://127.0.0.1"
    delays: Delays = STRIPES_DELAYS
    settings: AccountSettings = field(default_factory=AccountSettings)
    request: Json = field(default_factory=NO_REQUEST.copy)

    customers: Table = field(default_factory=lambda: Table("customer", "email"))
    payment_methods: Table = field(default_factory=lambda: Table("PaymentMethod", "customer"))
    setup_intents: Table = field(default_factory=lambda: Table("setupintent", "customer", path_param="intent"))
    setup_attempts: Table = field(default_factory=lambda: Table("setup_attempt", "setup_intent"))
    payment_intents: Table = field(default_factory=lambda: Table("payment_intent", "customer", path_param="intent"))
    charges: Table = field(default_factory=lambda: Table("charge", "customer", "payment_intent"))
    refunds: Table = field(default_factory=lambda: Table("refund", "charge", "payment_intent"))
    disputes: Table = field(default_factory=lambda: Table("dispute", "charge", "payment_intent"))
    balance_transactions: Table = field(default_factory=lambda: Table("balance transaction", "source"))
    application_fees: Table = field(default_factory=lambda: Table("application_fee", "charge"))
    application_fee_refunds: Table = field(default_factory=lambda: Table("fee_refund", "fee"))
    transfers: Table = field(default_factory=lambda: Table("transfer", "destination", "transfer_group"))
    transfer_reversals: Table = field(default_factory=lambda: Table("transfer_reversal", "transfer"))
    payouts: Table = field(default_factory=lambda: Table("payout", path_param="payout"))
    events: Table = field(default_factory=lambda: Table("event"))
    mandates: Table = field(default_factory=lambda: Table("mandate"))
    checkout_sessions: Table = field(
        default_factory=lambda: Table("checkout.session", "customer", "payment_intent", "setup_intent")
    )

    webhook_endpoints: Table = field(default_factory=lambda: Table("webhook endpoint"))

    endpoint_secrets: dict[str, str] = field(default_factory=dict)
    cards: dict[str, TestCard | TestBankAccount] = field(default_factory=dict)
    charged_as: dict[str, tuple[Json, Json]] = field(default_factory=dict)
    used_up: set[str] = field(default_factory=set)
    authenticated: set[str] = field(default_factory=set)
    scripts: dict[str, Scripted] = field(default_factory=dict)
    when_settled: dict[str, Callable[[Json], None]] = field(default_factory=dict)
    line_items: dict[str, list[Json]] = field(default_factory=dict)
    intent_data: dict[str, Json] = field(default_factory=dict)
    links: dict[str, Json] = field(default_factory=dict)
    # What of the platform's fee a refund gives back when it is booked.
    fees_to_give_back: dict[str, int] = field(default_factory=dict)
    refund_scripts: dict[str, RefundScript] = field(default_factory=dict)
    unbooked_refunds: dict[str, Callable[[], None]] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    paid_out: dict[str, str] = field(default_factory=dict)
    undelivered: set[str] = field(default_factory=set)
    accounts: Table = field(default_factory=lambda: Table("account"))
    connect: "Callable[[str], AccountState] | None" = None
    connected_state: "Callable[[str], AccountState] | None" = None
    platform: "AccountState | None" = None
    is_shut_out: bool = False

    def emit(self, type: str, subject: Json, previous: Json | None = None) -> Json:
        """Records that something happened to the object, as it is at this moment, and has it delivered."""
        data: Json = {"object": orjson.Fragment(encoded(subject))}
        if previous is not None:
            data["previous_attributes"] = previous
        event = blank(Event) | {
            "id": self.ids.new("evt"),
            "api_version": stripe.api_version,
            "created": self.clock.now(),
            "data": data,
            "pending_webhooks": 0,
            "request": self.request,
            "type": type,
        }
        if self.account is not None:
            event["account"] = self.account
        self.events.insert(event)
        self.publish(event)
        return event

    def settle(self, intent: Json) -> None:
        """Tells the checkout session of the intent, if it has one, that it moved on."""
        if intent["id"] in self.when_settled:
            self.when_settled[intent["id"]](intent)

    def note(self, kind: str, source: Json, charge: Json, amount: int) -> None:
        """Writes down that money moved; only the balance oracle reads this, never an answer."""
        self.movements.append(Movement(kind, source["id"], charge, amount, charge["currency"]))

    def transact(
        self,
        source: Json,
        *,
        amount: int,
        type: str,
        category: str,
        fee_settled: int = 0,
        application_fee: int = 0,
        available_on: int | None = None,
    ) -> Json:
        """A balance transaction of the object: `amount` is positive to us, the fees are always ours.

        The amount comes in the object's currency and is written in the account's, in which the fee comes.
        """
        now = self.clock.now()
        currency, rate = self.settlement_of(source["currency"])
        amount, fee = converted(amount, rate) + self.settings.books_off_by, fee_settled + application_fee
        due = available_on or now
        transaction = blank(BalanceTransaction) | {
            "id": self.ids.new("txn"),
            "amount": amount,
            "available_on": due,
            "balance_type": "payments",
            "created": now,
            "currency": currency,
            "exchange_rate": rate,
            "fee": fee,
            "fee_details": [*_platform_fee(application_fee, currency), *_fee_details(fee_settled, currency)],
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"],
            "status": "available" if due <= now else "pending",
            "type": type,
        }
        return self.balance_transactions.insert(transaction)

    def settlement_of(self, currency: str) -> tuple[str, float | None]:
        """The currency in which money in this one reaches the balance, and the rate if that is another."""
        settled = self.settings.settlement_currency
        if settled is None or settled == currency or currency not in self.settings.exchange_rates:
            return currency, None
        return settled, self.settings.exchange_rates[currency]

    def balance(self, currency: str) -> int:
        """What the account has in the currency, pending money included."""
        return sum(each["net"] for each in self.balance_transactions if each["currency"] == currency)

    def retry_unbooked_refunds(self) -> None:
        """Books what waited for money, oldest first."""
        for retry in tuple(self.unbooked_refunds.values()):
            retry()

    def script(self, payment_method: str, script: CardScript) -> None:
        """Gives the card its next answers; for a test card's name, the next method that is made of it."""
        if payment_method not in TEST_CARDS and payment_method not in TEST_BANK_ACCOUNTS:
            self.payment_methods.get(payment_method)
        self.scripts[payment_method] = Scripted(deque(script.outcomes), script.repeat_last)

    def next_outcome(self, payment_method: str, usual: CardOutcome = SUCCEED) -> CardOutcome:
        """The card's answer to this attempt: the next scripted one, else its usual one."""
        scripted = self.scripts.get(payment_method)
        if scripted is None or not scripted.outcomes:
            return usual
        if scripted.repeat_last and len(scripted.outcomes) == 1:
            return scripted.outcomes[0]
        return scripted.outcomes.popleft()

    def table(self, name: str) -> Table:
        """The table of that name, as the API's addresses spell it."""
        table: Table = getattr(self, name)
        return table

    def tables(self) -> Iterable[Table]:
        return (value for value in vars(self).values() if isinstance(value, Table))


def _platform_fee(fee: int, currency: str) -> list[Json]:
    if not fee:
        return []
    description = "Sandbox application fee" + (" refund" if fee < 0 else "")
    return [
        {
            "amount": fee,
            "application": APPLICATION,
            "currency": currency,
            "description": description,
            "type": "application_fee",
        }
    ]


def _fee_details(fee: int, currency: str) -> list[Json]:
    if not fee:
        return []
    description = "Stripe processing fees"
    return [
        {"amount": fee, "application": None, "currency": currency, "description": description, "type": "stripe_fee"}
    ]


def converted(amount: int, rate: float | None) -> int:
    """The amount at the rate, rounded half away from zero; minor units of both currencies."""
    if rate is None:
        return amount
    return int((amount * Decimal(str(rate))).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def changed(before: Json, after: Json, *fields: str) -> Json:
    """The values that these fields had before, for an event's `previous_attributes`."""
    return {name: before.get(name) for name in fields if before.get(name) != after.get(name)}


def merge_metadata(current: dict[str, str], update: dict[str, str] | None) -> dict[str, str]:
    """Stripe's merge: given keys are set, an empty value unsets its key, an empty hash unsets all."""
    if update is None:
        return {}
    merged = {key: value for key, value in (current | update).items() if value != ""}
    if len(merged) > METADATA_KEYS_MAX:
        raise too_many_metadata_keys("metadata")
    return merged
