"""Everything one Stripe account holds: its objects, the movements of its money, and the events about them."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import orjson
import stripe
from stripe import BalanceTransaction, Event

from sandbox.stripe.api.fields import blank
from sandbox.stripe.cards import SUCCEED, TEST_CARDS, TestCard
from sandbox.stripe.control.messages import CardOutcome, CardScript, Delays, RefundScript
from sandbox.stripe.jsontypes import Json, encoded
from sandbox.stripe.state.clock import Clock
from sandbox.stripe.state.ids import Ids
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
    delays: Delays = field(default_factory=Delays)
    request: Json = field(default_factory=NO_REQUEST.copy)

    customers: Table = field(default_factory=lambda: Table("customer", "email"))
    payment_methods: Table = field(default_factory=lambda: Table("PaymentMethod", "customer"))
    setup_intents: Table = field(default_factory=lambda: Table("setupintent", "customer", path_param="intent"))
    payment_intents: Table = field(default_factory=lambda: Table("payment_intent", "customer", path_param="intent"))
    charges: Table = field(default_factory=lambda: Table("charge", "customer", "payment_intent"))
    refunds: Table = field(default_factory=lambda: Table("refund", "charge", "payment_intent"))
    disputes: Table = field(default_factory=lambda: Table("dispute", "charge", "payment_intent"))
    balance_transactions: Table = field(default_factory=lambda: Table("balance transaction", "source"))
    events: Table = field(default_factory=lambda: Table("event"))
    mandates: Table = field(default_factory=lambda: Table("mandate"))
    checkout_sessions: Table = field(
        default_factory=lambda: Table("checkout.session", "customer", "payment_intent", "setup_intent")
    )

    webhook_endpoints: Table = field(default_factory=lambda: Table("webhook endpoint"))

    endpoint_secrets: dict[str, str] = field(default_factory=dict)
    cards: dict[str, TestCard] = field(default_factory=dict)
    charged_as: dict[str, tuple[Json, Json]] = field(default_factory=dict)
    used_up: set[str] = field(default_factory=set)
    authenticated: set[str] = field(default_factory=set)
    scripts: dict[str, Scripted] = field(default_factory=dict)
    when_settled: dict[str, Callable[[Json], None]] = field(default_factory=dict)
    line_items: dict[str, list[Json]] = field(default_factory=dict)
    intent_data: dict[str, Json] = field(default_factory=dict)
    links: dict[str, Json] = field(default_factory=dict)
    refund_scripts: dict[str, RefundScript] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    undelivered: set[str] = field(default_factory=set)
    accounts: Table = field(default_factory=lambda: Table("account"))
    connect: Callable[[str], object] | None = None

    def emit(self, type: str, subject: Json, previous: Json | None = None) -> Json:
        """Records that something happened to the object, as it is at this moment, and has it delivered."""
        data: Json = {"object": orjson.Fragment(encoded(subject))}
        if previous is not None:
            data["previous_attributes"] = previous
        event = blank(Event) | {
            "id": self.ids.new("evt"),
            "account": self.account,
            "api_version": stripe.api_version,
            "created": self.clock.now(),
            "data": data,
            "pending_webhooks": 0,
            "request": self.request,
            "type": type,
        }
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
        fee: int = 0,
        available_on: int | None = None,
    ) -> Json:
        """A balance transaction of the object: `amount` is positive to us, `fee` is always ours."""
        now = self.clock.now()
        due = available_on or now
        transaction = blank(BalanceTransaction) | {
            "id": self.ids.new("txn"),
            "amount": amount,
            "available_on": due,
            "balance_type": "payments",
            "created": now,
            "currency": source["currency"],
            "fee": fee,
            "fee_details": _fee_details(fee, source["currency"]),
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"],
            "status": "available" if due <= now else "pending",
            "type": type,
        }
        return self.balance_transactions.insert(transaction)

    def script(self, payment_method: str, script: CardScript) -> None:
        """Gives the card its next answers; for a test card's name, the next method that is made of it."""
        if payment_method not in TEST_CARDS:
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


def _fee_details(fee: int, currency: str) -> list[Json]:
    if not fee:
        return []
    description = "Stripe processing fees"
    return [
        {"amount": fee, "application": None, "currency": currency, "description": description, "type": "stripe_fee"}
    ]


def changed(before: Json, after: Json, *fields: str) -> Json:
    """The values that these fields had before, for an event's `previous_attributes`."""
    return {name: before[name] for name in fields if before[name] != after[name]}


def merge_metadata(current: dict[str, str], update: dict[str, str] | None) -> dict[str, str]:
    """Stripe's merge: given keys are set, an empty value unsets its key, an empty hash unsets all."""
    if update is None:
        return {}
    merged = current | update
    return {key: value for key, value in merged.items() if value != ""}
