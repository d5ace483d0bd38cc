"""Commands accepted by a workflow that stands still after a fault: how it is led there, and how they show in the end.

The cases are held against every update that there is: one that is new has a case here, or a reason why it needs none.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.collections.collection import CollectionStatus, GraceCommand, RetryCommand
from models.operator_command import OperatorCommand
from models.payments.card_payment import CardPayment
from models.reductions.reduction import Decision, ReductionDecision
from models.workflow_ids import reduction_id
from tests.reductions.reduction_client import ReductionClient
from tests.supervision.scenario import WHO, Company, Moment
from tests.supervision.scenarios import SCENARIOS

Done = Callable[[Company, str], Awaitable[bool]]
# Later than any policy of the scenarios plans an attempt.
GRACE = timedelta(days=40)


@dataclass(frozen=True)
class Accepted:
    """A signal makes the workflow call the activity that fails; then comes the command, which is done in the end."""

    signal: str
    fails: str
    done: Done
    command: Callable[[datetime], object] = lambda _: WHO


async def open_waiting(company: Company, workflow: str, name: str) -> str:
    """Lead a workflow to the moment at which it waits, and return its id."""
    if workflow == "BackEndReduction":
        return await _open_undecided(company, name)
    scenario = SCENARIOS[workflow](company)
    await scenario.prepare(name)
    return (await scenario.open(name, Moment.WAITING)).workflow_id


async def _open_undecided(company: Company, name: str) -> str:
    """A reward without a payment that it could go back to: a person is asked what becomes of it."""
    rewards = ReductionClient(company.refunds, company.database)
    await rewards.open(remedies=["another_payment"])
    await rewards.award(await company.merchant.account(), 100, name=f"award-{name}")
    await rewards.workflow(f"award-{name}").execute_update("first_outcome")
    return reduction_id(f"award-{name}")


def row(sql: str, expected: object) -> Done:
    """Say that it is done when the only row there is says so."""

    async def is_done(company: Company, _: str) -> bool:
        return bool(await company.merchant.value(sql) == expected)

    return is_done


def collection(is_as_wanted: Callable[[CollectionStatus], bool]) -> Done:
    """Say that it is done when the collection shows it."""

    async def is_done(company: Company, workflow_id: str) -> bool:
        handle = company.duly.client.get_workflow_handle(workflow_id)
        return is_as_wanted(await handle.query("status", result_type=CollectionStatus))

    return is_done


def _skipped(status: CollectionStatus) -> bool:
    return status.next_action.startswith("retry 2")


def _left_in_peace(status: CollectionStatus) -> bool:
    at, printed = status.next_action_at, [line for line in status.history if "again at" in line]
    return at is not None and bool(printed) and at - datetime.fromisoformat(printed[-1][:16] + "+00:00") > GRACE / 2


_REVALIDATED = (
    "select count(*) from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id"
    " where r.kind = 'card_validation' and a.outcome = 'succeeded'"
)
CASES: Mapping[tuple[str, str], Accepted] = {
    ("BackEndReduction", "decide"): Accepted(
        "payment_changed",
        "load_reduction",
        row("select state from duly.reductions", "granted"),
        lambda _: ReductionDecision("maria", "goodwill", decision=Decision.CREDIT),
    ),
    ("CardLifecycle", "revalidate"): Accepted("card_touched", "load_card", row(_REVALIDATED, 2)),
    ("Collection", "extend_grace"): Accepted(
        "receivable_changed",
        "is_owed",
        collection(_left_in_peace),
        lambda now: GraceCommand("maria", "as agreed", now + GRACE),
    ),
    ("Collection", "give_up"): Accepted(
        "receivable_changed", "is_owed", row("select reason from duly.collections", "operator_gave_up")
    ),
    ("Collection", "retry_now"): Accepted(
        "receivable_changed",
        "is_owed",
        row("select stage from duly.collections", "settled"),
        lambda _: RetryCommand("maria", "the customer called"),
    ),
    ("Collection", "skip_attempt"): Accepted("receivable_changed", "is_owed", collection(_skipped)),
    ("PaymentRequest", "pay"): Accepted(
        "receivable_changed",
        "load_payment_request",
        row("select array_agg(outcome)::text from duly.gateway_attempts", "{succeeded}"),
        lambda _: CardPayment("maria", "our treat"),
    ),
    ("PaymentRequest", "withdraw"): Accepted(
        "receivable_changed",
        "load_payment_request",
        row("select state from duly.payment_requests", "withdrawn"),
        lambda _: OperatorCommand("maria", "by mistake"),
    ),
}

# What is answered once the handler has it: the next execution knows it from the row, or from the gateway.
_COMMITTED = "its handler writes it down or asks the gateway, and answers after that"
_CHECKS = "whoever goes on after a fault looks at once"
_STEERED = "how a run is steered is carried: tests/runs/control"
_QUESTION = "changes nothing; asked again it is answered"
NEED_NONE: Mapping[tuple[str, str], str] = {
    ("BackEndReduction", "accepted"): _QUESTION,
    ("BackEndReduction", "first_outcome"): _QUESTION,
    ("BankRefunds", "reject"): _COMMITTED,
    ("BankRefunds", "release"): _COMMITTED,
    ("CardLifecycle", "block"): _COMMITTED,
    ("CardLifecycle", "check"): _QUESTION,
    ("CardLifecycle", "first_outcome"): _QUESTION,
    ("CardLifecycle", "open_page"): _COMMITTED,
    ("CardLifecycle", "remove"): _COMMITTED,
    ("CardLifecycle", "resolve_unknown"): _COMMITTED,
    ("CardLifecycle", "set_default"): _COMMITTED,
    ("CardLifecycle", "set_recurring"): _COMMITTED,
    ("Collection", "first_outcome"): _QUESTION,
    ("Collection", "mark_paid_outside"): _COMMITTED,
    ("Collection", "open_page"): _COMMITTED,
    ("Collection", "release_hold"): _COMMITTED,
    ("Collection", "resolve_unknown"): _COMMITTED,
    ("Dispute", "accept"): _COMMITTED,
    ("Dispute", "check_now"): _CHECKS,
    ("Dispute", "first_reading"): _QUESTION,
    ("MerchantConnection", "check_now"): _CHECKS,
    ("MerchantConnection", "created"): _QUESTION,
    ("MerchantConnection", "disconnect"): _COMMITTED,
    ("MerchantConnection", "open_page"): _COMMITTED,
    ("PaymentRequest", "created"): _QUESTION,
    ("PaymentRequest", "open_page"): _COMMITTED,
    ("PaymentRequest", "release_hold"): _COMMITTED,
    ("PaymentRequest", "resolve_unknown"): _COMMITTED,
    ("PaymentRequest", "send_link"): _COMMITTED,
    ("PaymentRun", "abort"): _STEERED,
    ("PaymentRun", "change_rate"): _COMMITTED,
    ("PaymentRun", "pause"): _STEERED,
    ("PaymentRun", "resume"): _STEERED,
    ("Refund", "check_now"): _CHECKS,
    ("Refund", "first_outcome"): _QUESTION,
    ("Refund", "resolve_unknown"): _COMMITTED,
    ("RefundRun", "pause"): "how it is steered is carried: tests/refunds/test_refund_runs.py",
    ("RefundRun", "resume"): "how it is steered is carried: tests/refunds/test_refund_runs.py",
}
# Who takes signals and carries nothing past a fault, with what stands for that.
SIGNALLED_ONLY: Mapping[str, str] = {
    "ObjectCheck": "an event of the object it looks at changes nothing about the look",
}
