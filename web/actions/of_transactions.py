"""Actions on transactions: drafts are posted or rejected, documents cancelled, written off, moved, paid, refunded."""

from collections.abc import Mapping

from activities.database import Database
from activities.payments.orders import PaymentOrders
from commands.console.limited import ANSWER_SECONDS, LIMITED, AskedAction, options_of
from commands.ledger.corrections import Because
from commands.ledger.drafts import note, reject
from commands.output import Output
from commands.payments.quick_pay import QuickPay
from commands.payments.quick_pay import quick_pay as pay_quickly
from models.console.roles import Permission
from web.actions.action import Action, FormField

_TYPE = "Why, as a type"


async def _reject(output: Output, asked: AskedAction) -> None:
    await reject(output, asked.id, asked["rejection"], options_of(asked))


async def _note(output: Output, asked: AskedAction) -> None:
    await note(output, asked.id, asked["note"], options_of(asked))


async def _charge(output: Output, asked: AskedAction) -> None:
    by = {name: asked[name] for name in ("provider", "card", "preference")}
    quickly = QuickPay(asked["method"], **by, hands_over=asked["hands_over"] == "yes", reason=asked.reason)
    await pay_quickly(output, asked.id, quickly, Because(), options_of(asked), wait_seconds=ANSWER_SECONDS)


async def _as_its_account_pays(database: Database, id: str) -> Mapping[str, str]:
    """Return the method, the card and the provider by which an invoice's account pays; empty where nothing is known."""
    return await PaymentOrders(database).way_to_pay(id)


_ACKNOWLEDGE = FormField("acknowledge", "Although it exceeds the credit limit", "checkbox")


POST = Action(
    *("transactions", "post", "Post", "transactions post", Permission.CORRECT),
    "The draft gets its number and moves the account's balance.",
    LIMITED["transactions/post"].carry,
    (_ACKNOWLEDGE,),
    frozenset({"draft"}),
)
REJECT = Action(
    *("transactions", "reject", "Reject", "transactions reject", Permission.CORRECT),
    "The draft is turned down.",
    _reject,
    (FormField("rejection", "Rejected because", "select", "reasons:rejection", is_required=True),),
    frozenset({"draft"}),
    "The draft is rejected for good.",
)
CANCEL = Action(
    *("transactions", "cancel", "Cancel", "transactions cancel", Permission.CORRECT),
    "All of it is undone by a new transaction; what had settled it, or it had settled, is allocated again.",
    LIMITED["transactions/cancel"].carry,
    (FormField("type", _TYPE, "select", "types:invoice_cancellation"),),
    frozenset({"posted", "settled"}),
    "The transaction is cancelled for good.",
)
CANCEL_PAYMENT = Action(
    *("transactions", "cancel-payment", "Cancel", "refunds cancel", Permission.CORRECT),
    "All that is left of the payment goes back through the gateway that took it, and its invoices are open again.",
    LIMITED["transactions/cancel-payment"].carry,
    (),
    frozenset({"posted", "settled"}),
    "All that is left of the payment goes back to its customer.",
)
CANCEL_BY_HAND = Action(
    *("transactions", "cancel-by-hand", "Cancel", "transactions cancel", Permission.CORRECT),
    CANCEL.explains,
    LIMITED["transactions/cancel"].carry,
    (FormField("type", _TYPE, "select", "types:payment_cancellation"),),
    frozenset({"posted", "settled"}),
    "The payment is cancelled for good.",
)
WRITE_OFF = Action(
    *("transactions", "write-off", "Write off", "transactions write-off", Permission.WRITE_OFF),
    "What is unsettled is given up; the write-off account gets an invoice of the same amount.",
    LIMITED["transactions/write-off"].carry,
    (FormField("type", _TYPE, "select", "types:write_off", is_required=True),),
    frozenset({"posted"}),
    "The debt is written off.",
)
MOVE = Action(
    *("transactions", "move", "Move", "transactions move", Permission.CORRECT),
    "The payment belongs to another account. The money stays where it is: no gateway is asked.",
    LIMITED["transactions/move"].carry,
    (FormField("account", "Account", is_required=True, help="Id of the account that it belongs to."),),
    frozenset({"posted", "settled"}),
)
QUICK_PAY = Action(
    *("transactions", "quick-pay", "Quick pay", "transactions quick-pay", Permission.CORRECT),
    "All that is unsettled is paid, by a method that no gateway handles.",
    LIMITED["transactions/quick-pay"].carry,
    (
        FormField("method", "Method", "select", "methods", is_required=True),
        FormField("reference", "Reference", help="Where the money is found, such as a bank reference."),
    ),
    frozenset({"posted"}),
)
CHARGE = Action(
    *("transactions", "charge", "Quick pay: charge a card", "transactions quick-pay", Permission.COLLECT),
    "All that is unsettled is charged now, and what that came to is shown. A decline ends it.",
    _charge,
    (
        FormField("method", "Method", "select", "gateway_methods", is_required=True),
        FormField("card", "Card", "select", "cards_of_transaction", help="The first of the method unless chosen."),
        FormField("preference", "Payment preference", help="Such as PP-1042: a card of it is charged."),
        FormField("provider", "Provider", "select", "providers", is_required=True),
        FormField("hands_over", "Follow a decline up by the dunning policy", "checkbox"),
    ),
    frozenset({"posted"}),
    begin=_as_its_account_pays,
)
REFUND = Action(
    *("transactions", "refund", "Refund", "refunds create", Permission.REFUND),
    "Money of the payment goes back through the gateway that took it. It is posted when the gateway has paid it.",
    LIMITED["transactions/refund"].carry,
    (
        FormField("amount", "Amount", help="In major units, such as 12.50; all that is left unless given."),
        FormField("credit_note", "With a credit note for what it is for", "checkbox"),
        _ACKNOWLEDGE,
    ),
    frozenset({"posted", "settled"}),
    "Money goes back to the customer.",
)
NOTE = Action(
    *("transactions", "note", "Note", "transactions note", Permission.COLLECT),
    "A note that everybody reads who opens the transaction.",
    _note,
    (FormField("note", "Note", "textarea", is_required=True),),
)


def actions_of(classification: str, state: str, provider: str | None) -> tuple[Action, ...]:
    """Return the actions on a transaction of a kind; a gateway that has the money is asked for it."""
    if state == "draft":
        return (POST, REJECT, NOTE)
    if classification == "invoice":
        return (QUICK_PAY, CHARGE, CANCEL, WRITE_OFF, NOTE)
    if classification == "payment":
        return (MOVE, *((REFUND, CANCEL_PAYMENT) if provider else (CANCEL_BY_HAND,)), NOTE)
    return (NOTE,)


ACTIONS = (*(POST, REJECT, CANCEL, CANCEL_PAYMENT, CANCEL_BY_HAND, WRITE_OFF, MOVE, QUICK_PAY, CHARGE, REFUND, NOTE),)
