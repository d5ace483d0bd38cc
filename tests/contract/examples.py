"""An example of everything that goes in and out of every workflow: the document shows them, the tests send them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from models.cards.card import (
    Card,
    CardRegistration,
    CardRequest,
    CardResult,
    CardState,
    CardStatus,
    RecurringCommand,
    ValidationOutcome,
    ValidationResult,
)
from models.collections.collection import (
    CollectionRequest,
    CollectionResult,
    CollectionStatus,
    GraceCommand,
    OpenPage,
    PaidOutsideCommand,
    RetryCommand,
    Stage,
)
from models.disputes.dispute import DisputeRecord, DisputeRequest, DisputeState, DisputeStatus
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.operator_command import OperatorCommand, UnknownResolution
from models.payments.hold import HoldRelease
from models.reductions.reduction import (
    Award,
    Decision,
    Reduction,
    ReductionDecision,
    ReductionPart,
    ReductionRequest,
    ReductionSettings,
    ReductionState,
    ReductionStatus,
)
from models.refunds.refund import RefundOrder, RefundOutcome, RefundRequest, RefundResult, RefundStatus

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 26)
WHO, WHY = "maria", "as agreed on the phone"
COMMAND = OperatorCommand(WHO, WHY)
RESOLUTION = UnknownResolution(WHO, WHY, gateway_reference="pi_3Q9")
HISTORY = ("2026-11-26 12:00Z attempt 1: declined",)


@dataclass(frozen=True)
class Call:
    """One update or query: what it takes, if anything, and what it returns. `may_take`: also without it."""

    returns: Any
    takes: Any = None
    may_take: bool = False


@dataclass(frozen=True)
class Example:
    """A workflow from its start to its end; signals with all their arguments."""

    request: Any
    id: str
    result: Any
    signals: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    updates: dict[str, Call] = field(default_factory=dict)
    queries: dict[str, Call] = field(default_factory=dict)


DECLINED = CollectResult(
    CollectOutcome.DECLINED,
    request_id="req_81",
    attempt=1,
    amount_minor=2500,
    currency="EUR",
    gateway_reference="pi_3Q9",
    card_id="card_7",
    card_label="visa 4242",
    code="card_declined",
    decline_code="insufficient_funds",
)
SETTLED = CollectResult(
    CollectOutcome.SETTLED,
    request_id="req_81",
    attempt=2,
    amount_minor=2500,
    currency="EUR",
    gateway_reference="pi_3QA",
    card_id="card_7",
    card_label="visa 4242",
)

COLLECTION = Example(
    CollectionRequest("acc_42", "2026-11"),
    "collection/acc_42/2026-11",
    CollectionResult(Stage.SETTLED, "settled", attempts=2, amount_minor=2500, currency="EUR"),
    signals={"card_changed": (), "gateway_event": (), "hold_released": (), "receivable_changed": ()},
    updates={
        "extend_grace": Call(
            "grace until 2026-12-10 12:00Z", GraceCommand(WHO, WHY, until=NOON.replace(month=12, day=10))
        ),
        "first_outcome": Call(DECLINED),
        "give_up": Call("give up", COMMAND),
        "mark_paid_outside": Call("ft_99", PaidOutsideCommand(WHO, WHY, reference="bank line 17")),
        "open_page": Call(OpenPage("https://pay.example/c/1", NOON, attempt=3)),
        "release_hold": Call("25.00 EUR released, which rule unusual held", HoldRelease(WHO, WHY)),
        "resolve_unknown": Call(SETTLED, RESOLUTION),
        "retry_now": Call("retry now", RetryCommand(WHO, WHY, card_id="card_7")),
        "skip_attempt": Call("skip the next attempt", COMMAND),
    },
    queries={
        "status": Call(
            CollectionStatus(
                Stage.DUNNING,
                attempt=1,
                amount_minor=2500,
                currency="EUR",
                next_action_at=NOON.replace(day=29),
                last=DECLINED,
                history=HISTORY,
                next_action="attempt 2",
                time_zone="Asia/Nicosia",
            )
        )
    },
)

CARD = Card(
    card_id="card_7",
    account_id="acc_42",
    provider="stripe",
    state=CardState.ACTIVE,
    state_reason="",
    label="visa 4242",
    exp_year=2029,
    exp_month=4,
    is_recurring=True,
    fallback_order=1,
    attempt=1,
    is_hosted=False,
    checked_at=NOON,
)
ACCEPTED = ValidationResult(ValidationOutcome.ACCEPTED, attempt=1, gateway_reference="seti_1Q9")

CARD_LIFECYCLE = Example(
    CardRequest("card_7", "stripe", CardRegistration("card_7", "acc_42", "stripe", token="pm_card_visa")),
    "card/card_7",
    CardResult("card_7", CardState.REMOVED, "as agreed"),
    signals={"card_touched": (), "gateway_event": ()},
    updates={
        "block": Call(CARD, COMMAND),
        "check": Call(CARD),
        "first_outcome": Call(ACCEPTED),
        "open_page": Call("https://pay.example/s/1"),
        "remove": Call(CARD, COMMAND),
        "resolve_unknown": Call(ACCEPTED, RESOLUTION),
        "revalidate": Call(CARD, COMMAND),
        "set_default": Call(CARD, COMMAND),
        "set_recurring": Call(CARD, RecurringCommand(WHO, WHY, is_recurring=True)),
    },
    queries={"status": Call(CardStatus(CARD, ACCEPTED, "its holder is told that it expires", NOON, HISTORY))},
)

REFUNDED = RefundResult(
    RefundOutcome.REFUNDED,
    "rf_2026_17",
    account_id="acc_42",
    payment_id="ft_97",
    transaction_id="ft_98",
    amount_minor=500,
    currency="EUR",
    gateway_reference="re_3Q9",
    executed_at=NOON,
)

REFUND = Example(
    RefundRequest(
        "rf_2026_17",
        order=RefundOrder("rf_2026_17", payment_id="ft_97", amount_minor=500, actor=WHO, reason=WHY),
    ),
    "refund/rf_2026_17",
    REFUNDED,
    signals={"gateway_event": ()},
    updates={
        "check_now": Call("check now", COMMAND),
        "first_outcome": Call(REFUNDED),
        "resolve_unknown": Call(REFUNDED, RESOLUTION),
    },
    queries={"status": Call(RefundStatus(REFUNDED, "it counts as final then", NOON, HISTORY))},
)

REDUCTION = Reduction(
    award_id="aw_2026_5",
    merchant_id="bakery",
    account_id="acc_42",
    payment_id="ft_97",
    amount_minor=500,
    currency="EUR",
    settings=ReductionSettings(),
    state=ReductionState.REFUNDING,
    reason="",
    awarded_at=NOON,
    parts=(ReductionPart(1, "rwd.aw_2026_5.1", "ft_97", 500, "under_processing"),),
)

BACK_END_REDUCTION = Example(
    ReductionRequest("aw_2026_5", award=Award("aw_2026_5", "bakery", "acc_42", 500, "EUR", payment_id="ft_97")),
    "reduction/aw_2026_5",
    REDUCTION,
    signals={"payment_changed": (), "refund_moved": (REFUNDED, False)},
    updates={
        "accepted": Call(REDUCTION),
        "decide": Call("credit", ReductionDecision(WHO, WHY, decision=Decision.CREDIT)),
        "first_outcome": Call(REDUCTION),
    },
    queries={"status": Call(ReductionStatus(REDUCTION, "the gateway pays its refunds", None, HISTORY))},
)

DISPUTED = DisputeRecord(
    dispute_id="dp_1Q9",
    provider="stripe",
    account_id="acc_42",
    payment_id="ft_97",
    amount_minor=2500,
    currency="EUR",
    reason="fraudulent",
    state=DisputeState.OPEN,
    status="needs_response",
    evidence_due_at=NOON.replace(month=12, day=10),
    has_evidence=False,
)

DISPUTE = Example(
    DisputeRequest("dp_1Q9"),
    "dispute/dp_1Q9",
    DISPUTED,
    signals={"gateway_event": ()},
    updates={
        "accept": Call(DISPUTED, COMMAND),
        "check_now": Call("check now", COMMAND),
        "first_reading": Call(DISPUTED),
    },
    queries={"status": Call(DisputeStatus(DISPUTED, "operators are reminded of the evidence", NOON, HISTORY))},
)

MONEY = {
    "BackEndReduction": BACK_END_REDUCTION,
    "CardLifecycle": CARD_LIFECYCLE,
    "Collection": COLLECTION,
    "Dispute": DISPUTE,
    "Refund": REFUND,
}
