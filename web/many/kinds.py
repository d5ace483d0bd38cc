"""Which lists offer actions on several rows at once, which actions these are, and what each row is and comes to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from activities.collections.queries import CollectionQueries
from activities.database import Database
from activities.events.inbox import EventQueries
from activities.messages.queries import MessageQueries
from activities.payments.payment_requests import PaymentRequestQueries
from activities.reconciliation.queries import ReconciliationQueries
from activities.refunds.queries import RefundQueries
from models.console.console_user import ConsoleUser
from models.operations.payment_states import COLLECTION, PAYMENT_REQUEST, REFUND
from models.operations.record_states import DISCREPANCY, EVENT, MESSAGE
from models.operations.states import States
from web.actions.action import Action
from web.actions.forms import ACTIONS

# No more than a page of a list has.
ROWS_MAX = 50


@dataclass(frozen=True)
class ManyOf:
    """How several rows of a list are acted on. `verbs` names the actions, with what of their forms is one for all."""

    noun: str
    states: States
    column: str
    read: Callable[[Database, Sequence[str]], Awaitable[Sequence[Any]]]
    verbs: Mapping[str, Sequence[str]]
    amount: str = "amount_minor"
    id_of: Callable[[Any], str] = lambda row: str(row.id)

    def state_of(self, row: Any) -> str:
        """Return the word of a row's state."""
        return self.states.word(getattr(row, self.column))

    def amount_of(self, row: Any) -> tuple[int, str] | None:
        """Return what a row comes to, in minor units, and its currency; None where it is of no amount."""
        minor, currency = getattr(row, self.amount, None), getattr(row, "currency", None)
        return (minor, currency) if minor is not None and currency else None

    def actions(self, user: ConsoleUser) -> Sequence[Action]:
        """Return what this user may do to several at once. Of limited users nobody: each object would be theirs."""
        if user.merchants:
            return ()
        return [one for verb in self.verbs if user.may((one := self.action(verb)).permission)]

    def action(self, verb: str) -> Action:
        """Return an action with the fields that are one for all. Raises KeyError: there is none such."""
        kept, of_one = self.verbs[verb], ACTIONS[f"{self.noun}/{verb}"]
        return replace(of_one, fields=[one for one in of_one.fields if one.name in kept])


MANY: Mapping[str, ManyOf] = {
    one.noun: one
    for one in (
        ManyOf(
            *("collections", COLLECTION, "stage", lambda database, ids: CollectionQueries(database).chosen(ids)),
            {"retry": (), "skip": (), "extend": ("until",), "assign": ("user",), "give-up": ()},
            "open_minor",
            lambda row: f"{row.account_id}/{row.period}",
        ),
        ManyOf(
            *("refunds", REFUND, "state", lambda database, ids: RefundQueries(database).chosen(ids)),
            {"retry": (), "check": ()},
        ),
        ManyOf(
            *("payment-requests", PAYMENT_REQUEST, "state"),
            lambda database, ids: PaymentRequestQueries(database).chosen(ids),
            {"send": (), "withdraw": ()},
        ),
        ManyOf(
            *("discrepancies", DISCREPANCY, "state", lambda database, ids: ReconciliationQueries(database).chosen(ids)),
            {"resolve": ("as",)},
        ),
        ManyOf(
            *("events", EVENT, "state", lambda database, ids: EventQueries(database).chosen(ids)),
            {"replay": ()},
        ),
        ManyOf(
            *("messages", MESSAGE, "state", lambda database, ids: MessageQueries(database).chosen(ids)),
            {"resend": ()},
        ),
    )
}
