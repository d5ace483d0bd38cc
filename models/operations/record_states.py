"""The words of runs, records and what is kept about them; and every table by the noun that lists it."""

from collections.abc import Mapping
from types import MappingProxyType

from models.operations.bank_states import BANK_REFUND, BANK_REFUNDS, DEBIT, DEBIT_ANSWER, DEBIT_BATCH, MANDATE
from models.operations.ledger_states import ACCOUNT, BILL, SUSPENSE, TRANSACTION
from models.operations.payment_states import (
    ATTEMPT,
    CARD,
    CHARGE_BLOCK,
    CHARGE_HOLD,
    COLLECTION,
    DISPUTE,
    INTENT,
    PAYMENT,
    PAYMENT_REQUEST,
    REDUCTION,
    REDUCTION_PART,
    REFUND,
    REQUEST,
    VALIDATION,
)
from models.operations.states import States
from models.operations.voucher_states import TOP_UP, VOUCHER

RUN = States(
    "Billing run, payment run, shadow run",
    {
        "running": "not over; its workflow says where it stands",
        "freezing": "who is in it is being fixed",
        "collecting": "payments are made",
        "paused": "a person lets it wait",
        "held": "the gateway answers nobody",
        "aborting": "ends when what is in flight has settled",
        "certifying": "every member is being counted",
        "completed": "its certificate is written",
    },
    finer=dict.fromkeys(("freezing", "collecting", "paused", "held", "aborting", "certifying"), ("running",)),
    column="process_runs.state",
)
RUN_MEMBER = States(
    "Member of a billing or payment run",
    {
        "to_do": "not reached yet",
        "billed": "invoice and credit note are posted",
        "charged": "paid at once",
        "pending": "asked of a provider that answers later: a collection waits",
        "in_dunning": "declined, or without a card: a collection goes on",
        "unknown": "nobody knows whether it was charged: a collection goes on",
        "skipped": "nothing was to be billed or charged",
        "parked": "a rule stands against it",
        "released": "left to another run",
    },
    stored={"": "to_do"},
    column="run_items.outcome",
)
REFUND_MEMBER = States(
    "Member of a refund run",
    {
        "to_do": "not reached yet",
        "refunded": "its money went back",
        "credited": "by a credit note",
        "under_way": "goes on by itself",
        "clawed_back": "taken back, for the sale was returned",
        "rejected": "the gateway will not pay it, or it came back",
        "left": "nothing of it could be sent back",
    },
    stored={"": "to_do"},
)
DISCREPANCY = States(
    "Discrepancy",
    {
        "open": "waits for a person",
        "mended": "booked by Duly itself",
        "resolved": "ended by a person's decision",
        "gone": "both sides agree by now",
    },
    column="discrepancies.state",
)
RECONCILIATION = States(
    "Reconciliation of a day",
    {
        "running": "not over",
        "agrees": "gateway and ledger agree",
        "differs": "a discrepancy is open",
        "completed": "its certificate is written",
    },
    finer=dict.fromkeys(("agrees", "differs"), ("completed",)),
    column="reconciliations.state",
)
MOVEMENT = States(
    "Expected movement",
    {
        "open": "has not come yet",
        "overdue": "should have come",
        "moved": "has come",
    },
)
MESSAGE = States(
    "Message",
    {
        "pending": "to be sent",
        "sending": "handed over just now; when it stays so, nobody knows whether it was taken",
        "sent": "the mail server took it",
        "failed": "rejected, or put off for three days",
        "withheld": "without address or mail server, or not so any more",
    },
    column="messages.state",
)
EVENT = States(
    "Event of the gateway",
    {
        "waiting": "to be delivered",
        "delivered": "its workflow was signalled",
        "ignored": "of a type that nothing here needs",
        "needs_review": "about nothing known for more than a day",
    },
    column="gateway_events.state",
)
SUBSCRIPTION = States(
    "Subscription",
    {
        "planned": "has not begun",
        "in_trial": "costs nothing yet",
        "active": "is billed",
        "paused": "costs nothing for now",
        "ended": "is over, or never begins",
    },
)
COMMAND = States(
    "Command",
    {
        "begun": "at work, or cut off",
        "done": "has done what was asked",
        "refused": "a rule stands against it; nothing was changed",
        "failed": "something did not answer",
    },
    column="commands.outcome",
)
SETTING = States(
    "Provider, run definition",
    {"effective": "in use", "not_effective": "asked for nothing new"},
    column="providers.state",
)
MERCHANT_CONNECTION = States(
    "Connection of a merchant",
    {
        "not_connected": "the merchant has no account of its own",
        "connecting": "its account is being made at the gateway",
        "pending": "its owner is at the gateway's pages, or the gateway is checking",
        "incomplete": "its owner has to bring what is missing",
        "successful": "it is paid on its own account",
        "restricted": "the gateway lets it take no payments",
        "disconnected": "nothing new is asked for on its account",
    },
    stored={"": "not_connected"},
    finer={"connecting": ("pending",)},
    column="merchant_connections.state",
)
SENDING = States(
    "Sending to a provider",
    {
        "open": "as usual",
        "held": "nothing is sent: the database may have forgotten something",
        "recovering": "what was forgotten is being read",
    },
    column="sending.state",
)

USER = States(
    "User of the console",
    {"active": "may sign in", "disabled": "may not, and is signed out"},
    column="users.state",
)
SIGN_IN = States(
    "Attempt to sign in to the console",
    {
        "signed_in": "a session began",
        "wrong": "with a password or passkey that is not this user's",
        "disabled": "of a user who may not",
        "unknown_user": "of nobody that there is",
        "limited": "one attempt too many within a minute",
        "signed_out": "a session was ended",
    },
    column="sign_ins.outcome",
)
APPROVAL = States(
    "Request that another person approves",
    {
        "waiting": "another person decides",
        "expired": "nobody has decided in time: it is asked for again",
        "approved": "carried out, as its outcome says",
        "rejected": "not carried out",
        "withdrawn": "by who had asked",
    },
    finer={"expired": ("waiting",)},
    derived={"expired": "`waiting`, past its end"},
    column="approvals.state",
)

# By the noun under which the command line lists them, which is the name of their rows in JSON where those are not
# named for what they are; then all others.
LISTED: Mapping[str, States] = MappingProxyType(
    {
        "accounts": ACCOUNT,
        "approvals": APPROVAL,
        "bills": BILL,
        "blocks": CHARGE_BLOCK,
        "cards": CARD,
        "collections": COLLECTION,
        "commands": COMMAND,
        "debits": DEBIT,
        "discrepancies": DISCREPANCY,
        "disputes": DISPUTE,
        "events": EVENT,
        "holds": CHARGE_HOLD,
        "mandates": MANDATE,
        "merchants": MERCHANT_CONNECTION,
        "messages": MESSAGE,
        "movements": MOVEMENT,
        "payment_requests": PAYMENT_REQUEST,
        "payments": INTENT,
        "reductions": REDUCTION,
        "refunds": REFUND,
        "requests": REQUEST,
        "runs": RUN,
        "subscriptions": SUBSCRIPTION,
        "suspense": SUSPENSE,
        "transactions": TRANSACTION,
        "users": USER,
        "vouchers": VOUCHER,
    }
)
EVERY: tuple[States, ...] = (
    COLLECTION,
    INTENT,
    PAYMENT,
    PAYMENT_REQUEST,
    REQUEST,
    ATTEMPT,
    REFUND,
    REDUCTION,
    REDUCTION_PART,
    DISPUTE,
    CHARGE_BLOCK,
    CHARGE_HOLD,
    CARD,
    VALIDATION,
    RUN,
    RUN_MEMBER,
    REFUND_MEMBER,
    DISCREPANCY,
    RECONCILIATION,
    MOVEMENT,
    MESSAGE,
    EVENT,
    TRANSACTION,
    SUBSCRIPTION,
    ACCOUNT,
    SUSPENSE,
    BANK_REFUND,
    MANDATE,
    DEBIT,
    DEBIT_BATCH,
    DEBIT_ANSWER,
    BANK_REFUNDS,
    BILL,
    COMMAND,
    SETTING,
    MERCHANT_CONNECTION,
    SENDING,
    USER,
    SIGN_IN,
    APPROVAL,
    VOUCHER,
    TOP_UP,
)
