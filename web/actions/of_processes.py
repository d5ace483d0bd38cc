"""Actions on runs, collections, refunds, requests, disputes, events and messages."""

from collections.abc import Mapping
from datetime import datetime, time

from activities.collections.queries import NOBODY, CollectionQueries
from activities.database import Database
from commands.collections.assigning import assign
from commands.collections.control import send_update as ask_collection
from commands.console.limited import ANSWER_SECONDS, AskedAction, Carry
from commands.disputes.disputes import accept
from commands.events.events import replay
from commands.formatting import shown_zone
from commands.messages.messages import resend
from commands.output import Output
from commands.payments.fraud import release
from commands.payments.payment_requests import command as ask_request
from commands.refunds.refunds import retry
from commands.refunds.refunds import send_update as ask_refund
from commands.runs.control import send_update as ask_run
from models.collections.collection import GraceCommand, PaidOutsideCommand, RetryCommand
from models.console.roles import Permission
from models.gateway.gateway_request import CollectResult
from models.operator_command import OperatorCommand, UnknownResolution
from models.problem import refusal
from models.runs.run_control import RateCommand
from web.actions.action import Action, FormField, day_given

_OPEN = frozenset({"open", "collecting", "dunning", "waiting_for_customer", "processing", "unknown"})
_RUNNING = frozenset({"running", "freezing", "collecting", "paused", "held"})


def _of_run(update: str) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await ask_run(output, asked.id, update, OperatorCommand(asked.actor, asked.reason))

    return carry


async def _rate(output: Output, asked: AskedAction) -> None:
    given, is_given_back = asked["calls_per_second"].strip(), asked["gives_back"] == "yes"
    if bool(given) is is_given_back:
        raise refusal("calls_per_second", "field_given", "give a number, or choose to give the rate back")
    if given and not (given.isascii() and given.isdigit()):
        raise refusal("calls_per_second", "whole_number", "must be a whole number of calls")
    command = RateCommand(asked.actor, asked.reason, int(given[:9]) if given else None)
    await ask_run(output, asked.id, "change_rate", command)


def _of_request(update: str) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await ask_request(output, asked.id, update, OperatorCommand(asked.actor, asked.reason))

    return carry


def _of_collection(update: str) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        command = OperatorCommand(asked.actor, asked.reason)
        await ask_collection(output, *_receivable(asked), update, command, str)

    return carry


async def _retry(output: Output, asked: AskedAction) -> None:
    command = RetryCommand(asked.actor, asked.reason, asked["card"])
    await ask_collection(output, *_receivable(asked), "retry_now", command, str)


async def _extend(output: Output, asked: AskedAction) -> None:
    day = day_given("until", asked["until"])
    if day is None:
        raise refusal("until", "field_given", "must be given")
    until = datetime.combine(day, time(), shown_zone())
    command = GraceCommand(asked.actor, asked.reason, until)
    await ask_collection(output, *_receivable(asked), "extend_grace", command, str)


async def _release(output: Output, asked: AskedAction) -> None:
    await release(output, *_receivable(asked), asked["amount"], asked.actor, asked.reason)


async def _assign(output: Output, asked: AskedAction) -> None:
    await assign(output, *_receivable(asked), asked["user"], actor=asked.actor, seen=asked["was_user"])


async def _as_assigned(database: Database, id: str) -> Mapping[str, str]:
    """Return who looks after a collection now: whoever has changed it meanwhile is not written over."""
    account_id, _, period = id.rpartition("/")
    found = await CollectionQueries(database).find(account_id, period)
    return {"user": found.assigned_to, "was_user": found.assigned_to or NOBODY} if found else {}


async def _mark_paid(output: Output, asked: AskedAction) -> None:
    command = PaidOutsideCommand(asked.actor, asked.reason, asked["reference"], asked["method"] or "bank_transfer")
    await ask_collection(output, *_receivable(asked), "mark_paid_outside", command, str)


async def _resolve_collection(output: Output, asked: AskedAction) -> None:
    command = UnknownResolution(
        asked.actor, asked.reason, asked["gateway_reference"], asked["was_not_charged"] == "yes"
    )
    await ask_collection(output, *_receivable(asked), "resolve_unknown", command, CollectResult)


async def _retry_refund(output: Output, asked: AskedAction) -> None:
    await retry(output, asked.id, actor=asked.actor, reason=asked.reason, wait_seconds=ANSWER_SECONDS)


async def _check_refund(output: Output, asked: AskedAction) -> None:
    await ask_refund(output, asked.id, "check_now", OperatorCommand(asked.actor, asked.reason), str)


async def _accept(output: Output, asked: AskedAction) -> None:
    await accept(output, asked.id, actor=asked.actor, reason=asked.reason)


async def _replay(output: Output, asked: AskedAction) -> None:
    await replay(output, asked.id, actor=asked.actor, reason=asked.reason)


async def _resend(output: Output, asked: AskedAction) -> None:
    await resend(output, asked.id, actor=asked.actor, reason=asked.reason)


def _receivable(asked: AskedAction) -> tuple[str, str]:
    account_id, _, period = asked.id.rpartition("/")
    return account_id, period


_NAMED = FormField(
    "gateway_reference", "The gateway's id of the payment", help="Such as pi_… of Stripe's; it is checked there."
)
_RUNS = (
    Action(
        *("runs", "pause", "Pause", "runs pause", Permission.RUN),
        "The run starts nothing new. Payments in flight settle.",
        _of_run("pause"),
        states=_RUNNING,
    ),
    Action(
        *("runs", "resume", "Resume", "runs resume", Permission.RUN),
        "A paused run goes on; one that waits for the gateway asks it again at once.",
        _of_run("resume"),
        states=_RUNNING,
    ),
    Action(
        *("runs", "rate", "Change the rate", "runs rate", Permission.RUN),
        "It holds for all that is asked of the provider, until the run ends. No worker asks faster than its own rate.",
        _rate,
        (
            FormField("calls_per_second", "Calls a second"),
            FormField("gives_back", "Go back to the workers' own rate", "checkbox"),
        ),
        _RUNNING,
    ),
    Action(
        *("runs", "abort", "Abort", "runs abort", Permission.RUN),
        "Charged stays charged, collections go on, and everyone else is free for the next run.",
        _of_run("abort"),
        states=_RUNNING,
        final="The run ends for good; whoever was not asked yet is released.",
    ),
)
_COLLECTIONS = (
    Action(
        *("collections", "retry", "Try now", "collections retry", Permission.COLLECT),
        "The card is charged now. It does not use up the policy's attempts.",
        _retry,
        (FormField("card", "Card", "select", "cards", help="The usual one unless chosen."),),
        _OPEN,
    ),
    Action(
        *("collections", "skip", "Skip the next try", "collections skip", Permission.COLLECT),
        "The next scheduled attempt is left out; it counts as used.",
        _of_collection("skip_attempt"),
        states=_OPEN,
    ),
    Action(
        *("collections", "extend", "Extend", "collections extend", Permission.COLLECT),
        "Whatever comes next is moved to a later day.",
        _extend,
        (FormField("until", "Leave in peace until", "date", is_required=True),),
        _OPEN,
    ),
    Action(
        *("collections", "assign", "Assign", "collections assign", Permission.COLLECT),
        "Somebody looks after it, and finds it among theirs. It goes on as it does.",
        _assign,
        (
            FormField("user", "To", "select", "assignees", help="To nobody unless chosen."),
            FormField("was_user", "", "hidden"),
        ),
        _OPEN,
        begin=_as_assigned,
    ),
    Action(
        *("collections", "mark-paid", "Paid outside", "collections mark-paid", Permission.DECIDE),
        "What is still owed is posted as paid by other means, and the collection ends.",
        _mark_paid,
        (
            FormField("reference", "Reference", is_required=True, help="Where the money is found."),
            FormField("method", "Method", "select", "methods"),
        ),
        _OPEN,
        "A payment is posted, and the collection ends.",
    ),
    Action(
        *("collections", "release-hold", "Release the hold", "fraud release", Permission.DECIDE),
        "What a rule holds is charged now, for the amount that is held and no other. Else give it up.",
        _release,
        (FormField("amount", "Amount", help="Needed where several amounts are held."),),
        _OPEN,
        "The charge is sent.",
    ),
    Action(
        *("collections", "give-up", "Give up", "collections give-up", Permission.DECIDE),
        "Nothing more is tried; the receivable stays open, and the policy says what becomes of the account.",
        _of_collection("give_up"),
        states=_OPEN,
        final="The receivable is given up, and what the dunning policy says becomes of the account.",
    ),
    Action(
        *("collections", "resolve", "Resolve unknown", "collections resolve", Permission.DECIDE),
        "Say what became of an attempt whose outcome nobody knows.",
        _resolve_collection,
        (_NAMED, FormField("was_not_charged", "Nothing was charged: I have looked", "checkbox")),
        _OPEN,
    ),
)
_OTHERS = (
    Action(
        *("refunds", "retry", "Ask again", "refunds retry", Permission.REFUND),
        "What was rejected or came back is asked for again, under the next id.",
        _retry_refund,
        states=frozenset({"rejected", "reversed"}),
        final="Money goes back to the customer.",
    ),
    Action(
        *("refunds", "check", "Check now", "refunds check", Permission.COLLECT),
        "The refund's workflow asks the gateway now where it stands.",
        _check_refund,
        states=frozenset({"pending", "unknown", "refunded"}),
    ),
    Action(
        *("payment-requests", "send", "Send the link again", "payment-requests send", Permission.COLLECT),
        "The message with the link is sent once more.",
        _of_request("send_link"),
        states=frozenset({"open", "processing"}),
    ),
    Action(
        *("payment-requests", "withdraw", "Withdraw", "payment-requests withdraw", Permission.COLLECT),
        "It is asked for no more, and its link leads nowhere.",
        _of_request("withdraw"),
        states=frozenset({"open", "processing"}),
        final="The request is withdrawn for good.",
    ),
    Action(
        *("disputes", "accept", "Accept", "disputes accept", Permission.DECIDE),
        "The dispute is given up: the bank keeps the money, and the payment is cancelled.",
        _accept,
        states=frozenset({"inquiry", "open"}),
        final="The dispute is lost for good.",
    ),
    Action(
        *("events", "replay", "Deliver again", "events replay", Permission.COLLECT),
        "The event waits again, and what waits is delivered.",
        _replay,
        states=frozenset({"needs_review", "delivered", "waiting"}),
    ),
    Action(
        *("messages", "resend", "Send again", "messages resend", Permission.COLLECT),
        "The message is queued again.",
        _resend,
        states=frozenset({"failed", "withheld"}),
    ),
)
ACTIONS = (*_RUNS, *_COLLECTIONS, *_OTHERS)
